package order

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
)

func said(d time.Duration) *time.Time {
	when := at.Add(d)
	return &when
}

// refused demands a problem of a kind that says something, and an order that is as it was.
func refused(t *testing.T, before Order, kind problem.Kind, says string, do func(*Order) error) {
	t.Helper()
	o := before
	err := do(&o)
	if err == nil || problem.KindOf(err) != kind || !strings.Contains(err.Error(), says) {
		t.Errorf("error %v, want one of status %d that says %q", err, kind.Status(), says)
	}
	if len(o.Outbox) != len(before.Outbox) {
		t.Errorf("a refused step told of itself: %v", o.Outbox)
	}
}

// decoded reads the last event of an order.
func decoded[T event.Payload](t *testing.T, o Order) T {
	t.Helper()
	if len(o.Outbox) == 0 {
		t.Fatal("nothing was told")
	}
	p, err := event.Decode[T](o.Outbox[len(o.Outbox)-1])
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestStepsTakeTheTimeOfTheDriver(t *testing.T) {
	now := after(3 * day)
	for _, tc := range []struct {
		name string
		said *time.Time
		want time.Time // zero: refused
		says string
	}{
		{"now", nil, at.Add(3 * day), ""},
		{"uploaded late", said(2 * day), at.Add(2 * day), ""},
		{"a clock that is ahead", said(3*day + 5*time.Minute), at.Add(3*day + 5*time.Minute), ""},
		{"finer than is kept", said(2*day + time.Microsecond), at.Add(2 * day), ""},
		{"the future", said(3*day + 5*time.Minute + time.Second), time.Time{}, "is in the future"},
		{"before the order", said(-5*time.Minute - time.Second), time.Time{}, "is too early"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := in(t, Matched)
			do := func(o *Order) error { return o.putOnSite(" K 17 ", tc.said, now) }
			if tc.want.IsZero() {
				refused(t, o, problem.Invalid, tc.says, do)
				return
			}
			if err := do(&o); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(Step{State: OnSite, At: tc.want, RecordedAt: now.At}, o.History[2]); d != "" {
				t.Error(d)
			}
			want := event.OnSite{OrderID: o.ID, UserID: "u-1", PartnerID: "p-1", Container: "K 17", At: tc.want}
			if d := cmp.Diff(want, decoded[event.OnSite](t, o)); d != "" {
				t.Error(d)
			}
			again := o
			if err := again.putOnSite("K 17", tc.said, after(4*day)); err != nil {
				t.Errorf("the same again: %v", err)
			}
			unchanged(t, o, again)
		})
	}
}

// TestOnce: a device's step counts once, also when the record was corrected or another clock has set its time since.
func TestOnce(t *testing.T) {
	o := in(t, Matched)
	behind := said(-time.Minute) // of a phone whose clock is behind
	send := func(key, container string) error {
		return o.once(key, container, func() error { return o.putOnSite(container, behind, after(day)) })
	}
	for range 2 {
		if err := send("key-1", "K 17"); err != nil {
			t.Fatal(err)
		}
	}
	if done, _ := o.reached(OnSite); !done.At.Equal(o.PlacedAt) {
		t.Errorf("on site at %s", done.At)
	}
	o.Container = "K 71" // as the back office has corrected it
	if err := send("key-1", "K 17"); err != nil || o.Container != "K 71" {
		t.Errorf("the same again: %v, container %s", err, o.Container)
	}
	for _, key := range []string{"key-1", "key-2"} {
		if err := send(key, "K 18"); problem.KindOf(err) != problem.Conflict {
			t.Errorf("another container under %s: %v", key, err)
		}
	}
}

