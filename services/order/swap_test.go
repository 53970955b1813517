package order

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
	"kreislauf/internal/quote"
)

// swapping is an order with a container on site, and a new one that swaps it.
func swapping(t *testing.T) (old, o Order) {
	t.Helper()
	old = in(t, OnSite)
	old.SiteID = "s-1"
	o, err := place(anna, "key-2", swapRequest(old), quote.Quote{ID: "q-2", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: "2026-11-27"}, "p-1", &old, after(3*day))
	if err != nil {
		t.Fatal(err)
	}
	return old, o
}

func swapRequest(old Order) Request { return Request{Address: old.Address, SwapOf: old.ID} }

func TestPlaceASwap(t *testing.T) {
	old, o := swapping(t)
	if d := cmp.Diff(&Swap{Of: old.ID, Claim: old.ID, Container: "K 17", PartnerID: "p-1"}, o.Swap); d != "" || o.SiteID != "s-1" {
		t.Errorf("site %q, swap %s", o.SiteID, d)
	}
	if e := decoded[event.Placed](t, o); e.SwapOf != old.ID {
		t.Errorf("told: %+v", e)
	}
	q := quote.Quote{Postcode: "50667"}
	for s, says := range map[State]string{
		Placed: "not on site yet", Unmatched: "not on site yet", Matched: "not on site yet", Collected: "fetched already", Paid: "fetched already", Cancelled: "was cancelled",
	} {
		old := in(t, s)
		if _, err := old.swapFor(swapRequest(old), q); problem.KindOf(err) != problem.Conflict {
			t.Errorf("%s: %v, want a conflict that says %q", s, err, says)
		} else {
			refused(t, old, problem.Conflict, says, func(o *Order) error { _, err := o.swapFor(swapRequest(old), q); return err })
		}
	}
	for pointer, change := range map[string]func(*Request, *quote.Quote){
		"/quote":   func(_ *Request, q *quote.Quote) { q.Postcode = "50668" },
		"/address": func(r *Request, _ *quote.Quote) { r.Address.Street = "C 2" },
	} {
		r, q := swapRequest(old), q
		change(&r, &q)
		refused(t, old, problem.Invalid, pointer, func(o *Order) error { _, err := o.swapFor(r, q); return err })
	}
}

// TestOneTrip: new container on site, old one collected, at the same moment; told once more, nothing changes.
func TestOneTrip(t *testing.T) {
	old, o := swapping(t)
	old.PickUpOn = "2026-11-30"
	old.toBeSwapped(SwappedBy{OrderID: o.ID, Date: o.Date, AskedAt: after(3 * day).At})
	if old.PickUpOn != "" {
		t.Errorf("it would be fetched on %s besides", old.PickUpOn)
	}
	refused(t, old, problem.Conflict, o.ID, func(old *Order) error { return old.askPickUp("2026-12-01", at, after(4*day)) })
	refused(t, old, problem.Conflict, o.ID, func(old *Order) error { return old.cancel(anna, "wrong size", after(4*day)) })

	if err := o.match(event.Accepted{PartnerID: "p-1", Pay: pay}, at, after(4*day)); err != nil || o.trip() != TripSwap {
		t.Fatal(o.trip(), err)
	}
	now := after(5 * day)
	refused(t, o, problem.Invalid, "the container that is fetched", func(o *Order) error { return o.putSwapped("K 17", nil, old, now) })
	refused(t, o, problem.Invalid, "too early", func(o *Order) error { return o.putSwapped("K 18", said(day), old, now) })
	for range 2 {
		if err := o.putSwapped(" K 18 ", nil, old, now); err != nil {
			t.Fatal(err)
		}
	}
	told := decoded[event.OnSite](t, o)
	if want := (event.OnSite{OrderID: o.ID, UserID: "u-1", PartnerID: "p-1", Container: "K 18", At: now.At, SwapOf: old.ID, Swapped: true}); !cmp.Equal(want, told) {
		t.Errorf("told: %s", cmp.Diff(want, told))
	}
	for range 2 {
		if err := old.swapped(o.ID, "", told.At, after(6*day)); err != nil {
			t.Fatal(err)
		}
	}
	there, _ := o.reached(OnSite)
	if gone, _ := old.reached(Collected); !gone.At.Equal(there.At) || old.State != Collected || len(old.Outbox) != 1 {
		t.Errorf("the new container is there since %s, the old one: %+v", there.At, old)
	}
	if e := decoded[event.Collected](t, old); e.SwappedBy != o.ID || e.NotSwappedBy != "" {
		t.Errorf("told: %+v", e)
	}
	refused(t, o, problem.Conflict, "container K 18", func(o *Order) error { return o.putSwapped("K 19", nil, old, after(6*day)) })
}

