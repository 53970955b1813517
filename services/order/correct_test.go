package order

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
)

var dispatcher = authz.Caller{UserID: "u-2", Role: authz.Dispatcher, PartnerID: "p-1"}

func given[T any](v T) *T { return &v }

func correcting(by authz.Caller, c Corrections) func(*Order) error {
	if c.Reason == "" {
		c.Reason = "misread on site"
	}
	return func(o *Order) error { return o.correct(by, c, berlin, after(9*day)) }
}

// TestCorrect: the order holds the right values, its history the wrong ones, and the bill follows.
func TestCorrect(t *testing.T) {
	o := in(t, Invoiced)
	c := Corrections{Container: given(" K 71 "), CollectedAt: said(4 * day), GrossKg: given(4200), Slip: given("W-2")}
	for range 2 { // the second time all is right already
		if err := correcting(office, c)(&o); err != nil {
			t.Fatal(err)
		}
	}
	at := func(d time.Duration) string { return at.Add(d).Format(time.RFC3339) }
	want := Step{State: Invoiced, At: after(9 * day).At, RecordedAt: after(9 * day).At, Corrected: &Correction{
		By: authz.BackOffice, UserID: "u-9", Reason: "misread on site", Changes: []Change{
			{"container", "K 17", "K 71"}, {"collected_at", at(3 * day), at(4 * day)}, {"gross_kg", "3200", "4200"}, {"slip", "W-1", "W-2"},
		},
	}}
	if d := cmp.Diff(want, o.History[len(o.History)-1]); d != "" {
		t.Error(d)
	}
	if len(o.Outbox) != 1 || len(o.Audit) != 1 || o.Container != "K 71" || o.Weighing.NetKg() != 3000 {
		t.Errorf("order: %+v", o)
	}
	bill, _ := o.Bill(berlin)
	told := event.Corrected{OrderID: o.ID, UserID: "u-1", PartnerID: "p-1", By: "back_office", Reason: "misread on site", Container: "K 71", Bill: &bill}
	if d := cmp.Diff(told, decoded[event.Corrected](t, o)); d != "" || bill.NetKg != 3000 || bill.FetchedOn != "2026-11-26" {
		t.Errorf("told: %s", d)
	}

	// The correction brings one new invoice, and no second.
	second := event.Invoiced{Number: "R-2026-000002", Replaces: "R-2026-000001", Total: money.FromNet(120_00), DueOn: "2027-01-03"}
	for range 2 {
		if err := o.invoice(second, after(9*day).At, after(9*day)); err != nil || o.State != Invoiced || o.Invoice.Number != second.Number {
			t.Fatalf("%v: %+v", err, o)
		}
	}
	refused(t, o, problem.Conflict, second.Number, func(o *Order) error {
		return o.invoice(event.Invoiced{Number: "R-2026-000003"}, after(9*day).At, after(9*day))
	})
}

// TestCorrectBeforeTheBill: the container's number bills nothing, and what was not weighed has no bill.
func TestCorrectBeforeTheBill(t *testing.T) {
	for _, tc := range []struct {
		state State
		c     Corrections
		bills bool
	}{
		{OnSite, Corrections{OnSiteAt: said(day)}, false}, {Weighed, Corrections{Container: given("K 71")}, false}, {Weighed, Corrections{TareKg: given(1300)}, true},
	} {
		o := in(t, tc.state)
		if err := correcting(dispatcher, tc.c)(&o); err != nil {
			t.Fatal(err)
		}
		if e := decoded[event.Corrected](t, o); (e.Bill != nil) != tc.bills || len(o.Audit) != 0 {
			t.Errorf("%s %+v: told %+v", tc.state, tc.c, e)
		}
	}
}

func TestCorrectionsThatCannotBe(t *testing.T) {
	for _, tc := range []struct {
		name  string
		state State
		by    authz.Caller
		c     Corrections
		kind  problem.Kind
		says  string
	}{
		{"after the bill", Invoiced, dispatcher, Corrections{Slip: given("W-2")}, problem.Conflict, "only the back office"},
		{"without a reason", Weighed, office, Corrections{Slip: given("W-2"), Reason: "no"}, problem.Invalid, "/reason"},
		{"not plausible", Weighed, dispatcher, Corrections{GrossKg: given(9200)}, problem.Invalid, "/confirmed"},
		{"less than nothing", Weighed, dispatcher, Corrections{GrossKg: given(1100)}, problem.Invalid, "/tare_kg"},
		{"not weighed", OnSite, dispatcher, Corrections{GrossKg: given(4200), Slip: given("W-2")}, problem.Invalid, "/slip"},
		{"not fetched", OnSite, dispatcher, Corrections{CollectedAt: said(4 * day)}, problem.Invalid, "/collected_at"},
		{"no number", OnSite, dispatcher, Corrections{Container: given("K")}, problem.Invalid, "/container"},
		{"placed after it was fetched", Weighed, dispatcher, Corrections{OnSiteAt: said(3*day + time.Hour)}, problem.Invalid, "/collected_at"},
		{"placed before it was ordered", Weighed, dispatcher, Corrections{OnSiteAt: said(-time.Hour)}, problem.Invalid, "/on_site_at"},
		{"in the future", Weighed, dispatcher, Corrections{WeighedAt: said(10 * day)}, problem.Invalid, "/weighed_at"},
	} {
		t.Run(tc.name, func(t *testing.T) { refused(t, in(t, tc.state), tc.kind, tc.says, correcting(tc.by, tc.c)) })
	}
	o := in(t, Weighed)
	if err := correcting(dispatcher, Corrections{GrossKg: given(9200), Confirmed: true})(&o); err != nil || !o.Weighing.Implausible {
		t.Errorf("confirmed: %+v, %v", o.Weighing, err)
	}
	for i := range maxCorrections - 1 {
		if err := correcting(dispatcher, Corrections{Slip: given(strings.Repeat("W", i%2+1))})(&o); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, o, problem.Conflict, "already", correcting(dispatcher, Corrections{Slip: given("W-9")}))
}