// TestStepsKeepTheirOrder: a container is not fetched before it was placed, also when a driver's clock was ahead.
func TestStepsKeepTheirOrder(t *testing.T) {
	o := in(t, Matched)
	ahead := 2*day + 4*time.Minute
	if err := o.putOnSite("K 17", said(ahead), after(2*day)); err != nil {
		t.Fatal(err)
	}
	refused(t, o, problem.Invalid, "is too early", func(o *Order) error { return o.collect(said(day), after(2*day)) })
	if err := o.collect(nil, after(2*day)); err != nil {
		t.Fatal(err)
	}
	if done, _ := o.reached(Collected); !done.At.Equal(at.Add(ahead)) || !done.RecordedAt.Equal(at.Add(2*day)) {
		t.Errorf("collected: %+v", done)
	}
}

func TestOtherContentIsAConflict(t *testing.T) {
	o := in(t, Weighed)
	for name, tc := range map[string]struct {
		says string
		do   func(*Order) error
	}{
		"another container":      {"container K 17 on site at", func(o *Order) error { return o.putOnSite("K 18", nil, after(8*day)) }},
		"another time":           {"on site at 2026-11-24T10:00:00Z", func(o *Order) error { return o.putOnSite("K 17", said(day), after(8*day)) }},
		"another time to fetch":  {"collected at", func(o *Order) error { return o.collect(said(day), after(8*day)) }},
		"another weight":         {"gross 3200 kg, tare 1200 kg, slip W-1", weighing(Weighing{GrossKg: 3100, TareKg: 1200, Slip: "W-1"}, true)},
		"another weighing slip":  {"slip W-1", weighing(Weighing{GrossKg: 3200, TareKg: 1200, Slip: "W-2"}, true)},
		"another partner":        {"it is with p-1", func(o *Order) error { return o.match(event.Accepted{PartnerID: "p-2"}, at, after(8*day)) }},
		"a cancellation by then": {"order", func(o *Order) error { return o.cancel(anna, "wrong size", after(8*day)) }},
	} {
		t.Run(name, func(t *testing.T) { refused(t, o, problem.Conflict, tc.says, tc.do) })
	}
	billed := in(t, Invoiced)
	second := bill
	second.Number = "R-2026-000002"
	refused(t, billed, problem.Conflict, bill.Number, func(o *Order) error { return o.invoice(second, at, after(8*day)) })
	refused(t, billed, problem.Conflict, bill.Number, func(o *Order) error { return o.pay(event.Paid{Number: second.Number}, at, after(8*day)) })
}

func weighing(w Weighing, confirmed bool) func(*Order) error {
	return func(o *Order) error { return o.weigh(w, confirmed, nil, berlin, after(8*day)) }
}

func TestWeighedHoldsTheBill(t *testing.T) {
	o := in(t, Matched)
	for i, reason := range []string{"blocked", "no-access"} {
		f := FailedTrip{Reason: reason, Key: fmt.Sprint("key-", i)}
		if err := o.failTrip(f, nil, after(day)); err != nil {
			t.Fatal(err)
		}
	}
	// 23:30 and 00:30 in Berlin: the days there count, not those of UTC.
	place, fetch := time.Date(2026, 11, 25, 22, 30, 0, 0, time.UTC), time.Date(2026, 12, 9, 23, 30, 0, 0, time.UTC)
	if err := o.putOnSite("K 17", &place, after(18*day)); err != nil {
		t.Fatal(err)
	}
	if err := o.collect(&fetch, after(18*day)); err != nil {
		t.Fatal(err)
	}
	if err := o.weigh(Weighing{GrossKg: 3200, TareKg: 1200, Slip: " W-1 "}, false, nil, berlin, after(18*day)); err != nil {
		t.Fatal(err)
	}
	want := event.Weighed{
		OrderID: o.ID, UserID: "u-1", CompanyID: "c-1", PartnerID: "p-1", Postcode: "50667", Waste: "170904", SizeM3: 7,
		Address: event.Address{Name: "A B", Street: "C 1", City: "D"}, GrossKg: 3200, TareKg: 1200, NetKg: 2000, Slip: "W-1",
		PlacedOn: "2026-11-25", FetchedOn: "2026-12-10", FailedTrips: 2, Price: money.FromNet(100_00), IncludedDays: 10, ExtraDayNetCents: 300,
		IncludedKg: 1700, ExtraTonneNetCents: 208_00, Pay: pay,
	}
	if d := cmp.Diff(want, decoded[event.Weighed](t, o)); d != "" {
		t.Error(d)
	}
}

