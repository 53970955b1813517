package matching

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/event"
	"kreislauf/internal/money"
)

// partner is one that takes mixed construction waste for 90 euros a trip and 20 euros a cubic metre; change makes it another.
func partner(id, postcode string, change func(*Partner)) Partner {
	p := Partner{
		ID: id, Version: 1, Name: strings.ToUpper(id), Postcode: postcode, RadiusKm: 100, Wastes: []string{"170904"}, Active: true,
		Rates: event.Rates{TripCents: 90_00, PerM3Cents: map[string]money.Cents{"170904": 20_00}, PerTonneOver: 150_00},
	}
	if change != nil {
		change(&p)
	}
	return p
}

// job is 7 m³ of mixed construction waste in Cologne.
func job(change func(*Job)) Job {
	j := Job{Postcode: "50667", Waste: "170904", SizeM3: 7, Date: "2026-12-07"}
	if change != nil {
		change(&j)
	}
	return j
}

func TestAssess(t *testing.T) {
	for _, tc := range []struct {
		name string
		p    Partner
		j    Job
		want verdict
	}{
		{"all is well", partner("p", "50735", nil), job(nil), eligible},
		{"not active", partner("p", "50735", func(p *Partner) { p.Active = false }), job(nil), inactive},
		{"other wastes", partner("p", "50735", func(p *Partner) { p.Wastes = []string{"170107"} }), job(nil), otherWaste},
		{"no rates", partner("p", "50735", func(p *Partner) { p.Rates = event.Rates{} }), job(nil), noRate},
		{"a rate of another waste", partner("p", "50735", func(p *Partner) { p.Wastes = []string{"170107"} }), job(func(j *Job) { j.Waste = "170107" }), noRate},
		{"a rate of nothing", partner("p", "50735", func(p *Partner) { p.Rates.PerM3Cents["170904"] = 0 }), job(nil), eligible},
		{"yard of no zone", partner("p", "00000", nil), job(nil), nowhere},
		{"order of no zone", partner("p", "50735", nil), job(func(j *Job) { j.Postcode = "x" }), nowhere},
		{"just near enough", partner("p", "53111", func(p *Partner) { p.RadiusKm = 24 }), job(nil), eligible}, // Bonn is 24 km away
		{"a kilometre too far", partner("p", "53111", func(p *Partner) { p.RadiusKm = 23 }), job(nil), tooFar},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, got := tc.p.assess(tc.j)
			if got != tc.want {
				t.Errorf("it %s, want: it %s", got.ofOne(), tc.want.ofOne())
			}
			if c.PartnerID != "p" || c.Outcome != waiting {
				t.Errorf("candidate %+v", c)
			}
			if paid := c.Pay.NetCents != 0; paid != (got >= tooFar) {
				t.Errorf("%d cents for one that %s", c.Pay.NetCents, got.ofOne())
			}
		})
	}
}

// TestScore shows all parts of one candidate's score: 90 euros a trip, 7 m³ at 20 euros, 24 km at a euro, which is not paid.
func TestScore(t *testing.T) {
	got, _ := partner("p-bonn", "53111", func(p *Partner) { p.AutoAccept = true }).assess(job(nil))
	want := Candidate{
		PartnerID: "p-bonn", Name: "P-BONN", DistanceKm: 24, AutoAccept: true, Outcome: waiting,
		Pay:   event.Pay{NetCents: 230_00, PerTonneOverCents: 150_00},
		Score: Score{TripCents: 90_00, DisposalCents: 140_00, DistanceCents: 24_00, TotalCents: 254_00},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("candidate (-want +got):\n%s", d)
	}
}

func TestRank(t *testing.T) {
	trip := func(cents money.Cents) func(*Partner) { return func(p *Partner) { p.Rates.TripCents = cents } }
	for _, tc := range []struct {
		name    string
		network []Partner
		want    string // ids in order
		nobody  string // what the reason says, when there are none
	}{
		{"nearer of two at one price", []Partner{partner("p-bonn", "53111", nil), partner("p-koeln", "50735", nil)}, "p-koeln p-bonn", ""},
		{"23 euros do not outweigh 24 km", []Partner{partner("p-bonn", "53111", trip(67_00)), partner("p-koeln", "50735", nil)}, "p-koeln p-bonn", ""},
		{"25 euros do", []Partner{partner("p-bonn", "53111", trip(65_00)), partner("p-koeln", "50735", nil)}, "p-bonn p-koeln", ""},
		{"of equal scores the nearer", []Partner{partner("p-bonn", "53111", trip(66_00)), partner("p-koeln", "50735", nil)}, "p-koeln p-bonn", ""},
		{"of equal partners the lower id", []Partner{partner("p-b", "50735", nil), partner("p-a", "50667", nil), partner("p-c", "50999", nil)}, "p-a p-b p-c", ""},
		{"who cannot is left out", []Partner{
			partner("p-idle", "50735", func(p *Partner) { p.Active = false }), partner("p-berlin", "10115", nil), partner("p-koeln", "50735", nil),
		}, "p-koeln", ""},
		{"all are idle", []Partner{partner("p", "50735", func(p *Partner) { p.Active = false })}, "", "no partner is active"},
		{"nobody takes it", []Partner{
			partner("p-1", "50735", func(p *Partner) { p.Active = false }), partner("p-2", "50735", func(p *Partner) { p.Wastes = nil }),
		}, "", "no active partner takes this waste"},
		{"no rate", []Partner{partner("p-1", "50735", func(p *Partner) { p.Rates = event.Rates{} })}, "", "has a rate"},
		{"all are far away", []Partner{
			partner("p-berlin", "10115", nil), partner("p-1", "50735", func(p *Partner) { p.Wastes = nil }),
		}, "", "near enough"},
		{"yards nowhere", []Partner{partner("p", "00000", nil)}, "", "unknown"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list, nobody := rank(tc.network, job(nil))
			var ids []string
			for _, c := range list {
				ids = append(ids, c.PartnerID)
			}
			if got := strings.Join(ids, " "); got != tc.want {
				t.Errorf("ranked %s, want %s", got, tc.want)
			}
			if tc.want == "" && (tc.nobody == "" || !strings.Contains(nobody, tc.nobody)) {
				t.Errorf("nobody, because %q, want %q", nobody, tc.nobody)
			}
		})
	}
}

func TestRankIsBounded(t *testing.T) {
	var network []Partner
	for i := range maxCandidates + 5 {
		network = append(network, partner(fmt.Sprintf("p-%02d", i), "50735", func(p *Partner) { p.Rates.TripCents = money.Cents(100_00 - i) }))
	}
	list, _ := rank(network, job(nil))
	if len(list) != maxCandidates || list[0].PartnerID != "p-14" || list[maxCandidates-1].PartnerID != "p-05" {
		t.Errorf("%d candidates: %+v", len(list), list)
	}
}
