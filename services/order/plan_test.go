package order

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/event"
	"kreislauf/internal/problem"
)

// TestPlan: the customer hears of another day or window, and not of who drives what.
func TestPlan(t *testing.T) {
	o := in(t, Matched)
	today := after(2 * day).At
	plan := func(p Plan, driver string) func(*Order) error {
		return func(o *Order) error {
			return o.plan(Planned{Plan: p, DriverID: driver, By: "u-2"}, today, after(2*day))
		}
	}
	first, second := today.Format(time.DateOnly), today.Add(day).Format(time.DateOnly)
	for _, tc := range []struct {
		plan   Plan
		driver string
		steps  int // entries of the history by then
		told   []event.Scheduled
	}{
		{Plan{Day: first, Vehicle: " K-AB 17 "}, "d-1", 1, []event.Scheduled{{Day: first}}},
		{Plan{Day: first, Vehicle: "K-AB 17", Position: 3}, "d-1", 1, nil}, // the order of the day changes all the time
		{Plan{Day: first, Vehicle: "K-AB 18"}, "d-2", 2, nil},
		{Plan{Day: first, Window: "afternoon"}, "", 3, []event.Scheduled{{Day: first, Window: "afternoon", WasDay: first}}},
		{Plan{Day: second}, "d-2", 4, []event.Scheduled{{Day: second, WasDay: first, WasWindow: "afternoon"}}},
	} {
		o.Outbox = nil
		if err := plan(tc.plan, tc.driver)(&o); err != nil {
			t.Fatal(err)
		}
		if o.DriverID != tc.driver || len(o.History) != 2+tc.steps || o.State != Matched {
			t.Errorf("after %+v: %+v", tc.plan, o)
		}
		if len(o.Outbox) != len(tc.told) {
			t.Fatalf("after %+v the customer hears %v", tc.plan, o.Outbox)
		}
		for _, want := range tc.told {
			want.OrderID, want.UserID, want.PartnerID, want.Trip = o.ID, o.UserID, "p-1", "place"
			if d := cmp.Diff(want, decoded[event.Scheduled](t, o)); d != "" {
				t.Error(d)
			}
		}
	}
	want := []Plan{{Trip: TripPlace, Day: first}, {Trip: TripPlace, Day: first, Window: "afternoon"}, {Trip: TripPlace, Day: second}}
	var seen []Plan
	for _, s := range o.toldHistory()[2:] {
		if s.Planned.DriverID+s.Planned.By != "" {
			t.Errorf("the customer sees %+v", s.Planned)
		}
		seen = append(seen, s.Planned.Plan)
	}
	if d := cmp.Diff(want, seen); d != "" {
		t.Error(d)
	}
	if s := o.History[2].Planned; s.By != "u-2" || s.DriverID != "d-1" || s.Vehicle != "K-AB 17" {
		t.Errorf("the partner sees %+v", s)
	}

	for pointer, bad := range map[string]Planned{
		"/day":       {Plan: Plan{Day: today.Add(-day).Format(time.DateOnly)}},
		"YYYY-MM-DD": {},
		"/window":    {Plan: Plan{Day: first, Window: "night"}},
		"/vehicle":   {Plan: Plan{Day: first, Vehicle: strings.Repeat("x", 21)}},
		"/position":  {Plan: Plan{Day: first, Position: 201}},
		"/driver_id": {Plan: Plan{Day: first}, DriverID: "d 1"},
	} {
		refused(t, o, problem.Invalid, pointer, plan(bad.Plan, bad.DriverID))
	}
	for i := range maxPlans - 4 {
		if err := plan(Plan{Day: []string{first, second}[i%2]}, "d-2")(&o); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, o, problem.Conflict, "back office", plan(Plan{Day: first, Window: "morning"}, "d-2"))
}

// TestThePlanOfATripEndsWithIt: the next trip is planned anew, and its first plan moves nothing.
func TestThePlanOfATripEndsWithIt(t *testing.T) {
	o := in(t, Matched)
	p := Planned{Plan: Plan{Day: "2026-11-24"}}
	for _, do := range []func() error{
		func() error { return o.plan(p, at, after(day)) },
		func() error { return o.putOnSite("K 17", nil, after(2*day)) },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	if o.Plan != nil {
		t.Errorf("the container stands, and the plan to place it is %+v", o.Plan)
	}
	p.Day = "2026-11-27"
	if err := o.plan(p, at, after(3*day)); err != nil {
		t.Fatal(err)
	}
	if e := decoded[event.Scheduled](t, o); e.Trip != "fetch" || e.WasDay != "" {
		t.Errorf("scheduled: %+v", e)
	}
}
