package order

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
)

func TestCancel(t *testing.T) {
	for _, tc := range []struct {
		name    string
		by      authz.Caller
		audited int
	}{{"customer", anna, 0}, {"back_office", office, 1}} {
		t.Run(tc.name, func(t *testing.T) {
			o := in(t, Matched)
			for range 2 {
				if err := o.cancel(tc.by, " the wrong size ", after(2*day)); err != nil {
					t.Fatal(err)
				}
			}
			want := event.Cancelled{OrderID: o.ID, UserID: "u-1", PartnerID: "p-1", By: tc.name, Reason: "the wrong size"}
			if d := cmp.Diff(want, decoded[event.Cancelled](t, o)); d != "" || len(o.Outbox) != 1 {
				t.Errorf("%d events; the last:\n%s", len(o.Outbox), d)
			}
			if len(o.Audit) != tc.audited {
				t.Fatalf("%d audit entries, want %d", len(o.Audit), tc.audited)
			}
			if tc.audited == 1 {
				e := o.Audit[0]
				if e.Subject != "order/"+o.ID || e.Reason != want.Reason || e.Actor.UserID != "u-9" || e.Actor.Behalf != "u-1" ||
					e.TraceID != "0af7651916cd43dd8448eb211c80319c" || !strings.Contains(strings.Join(e.Change.Fields, " "), "/state") {
					t.Errorf("audit entry: %+v", e)
				}
			}
			refused(t, o, problem.Conflict, "was cancelled already ("+tc.name+"): the wrong size", func(o *Order) error {
				return o.cancel(tc.by, "another reason", after(3*day))
			})
		})
	}
	for _, bad := range []string{"", "why", strings.Repeat("x", 501), "two\nlines"} {
		refused(t, in(t, Placed), problem.Invalid, "/reason", func(o *Order) error { return o.cancel(anna, bad, after(day)) })
	}
}

func TestAskPickUp(t *testing.T) {
	o := in(t, OnSite)
	today := time.Date(2026, 11, 25, 12, 0, 0, 0, berlin)
	ask := func(date string) func(*Order) error {
		return func(o *Order) error { return o.askPickUp(date, today, after(3*day)) }
	}
	for _, date := range []string{"2026-12-01", "2026-12-01", "2026-12-02"} {
		if err := ask(date)(&o); err != nil || o.PickUpOn != date {
			t.Errorf("pick-up on %q: %v", o.PickUpOn, err)
		}
	}
	for date, says := range map[string]string{"": "YYYY-MM-DD", "2026-11-26": "outside", "2026-12-06": "Sunday", "2026-12-25": "holiday"} {
		refused(t, o, problem.Invalid, says, ask(date))
	}
	// A day that was asked for stays, also when it is too near to be asked for.
	if err := o.askPickUp("2026-12-02", today.AddDate(0, 0, 6), after(9*day)); err != nil {
		t.Error(err)
	}
}

// TestPaymentBeforeItsInvoice: the two come in any order, and nobody waits.
func TestPaymentBeforeItsInvoice(t *testing.T) {
	o := in(t, Weighed)
	if err := o.pay(event.Paid{Number: bill.Number, Total: bill.Total}, at.Add(9*day), after(9*day)); err != nil {
		t.Fatal(err)
	}
	if err := o.invoice(bill, at.Add(8*day), after(10*day)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&Invoice{Number: bill.Number, Total: bill.Total, DueOn: bill.DueOn}, o.Invoice); d != "" || o.State != Paid {
		t.Errorf("the order is %s; invoice:\n%s", o.State, d)
	}
	if n := len(o.History); n != 7 {
		t.Errorf("history has %d steps, want 7: %v", n, o.History)
	}
}