// TestEarlierOrderHasNoSurcharge: an order of a quote that said nothing of weight is billed its price, and the partner its pay.
func TestEarlierOrderHasNoSurcharge(t *testing.T) {
	o := in(t, Collected)
	o.IncludedKg, o.ExtraDayNet, o.ExtraTonneNet = 0, 0, 0
	if err := weighing(Weighing{GrossKg: 3200, TareKg: 1200, Slip: "W-1"}, false)(&o); err != nil {
		t.Fatal(err)
	}
	if w := decoded[event.Weighed](t, o); w.IncludedKg != 7000 || w.ExtraTonneNetCents != 0 || w.ExtraDayNetCents != 0 {
		t.Errorf("weighed: %+v", w)
	}
}

// TestPlausibleWeight: 7 m³ of mixed construction waste weigh 87 to 3,500 kg.
func TestPlausibleWeight(t *testing.T) {
	for _, tc := range []struct {
		name      string
		gross     int
		confirmed bool
		says      string // empty: taken
		marked    bool
	}{
		{"least", 1287, false, "", false},
		{"most", 4700, false, "", false},
		{"too light", 1286, false, "weigh 87 to 3500 kg", false},
		{"too heavy", 4701, false, "weigh 87 to 3500 kg", false},
		{"confirmed", 4701, true, "", true},
		{"confirmed for nothing", 3200, true, "", false},
		{"nothing", 1200, true, "less than gross_kg", false},
		{"less than nothing", 1100, true, "less than gross_kg", false},
		{"more than any truck", 44_001, true, "1 to 44000 kg", false},
		{"nothing at all", 0, true, "1 to 44000 kg", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := in(t, Collected)
			do := weighing(Weighing{GrossKg: tc.gross, TareKg: 1200, Slip: "W-1"}, tc.confirmed)
			if tc.says != "" {
				refused(t, o, problem.Invalid, tc.says, do)
				return
			}
			if err := do(&o); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(&Weighing{GrossKg: tc.gross, TareKg: 1200, Slip: "W-1", Implausible: tc.marked}, o.Weighing); d != "" {
				t.Error(d)
			}
			again := o
			if err := weighing(Weighing{GrossKg: tc.gross, TareKg: 1200, Slip: "W-1"}, false)(&again); err != nil {
				t.Errorf("the same again: %v", err)
			}
			unchanged(t, o, again)
		})
	}
}

func TestFailedTrips(t *testing.T) {
	o := in(t, Matched)
	trip := FailedTrip{Reason: "other", Note: "a lorry in front of the gate", Key: "key-1"}
	do := func(f FailedTrip) func(*Order) error {
		return func(o *Order) error { return o.failTrip(f, nil, after(2*day)) }
	}
	for range 2 { // with one key: one trip
		if err := do(trip)(&o); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]Step{{State: Matched, At: at.Add(2 * day), RecordedAt: at.Add(2 * day), FailedTrip: &trip}}, o.History[2:]); d != "" {
		t.Error(d)
	}
	reused, unknown, silent, long := trip, trip, trip, trip
	reused.Reason, unknown.Reason, silent.Note, long.Note = "blocked", "rain", "", strings.Repeat("x", 501)
	unknown.Key, silent.Key, long.Key = "key-2", "key-2", "key-2"
	refused(t, o, problem.Invalid, "Idempotency-Key", do(reused))
	refused(t, o, problem.Invalid, "/reason", do(unknown))
	refused(t, o, problem.Invalid, "/note", do(silent))
	refused(t, o, problem.Invalid, "/note", do(long))
	for i := 1; i < maxTrips; i++ {
		if err := do(FailedTrip{Reason: "blocked", Key: fmt.Sprint("again-", i)})(&o); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, o, problem.Conflict, "back office", do(FailedTrip{Reason: "blocked", Key: "one-more"}))
}
