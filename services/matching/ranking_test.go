package matching

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/network"
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
		want network.Verdict
	}{
		{"all is well", partner("p", "50735", nil), job(nil), network.Eligible},
		{"not active", partner("p", "50735", func(p *Partner) { p.Active = false }), job(nil), network.Inactive},
		{"other wastes", partner("p", "50735", func(p *Partner) { p.Wastes = []string{"170107"} }), job(nil), network.OtherWaste},
		{"no rates", partner("p", "50735", func(p *Partner) { p.Rates = event.Rates{} }), job(nil), network.NoRate},
		{"a rate of another waste", partner("p", "50735", func(p *Partner) { p.Wastes = []string{"170107"} }), job(func(j *Job) { j.Waste = "170107" }), network.NoRate},
		{"a rate of nothing", partner("p", "50735", func(p *Partner) { p.Rates.PerM3Cents["170904"] = 0 }), job(nil), network.Eligible},
		{"yard of no zone", partner("p", "00000", nil), job(nil), network.Nowhere},
		{"order of no zone", partner("p", "50735", nil), job(func(j *Job) { j.Postcode = "x" }), network.Nowhere},
		{"just near enough", partner("p", "53111", func(p *Partner) { p.RadiusKm = 24 }), job(nil), network.Eligible}, // Bonn is 24 km away
		{"a kilometre too far", partner("p", "53111", func(p *Partner) { p.RadiusKm = 23 }), job(nil), network.TooFar},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bid := tc.p.Weigh(tc.j)
			c, got := candidateOf(bid), bid.Verdict
			if got != tc.want {
				t.Errorf("it %s, want: it %s", got.OfOne(), tc.want.OfOne())
			}
			if c.PartnerID != "p" || c.Outcome != waiting {
				t.Errorf("candidate %+v", c)
			}
			if paid := c.Pay.NetCents != 0; paid != (got >= network.TooFar) {
				t.Errorf("%d cents for one that %s", c.Pay.NetCents, got.OfOne())
			}
		})
	}
}

// TestScore shows all parts of one candidate's score: 90 euros a trip, 7 m³ at 20 euros, 24 km at a euro, which is not paid.
func TestScore(t *testing.T) {
	got := candidateOf(partner("p-bonn", "53111", func(p *Partner) { p.AutoAccept = true }).Weigh(job(nil)))
	want := Candidate{
		PartnerID: "p-bonn", Name: "P-BONN", DistanceKm: 24, AutoAccept: true, Outcome: waiting,
		Pay:   event.Pay{NetCents: 230_00, PerTonneOverCents: 150_00},
		Score: network.Score{TripCents: 90_00, DisposalCents: 140_00, DistanceCents: 24_00, TotalCents: 254_00},
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
		{"yards network.Nowhere", []Partner{partner("p", "00000", nil)}, "", "unknown"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list, nobody := rank(tc.network, job(nil), "")
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
	var partners []Partner
	for i := range maxCandidates + 5 {
		partners = append(partners, partner(fmt.Sprintf("p-%02d", i), "50735", func(p *Partner) { p.Rates.TripCents = money.Cents(100_00 - i) }))
	}
	list, _ := rank(partners, job(nil), "")
	if len(list) != maxCandidates || list[0].PartnerID != "p-14" || list[maxCandidates-1].PartnerID != "p-05" {
		t.Errorf("%d candidates: %+v", len(list), list)
	}
}

// TestHolderIsAskedFirst: whose capacity the order holds is asked first, though another one is cheaper; the others stay in order.
func TestHolderIsAskedFirst(t *testing.T) {
	partners := []Partner{partner("p-bonn", "53111", nil), partner("p-koeln", "50735", nil), partner("p-deutz", "50679", nil)}
	for holder, want := range map[string]string{
		"": "p-deutz p-koeln p-bonn", "p-deutz": "p-deutz p-koeln p-bonn", "p-bonn": "p-bonn p-deutz p-koeln", "p-gone": "p-deutz p-koeln p-bonn",
	} {
		list, _ := rank(partners, job(nil), holder)
		var ids []string
		for _, c := range list {
			ids = append(ids, c.PartnerID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("with a place at %q %s are asked, want %s", holder, got, want)
		}
	}
}
