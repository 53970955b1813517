package order

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/quote"
)

var at = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func placed(t *testing.T) Order {
	t.Helper()
	q := quote.Quote{ID: "q-1", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: "2026-11-25", Price: money.FromNet(100_00)}
	o, err := place("u-1", "key-12345", Request{Address: Address{Name: "A B", Street: "C 1", City: "D"}, VisitID: "v-1"}, q,
		event.Meta{Source: "order", Customer: "kreislauf", Traceparent: "tp", At: at})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestPlaceEmitsTheOrder(t *testing.T) {
	o := placed(t)
	if o.State != Placed || o.Version != 1 || len(o.Outbox) != 1 || o.OutboxAt == nil {
		t.Fatalf("placed order: %+v", o)
	}
	e := o.Outbox[0]
	if e.Type != event.TypePlaced || e.Subject != o.ID || e.VisitID != "v-1" || e.Traceparent != "tp" || e.Source != "order" {
		t.Errorf("envelope: %+v", e)
	}
	got, err := event.Decode[event.Placed](e)
	if err != nil {
		t.Fatal(err)
	}
	want := event.Placed{
		OrderID: o.ID, UserID: "u-1", QuoteID: "q-1", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: "2026-11-25",
		Price: money.Price{NetCents: 100_00, VATCents: 19_00, GrossCents: 119_00, Currency: "EUR"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestIDFollowsCustomerAndKey(t *testing.T) {
	a := idFor("u-1", "key-12345")
	for name, other := range map[string]string{
		"another customer": idFor("u-2", "key-12345"), "another key": idFor("u-1", "key-12346"), "moved border": idFor("u-1k", "ey-12345"),
	} {
		if a == other {
			t.Errorf("%s gives the same id", name)
		}
	}
	if a != idFor("u-1", "key-12345") {
		t.Error("the same customer and key give another id")
	}
}

func TestTransitions(t *testing.T) {
	with := func(s State, partner string) Order {
		o := placed(t)
		o.State, o.PartnerID = s, partner
		return o
	}
	for _, tc := range []struct {
		name    string
		order   Order
		to      State
		done    bool
		refused bool
	}{
		{"placed is matched", with(Placed, ""), Matched, false, false},
		{"the same partner again", with(Matched, "p-1"), "", true, false},
		{"another partner", with(Matched, "p-2"), "", false, true},
		{"a late partner for an unmatched order", with(Unmatched, ""), Matched, false, false},
	} {
		t.Run("match: "+tc.name, func(t *testing.T) {
			tr, done, err := tc.order.match("p-1", event.Meta{Source: "order", At: at})
			if done != tc.done || (err != nil) != tc.refused || tr.to != tc.to {
				t.Fatalf("match = %+v, %v, %v", tr, done, err)
			}
			if tr.to == Matched && (tr.partnerID != "p-1" || len(tr.events) != 1 || tr.events[0].VisitID != "v-1") {
				t.Errorf("transition: %+v", tr)
			}
		})
	}
	for s, done := range map[State]bool{Placed: false, Matched: true, Unmatched: true} {
		if tr, got := with(s, "").unmatch(at); got != done || len(tr.events) != 0 {
			t.Errorf("unmatch of %s: done %v, events %d", s, got, len(tr.events))
		}
	}
}
