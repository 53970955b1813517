package matching

import (
	"strings"
	"testing"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
)

var network = []Partner{
	{ID: "p-koeln", Name: "Köln", Postcode: "50735", RadiusKm: 100, Wastes: []string{"170904", "170107"}, AutoAccept: true},
	{ID: "p-bonn", Name: "Bonn", Postcode: "53111", RadiusKm: 100, Wastes: []string{"170904"}},
	{ID: "p-berlin", Name: "Berlin", Postcode: "10115", RadiusKm: 50, Wastes: []string{"170904"}},
	{ID: "p-alt", Name: "Alt", Postcode: "10115", RadiusKm: 50, Wastes: []string{"170904"}},
}

func TestNearest(t *testing.T) {
	for _, tc := range []struct{ name, postcode, waste, want string }{
		{"own town", "50667", "170904", "p-koeln"},
		{"nearer of two in reach", "53113", "170904", "p-bonn"},
		{"nearer one does not take the waste", "53113", "170107", "p-koeln"},
		{"tie goes to the lower id", "10117", "170904", "p-alt"},
		{"out of everybody's reach", "80331", "170904", ""},
		{"nobody takes the waste", "50667", "170504", ""},
		{"postcode that is none", "00000", "170904", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, _, found := nearest(network, event.Placed{Postcode: tc.postcode, Waste: tc.waste})
			if found != (tc.want != "") || p.ID != tc.want {
				t.Errorf("nearest = %q, %v, want %q", p.ID, found, tc.want)
			}
		})
	}
}

func TestNewMatch(t *testing.T) {
	for _, tc := range []struct {
		name, postcode string
		state          State
		types          []string
	}{
		{"standing order accepts at once", "50667", Accepted, []string{event.Offered{}.Type(), event.Accepted{}.Type()}},
		{"by hand", "53113", Offered, []string{event.Offered{}.Type()}},
		{"nobody", "80331", Unmatched, []string{event.Unmatched{}.Type()}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := newMatch(network, event.Placed{OrderID: "o-1", Postcode: tc.postcode, Waste: "170904"},
				event.Meta{Source: "matching", VisitID: "v-1", Traceparent: "tp", At: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			if m.ID != "o-1" || m.State != tc.state || m.Traceparent != "tp" || m.VisitID != "v-1" {
				t.Errorf("match: %+v", m)
			}
			var types []string
			for _, e := range m.Outbox {
				types = append(types, e.Type)
				if e.Subject != "o-1" || e.VisitID != "v-1" {
					t.Errorf("event: %+v", e)
				}
			}
			if strings.Join(types, " ") != strings.Join(tc.types, " ") {
				t.Errorf("events %v, want %v", types, tc.types)
			}
		})
	}
}

// TestAcceptContinuesTheOrdersTrace: the acceptance belongs to the order's trace, whatever request made it.
func TestAcceptContinuesTheOrdersTrace(t *testing.T) {
	m := offered()
	if err := m.accept("p-1", event.Meta{Source: "matching", Traceparent: "of the request", At: time.Now()}); err != nil || len(m.Outbox) != 1 {
		t.Fatalf("accept: %v, %+v", err, m)
	}
	if e := m.Outbox[0]; e.Traceparent != "of the order" || e.VisitID != "v-1" || e.Subject != "o-1" {
		t.Errorf("event: %+v", e)
	}
}

func offered() Match {
	return Match{Root: aggregate.New("o-1"), State: Offered, PartnerID: "p-1", VisitID: "v-1", Traceparent: "of the order"}
}

func TestAccept(t *testing.T) {
	for _, tc := range []struct {
		name, partner string
		state, want   State
		events        int
		refusal       problem.Kind
	}{
		{"an open offer", "p-1", Offered, Accepted, 1, problem.Internal},
		{"again", "p-1", Accepted, Accepted, 0, problem.Internal},
		{"somebody else's", "p-2", Offered, Offered, 0, problem.NotFound},
		{"somebody else's, accepted", "p-2", Accepted, Accepted, 0, problem.NotFound},
		{"too late", "p-1", Unmatched, Unmatched, 0, problem.Conflict},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := offered()
			m.State = tc.state
			err := m.accept(tc.partner, event.Meta{Source: "matching", At: time.Now()})
			if (err != nil) != (tc.refusal != problem.Internal) || err != nil && problem.KindOf(err) != tc.refusal {
				t.Errorf("accept: %v", err)
			}
			if m.State != tc.want || len(m.Outbox) != tc.events {
				t.Errorf("match: %+v", m)
			}
		})
	}
}

func TestPartnerCheck(t *testing.T) {
	good := network[0]
	if err := good.check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Partner){
		"no id":          func(p *Partner) { p.ID = "" },
		"no radius":      func(p *Partner) { p.RadiusKm = 0 },
		"unknown waste":  func(p *Partner) { p.Wastes = []string{"999999"} },
		"wrong postcode": func(p *Partner) { p.Postcode = "00000" },
	} {
		p := good
		change(&p)
		if err := p.check(); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
