package customer

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/event"
)

func TestDaysOfAPlan(t *testing.T) {
	for name, tc := range map[string]struct {
		plan Plan
		from string
		want []string // the days that follow; the last plan ends
	}{
		"each Monday":                 {Plan{EveryWeeks: 1, Weekday: 1, From: "2026-12-01"}, "2026-12-01", []string{"2026-12-07", "2026-12-14"}},
		"the first day counts":        {Plan{EveryWeeks: 2, Weekday: 2, From: "2026-12-01"}, "2026-12-01", []string{"2026-12-01", "2026-12-15"}},
		"weeks count from the first":  {Plan{EveryWeeks: 3, Weekday: 2, From: "2026-12-01"}, "2026-12-02", []string{"2026-12-22", "2027-01-12"}},
		"over the change of the hour": {Plan{EveryWeeks: 1, Weekday: 6, From: "2027-03-20"}, "2027-03-21", []string{"2027-03-27", "2027-04-03"}},
		"last of the month":           {Plan{MonthDay: 31, From: "2027-01-15"}, "2027-01-15", []string{"2027-01-31", "2027-02-28", "2027-03-31"}},
		"a month that has begun":      {Plan{MonthDay: 5, From: "2026-12-06"}, "2026-12-06", []string{"2027-01-05"}},
		"until": {
			Plan{EveryWeeks: 1, Weekday: 1, From: "2026-12-01", Until: "2026-12-14"}, "2026-12-01", []string{"2026-12-07", "2026-12-14", ""},
		},
	} {
		from, err := time.Parse(time.DateOnly, tc.from)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for range tc.want {
			day, found := tc.plan.following(from)
			if !found {
				got = append(got, "")
				break
			}
			got, from = append(got, day.Format(time.DateOnly)), day.AddDate(0, 0, 1)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// standingAt makes a standing order in Köln at a time.
func standingAt(t *testing.T, p Plan, at time.Time) Standing {
	t.Helper()
	p.State = running
	s := Standing{Plan: p, UserID: "u-1", Postcode: "50667"}
	s.ID = "so-1"
	s.plan(at, berlin(t))
	return s
}

// TestTell: an occurrence is told of a week ahead, moved off holidays, and once.
func TestTell(t *testing.T) {
	zone := berlin(t)
	at := time.Date(2026, 12, 1, 12, 0, 0, 0, zone)
	s := standingAt(t, Plan{SiteID: "s-1", Waste: "170904", SizeM3: 7, EveryWeeks: 1, Weekday: 5, From: "2026-12-20"}, at)
	if want := time.Date(2026, 12, 18, 6, 0, 0, 0, zone); s.Next != "2026-12-25" || s.DueAt == nil || !s.DueAt.Equal(want) {
		t.Fatalf("next %s, due at %v", s.Next, s.DueAt)
	}
	if err := s.tell(event.Meta{Source: "customer", At: *s.DueAt}, zone); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Occurrence{{Day: "2026-12-25", Date: "2026-12-28", State: Due, At: time.Date(2026, 12, 18, 6, 0, 0, 0, zone)}}, s.Occurrences); diff != "" {
		t.Errorf("occurrences (-want +got):\n%s", diff)
	}
	if s.Next != "2027-01-01" || len(s.Outbox) != 1 || s.DueAt.After(time.Date(2026, 12, 25, 6, 0, 0, 0, zone)) {
		t.Errorf("next %s at %v, %d events", s.Next, s.DueAt, len(s.Outbox))
	}
}

// TestNobodyRan: a day that has passed gets the next one that can be had, but never one of the plan's following occurrence.
func TestNobodyRan(t *testing.T) {
	zone := berlin(t)
	for name, tc := range map[string]struct {
		weeks int
		now   time.Time
		want  Occurrence
		told  string
	}{
		"late":     {4, time.Date(2026, 12, 15, 12, 0, 0, 0, zone), Occurrence{Day: "2026-12-14", Date: "2026-12-17", State: Due}, "customer.order-due"},
		"too late": {1, time.Date(2026, 12, 23, 12, 0, 0, 0, zone), Occurrence{Day: "2026-12-14", Date: "2026-12-28", State: Refused}, "customer.standing-refused"},
	} {
		s := standingAt(t, Plan{SiteID: "s-1", EveryWeeks: tc.weeks, Weekday: 1, From: "2026-12-14"}, time.Date(2026, 12, 1, 12, 0, 0, 0, zone))
		if err := s.tell(event.Meta{Source: "customer", At: tc.now}, zone); err != nil {
			t.Fatal(err)
		}
		got := s.Occurrences[0]
		got.Reason, got.At = "", time.Time{}
		if diff := cmp.Diff(tc.want, got); diff != "" || len(s.Outbox) != 1 || s.Outbox[0].Type != tc.told {
			t.Errorf("%s: events %v; (-want +got):\n%s", name, s.Outbox, diff)
		}
		if s.Next <= "2026-12-15" {
			t.Errorf("%s: the next day is %s", name, s.Next)
		}
	}
}

func TestRestingAndEnding(t *testing.T) {
	zone := berlin(t)
	at := time.Date(2026, 12, 1, 12, 0, 0, 0, zone)
	s := standingAt(t, Plan{SiteID: "s-1", EveryWeeks: 1, Weekday: 1, From: "2026-12-01"}, at)
	meta := event.Meta{Source: "customer", At: at}
	s.move(event.SiteChanged{Street: "Kai 1", Postcode: "28195", City: "Bremen"}, meta, zone)
	if s.State != paused || s.DueAt != nil || s.Next != "" || s.Postcode != "28195" {
		t.Errorf("a site that is not active any more: %+v", s)
	}
	s.Occurrences = []Occurrence{{Day: "2026-12-07", State: Due}}
	s.settle("2026-12-07", Occurrence{State: Placed, OrderID: "o-1", Date: "2026-12-07"})
	s.settle("2026-12-07", Occurrence{State: Refused, Reason: "late news"})
	if o := s.Occurrences[0]; o.State != Placed || o.OrderID != "o-1" {
		t.Errorf("what was placed became %+v", o)
	}
}
