package order

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
)

var (
	day    = 24 * time.Hour
	berlin = time.FixedZone("CET", 3600)
	anna   = authz.Caller{UserID: "u-1", Role: authz.Customer}
	office = authz.Caller{UserID: "u-9", Role: authz.BackOffice}
	pay    = event.Pay{NetCents: 80_00, PerTonneOverCents: 90_00}
	bill   = event.Invoiced{Number: "R-2026-000001", Total: money.FromNet(100_00), DueOn: "2026-12-20"}
)

// after is the meta of something that the platform learns some time after placing.
func after(d time.Duration) event.Meta {
	return event.Meta{Source: "order", Customer: "kreislauf", Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", At: at.Add(d)}
}

// try is one step as a test takes it.
type try struct {
	step step
	do   func(o *Order, m event.Meta) error
}

// tries has each step of the machine once.
func tries() []try {
	return []try{
		{stepMatch, func(o *Order, m event.Meta) error {
			return o.match(event.Accepted{PartnerID: "p-1", Pay: pay}, m.At, m)
		}},
		{stepUnmatch, func(o *Order, m event.Meta) error { return o.unmatch(m.At, m) }},
		{stepCancel, func(o *Order, m event.Meta) error { return o.cancel(anna, "wrong size", m) }},
		{stepPlan, func(o *Order, m event.Meta) error {
			return o.plan(Planned{Plan: Plan{Day: m.At.Format(time.DateOnly), Window: "morning"}, DriverID: "d-1", By: "u-2"}, m.At, m)
		}},
		{stepFailedTrip, func(o *Order, m event.Meta) error {
			return o.failTrip(FailedTrip{Reason: "blocked", Key: "key-1"}, nil, m)
		}},
		{stepOnSite, func(o *Order, m event.Meta) error { return o.putOnSite("K 17", nil, m) }},
		{stepSwapped, func(o *Order, m event.Meta) error {
			return o.putSwapped("K 17", nil, Order{Root: aggregate.New("o-old"), State: OnSite, Container: "K 16"}, m)
		}},
		{stepPickUp, func(o *Order, m event.Meta) error { return o.askPickUp("2026-12-04", m.At, m) }},
		{stepCollected, func(o *Order, m event.Meta) error { return o.collect(nil, m) }},
		{stepWeighed, func(o *Order, m event.Meta) error {
			return o.weigh(Weighing{GrossKg: 3200, TareKg: 1200, Slip: "W-1"}, false, nil, berlin, m)
		}},
		{stepCorrect, func(o *Order, m event.Meta) error {
			right := "K 71"
			return o.correct(office, Corrections{Container: &right, Reason: "misread on site"}, berlin, m)
		}},
		{stepInvoice, func(o *Order, m event.Meta) error { return o.invoice(bill, m.At, m) }},
		{stepPay, func(o *Order, m event.Meta) error {
			return o.pay(event.Paid{Number: bill.Number, Total: bill.Total}, m.At, m)
		}},
	}
}

func (tr try) must(t *testing.T, o *Order, m event.Meta) {
	t.Helper()
	if err := tr.do(o, m); err != nil {
		t.Fatalf("%s of an order that is %s: %v", tr.step, o.State, err)
	}
}

// in leads a new order to a state by the steps that go there, a day apart. Its outbox is empty.
func in(t *testing.T, s State) Order {
	t.Helper()
	ways := map[State][]step{
		Placed: nil, Unmatched: {stepUnmatch}, Cancelled: {stepCancel}, Matched: {stepMatch}, OnSite: {stepMatch, stepOnSite},
		Collected: {stepMatch, stepOnSite, stepCollected}, Weighed: {stepMatch, stepOnSite, stepCollected, stepWeighed},
		Invoiced: {stepMatch, stepOnSite, stepCollected, stepWeighed, stepInvoice},
		Paid:     {stepMatch, stepOnSite, stepCollected, stepWeighed, stepInvoice, stepPay},
	}
	o := placed(t)
	for i, s := range ways[s] {
		tr := tries()[slices.IndexFunc(tries(), func(tr try) bool { return tr.step == s })]
		tr.must(t, &o, after(time.Duration(i+1)*day))
	}
	if o.State != s {
		t.Fatalf("the way to %s leads to %s", s, o.State)
	}
	o.Outbox = nil
	return o
}

func states() []State {
	return []State{Placed, Matched, Unmatched, OnSite, Collected, Weighed, Invoiced, Paid, Cancelled}
}

// TestEveryStepInEveryState is the state machine, written a second time: what each step does in each state. "same" changes nothing, because
// it has been done, or comes too late to matter; "no" is a conflict.
func TestEveryStepInEveryState(t *testing.T) {
	want := map[step]string{
		//              placed    matched   unmatched on_site   collected weighed   invoiced  paid      cancelled
		stepMatch:      "matched   same      matched   same      same      same      same      same      same",
		stepUnmatch:    "unmatched same      same      same      same      same      same      same      same",
		stepCancel:     "cancelled cancelled cancelled no        no        no        no        no        same",
		stepPlan:       "no        stays     no        stays     stays     no        no        no        no",
		stepFailedTrip: "no        stays     no        stays     no        no        no        no        no",
		stepOnSite:     "no        on_site   no        same      same      same      same      same      no",
		stepSwapped:    "no        on_site   no        no        no        no        no        no        no",
		stepPickUp:     "no        no        no        stays     no        no        no        no        no",
		stepCollected:  "no        no        no        collected same      same      same      same      no",
		stepWeighed:    "no        no        no        no        weighed   same      same      same      no",
		stepCorrect:    "no        no        no        stays     stays     stays     stays     stays     no",
		stepInvoice:    "no        no        no        no        no        invoiced  same      same      no",
		stepPay:        "no        no        no        no        no        paid      paid      same      no",
	}
	emits := map[step]string{
		stepMatch: "order.matched", stepCancel: "order.cancelled", stepOnSite: "order.on-site", stepCollected: "order.collected",
		stepWeighed: "order.weighed", stepPlan: "order.scheduled", stepSwapped: "order.on-site", stepCorrect: "order.corrected",
	}
	for _, tr := range tries() {
		results := strings.Fields(want[tr.step])
		if len(results) != len(states()) {
			t.Fatalf("%s has %d results", tr.step, len(results))
		}
		for i, s := range states() {
			t.Run(string(tr.step)+" "+string(s), func(t *testing.T) {
				before := in(t, s)
				o := in(t, s)
				if tr.step == stepSwapped {
					before.Swap = &Swap{Of: "o-old", Claim: "o-old", Container: "K 16", PartnerID: "p-1"}
					o.Swap = before.Swap
				}
				err := tr.do(&o, after(8*day))
				switch results[i] {
				case "no":
					if problem.KindOf(err) != problem.Conflict || !strings.Contains(err.Error(), string(s)) {
						t.Errorf("error %v, want a conflict that names the state", err)
					}
					unchanged(t, before, o)
					return
				case "same":
					if err != nil {
						t.Error(err)
					}
					unchanged(t, before, o)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if results[i] == "stays" {
					if o.State != s || cmp.Equal(before, o) {
						t.Errorf("order: %+v", o)
					}
					told(t, o, emits[tr.step])
					return
				}
				last := o.History[len(o.History)-1]
				if string(o.State) != results[i] || last.State != o.State || !last.At.Equal(at.Add(8*day)) || !last.RecordedAt.Equal(at.Add(8*day)) {
					t.Errorf("the order is %s, want %s; history %v", o.State, results[i], o.History)
				}
				told(t, o, emits[tr.step])
			})
		}
	}
}

// told demands the types of an order's events, which are its own and of its visit.
func told(t *testing.T, o Order, want string) {
	t.Helper()
	var types []string
	for _, e := range o.Outbox {
		types = append(types, e.Type)
		if e.Subject != o.ID || e.VisitID != "v-1" {
			t.Errorf("event: %+v", e)
		}
	}
	if got := strings.Join(types, " "); got != want {
		t.Errorf("events %q, want %q", got, want)
	}
}

func unchanged(t *testing.T, before, now Order) {
	t.Helper()
	if d := cmp.Diff(before, now); d != "" {
		t.Errorf("the order was changed:\n%s", d)
	}
}

func TestRefusalSaysWhatIsPossible(t *testing.T) {
	for s, want := range map[State]string{
		Matched: "possible are cancel, plan, failed-trip, on-site, swapped.", OnSite: "possible are plan, failed-trip, pick-up, collected, correct.",
		Paid: "possible are correct.", Cancelled: "no other is.",
	} {
		o := in(t, s)
		if err := o.take(stepWeighed, at, after(8*day)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("weighed of an order that is %s: %v, want %q", s, err, want)
		}
	}
}