// TestTwoTrips: what really happened can be recorded, and the old container is not forgotten.
func TestTwoTrips(t *testing.T) {
	asked := func(t *testing.T) (old, o Order) {
		t.Helper()
		old, o = swapping(t)
		old.toBeSwapped(SwappedBy{OrderID: o.ID, Date: o.Date, AskedAt: after(3 * day).At})
		return old, o
	}
	t.Run("another partner takes it", func(t *testing.T) {
		old, o := asked(t)
		if err := o.match(event.Accepted{PartnerID: "p-2", Pay: pay}, at, after(4*day)); err != nil {
			t.Fatal(err)
		}
		if e := decoded[event.Matched](t, o); e.SwapOf != old.ID || e.Swaps || o.trip() != TripPlace {
			t.Errorf("told: %+v, trip %s", e, o.trip())
		}
		refused(t, o, problem.Conflict, "swaps no container", func(o *Order) error { return o.putSwapped("K 18", nil, old, after(5*day)) })
		old.notSwapped(o.ID, true)
		if old.PickUpOn != o.Date || old.SwappedBy != nil {
			t.Errorf("the old one: %+v", old)
		}
	})
	t.Run("it is put beside the old one", func(t *testing.T) {
		old, o := asked(t)
		if err := o.match(event.Accepted{PartnerID: "p-1", Pay: pay}, at, after(4*day)); err != nil {
			t.Fatal(err)
		}
		if err := o.putOnSite("K 18", nil, after(5*day)); err != nil {
			t.Fatal(err)
		}
		if e := decoded[event.OnSite](t, o); e.SwapOf != old.ID || e.Swapped || o.swaps() {
			t.Errorf("told: %+v", e)
		}
		refused(t, o, problem.Conflict, "container K 18", func(o *Order) error { return o.putSwapped("K 18", nil, old, after(5*day)) })
	})
	t.Run("the old one is fetched before", func(t *testing.T) {
		old, o := asked(t)
		if err := o.match(event.Accepted{PartnerID: "p-1", Pay: pay}, at, after(4*day)); err != nil {
			t.Fatal(err)
		}
		if err := old.collect(nil, after(4*day)); err != nil {
			t.Fatal(err)
		}
		if e := decoded[event.Collected](t, old); e.NotSwappedBy != o.ID || e.SwappedBy != "" {
			t.Errorf("told: %+v", e)
		}
		refused(t, o, problem.Conflict, old.ID+" is collected", func(o *Order) error { return o.putSwapped("K 18", nil, old, after(5*day)) })
		if err := old.swapped(o.ID, "", after(5*day).At, after(5*day)); err != nil {
			t.Error(err)
		}
	})
	t.Run("it is cancelled", func(t *testing.T) {
		old, o := asked(t)
		if err := o.cancel(authz.Caller{UserID: "u-1", Role: authz.Customer}, "no longer needed", after(4*day)); err != nil {
			t.Fatal(err)
		}
		if e := decoded[event.Cancelled](t, o); e.SwapOf != old.ID || o.swaps() {
			t.Errorf("told: %+v", e)
		}
		old.notSwapped(o.ID, false)
		if old.SwappedBy != nil || old.PickUpOn != "" {
			t.Errorf("the old one: %+v", old)
		}
	})
}

// TestSwapsInAnyOrder: orders tell of themselves through different partitions, so the end of a first swap may come after the second was asked.
func TestSwapsInAnyOrder(t *testing.T) {
	first := SwappedBy{OrderID: "o-1", Date: "2026-11-27", AskedAt: at.Add(3 * day)}
	second := SwappedBy{OrderID: "o-2", Date: "2026-11-28", AskedAt: at.Add(3*day + time.Minute)}
	for name, steps := range map[string][]func(*Order){
		"in order":       {func(o *Order) { o.toBeSwapped(first) }, func(o *Order) { o.notSwapped("o-1", false) }, func(o *Order) { o.toBeSwapped(second) }},
		"the end late":   {func(o *Order) { o.toBeSwapped(first) }, func(o *Order) { o.toBeSwapped(second) }, func(o *Order) { o.notSwapped("o-1", false) }},
		"the first late": {func(o *Order) { o.toBeSwapped(second) }, func(o *Order) { o.toBeSwapped(first) }, func(o *Order) { o.notSwapped("o-1", false) }},
	} {
		o := in(t, OnSite)
		for _, do := range steps {
			do(&o)
		}
		if d := cmp.Diff(&second, o.SwappedBy); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
