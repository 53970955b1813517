package order

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/quote"
)

var at = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func placed(t *testing.T) Order {
	t.Helper()
	q := quote.Quote{
		ID: "q-1", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: "2026-11-25", Price: money.FromNet(100_00),
		IncludedDays: 10, IncludedKg: 1700, ExtraDayNetCents: 300, ExtraTonneNetCents: 208_00,
	}
	o, err := place(authz.Caller{UserID: "u-1", Role: authz.Customer, CompanyID: "c-1"}, "key-12345", Request{Address: event.Address{Name: "A B", Street: "C 1", City: "D"}, VisitID: "v-1"}, q, "p-1", nil,
		event.Meta{Source: "order", Customer: "kreislauf", Traceparent: "tp", At: at})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestPlaceEmitsTheOrder(t *testing.T) {
	o := placed(t)
	if o.State != Placed || o.Version != 1 || len(o.Outbox) != 1 {
		t.Fatalf("placed order: %+v", o)
	}
	e := o.Outbox[0]
	if e.Type != (event.Placed{}).Type() || e.Subject != o.ID || e.VisitID != "v-1" || e.Traceparent != "tp" || e.Source != "order" {
		t.Errorf("envelope: %+v", e)
	}
	got, err := event.Decode[event.Placed](e)
	if err != nil {
		t.Fatal(err)
	}
	want := event.Placed{
		OrderID: o.ID, UserID: "u-1", CompanyID: "c-1", QuoteID: "q-1", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: "2026-11-25",
		Price:   money.Price{NetCents: 100_00, VATCents: 19_00, GrossCents: 119_00, Currency: "EUR"},
		Address: event.Address{Name: "A B", Street: "C 1", City: "D"}, SlotPartnerID: "p-1",
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
