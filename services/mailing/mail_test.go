package mailing

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// TestWhoIsWrittenTo goes through all that is consumed: what gets a mail names the order and, but for a match, the customer.
func TestWhoIsWrittenTo(t *testing.T) {
	var got []string
	for _, topic := range event.Topics() {
		if !slices.Contains(topic.Consumers, "mailing") {
			continue
		}
		for _, p := range topic.Payloads {
			m, ok := newMail(event.Event{ID: "e-1"}, p, noon)
			if !ok {
				continue
			}
			got = append(got, p.Type())
			if m.ID != "e-1" || m.State != Queued || m.DueAt == nil || !m.DueAt.Equal(noon) {
				t.Errorf("%s: %+v", p.Type(), m)
			}
		}
	}
	want := []string{
		"identity.sign-in-locked", "identity.password-reset-requested", "identity.password-changed", "identity.member-invited", "customer.standing-refused", "pricing.standing-refused",
		"order.placed", "order.matched", "order.scheduled", "order.on-site", "order.collected", "order.weighed", "order.cancelled", "order.standing-refused", "matching.unmatched",
		"payment.invoiced", "payment.credited", "payment.reminded", "payment.paid", "payment.corrected", "payment.objected", "payment.objection-answered",
		"payment.returned", "payment.paid-out",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events with a mail (-want +got):\n%s", diff)
	}
	m, _ := newMail(event.Event{}, event.Invoiced{OrderID: "o-1", UserID: "u-1"}, noon)
	if m.OrderID != "o-1" || m.UserID != "u-1" {
		t.Errorf("%+v", m)
	}
	if _, ok := newMail(event.Event{}, nil, noon); ok {
		t.Error("an event of a later version gets a mail")
	}
}

func TestClaim(t *testing.T) {
	due := func(at time.Time) aggregate.Root { return aggregate.Root{ID: "e-1", DueAt: &at} }
	for _, tc := range []struct {
		name      string
		mail      Mail
		state     State
		attempts  int
		due       time.Duration // from noon; 0: none
		lastTried bool
	}{
		{"first", Mail{Root: due(noon), State: Queued}, Sending, 1, claimTime, false},
		{"again", Mail{Root: due(noon), State: Queued, Attempts: 3, TriedAt: noon.Add(-time.Hour)}, Sending, 4, claimTime, false},
		{"of a process that died", Mail{Root: due(noon), State: Sending, Attempts: 1}, Sending, 2, claimTime, false},
		{"at the last moment", Mail{Root: due(noon), State: Queued, Attempts: 50, TriedAt: noon.Add(-giveUpAfter)}, Sending, 51, claimTime, false},
		{"too late", Mail{Root: due(noon), State: Queued, Attempts: 51, TriedAt: noon.Add(-giveUpAfter - 1)}, Failed, 51, 0, false},
		{"waited for its order for a month", Mail{Root: due(noon), State: Queued, Waits: 700}, Sending, 1, claimTime, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := tc.mail
			if err := claim(event.Meta{At: noon}, &m); err != nil {
				t.Fatal(err)
			}
			if m.State != tc.state || m.Attempts != tc.attempts || dueAfter(m) != tc.due {
				t.Errorf("%s, %d attempts, due after %v", m.State, m.Attempts, dueAfter(m))
			}
		})
	}
}

// dueAfter is when a mail is due, from noon; 0: it is not.
func dueAfter(m Mail) time.Duration {
	if m.DueAt == nil {
		return 0
	}
	return m.DueAt.Sub(noon)
}

func TestSettle(t *testing.T) {
	type result struct {
		State           State
		Attempts, Waits int
		Due             time.Duration
		Reason          string
		Sent, Tried     bool
	}
	for _, tc := range []struct {
		name    string
		attempt int
		o       outcome
		want    result
	}{
		{"accepted", 1, outcome{verdict: accepted}, result{Sent, 1, 0, 0, "", true, true}},
		{"order not known", 1, outcome{unready, "a"}, result{Queued, 0, 1, time.Second, "a", false, false}},
		{"first trouble", 1, outcome{later, "b"}, result{Queued, 1, 0, time.Second, "b", false, true}},
		{"second", 2, outcome{later, "b"}, result{Queued, 2, 0, 10 * time.Second, "b", false, true}},
		{"third", 3, outcome{later, "b"}, result{Queued, 3, 0, time.Minute, "b", false, true}},
		{"fourth", 4, outcome{later, "b"}, result{Queued, 4, 0, 10 * time.Minute, "b", false, true}},
		{"fifth", 5, outcome{later, "b"}, result{Queued, 5, 0, time.Hour, "b", false, true}},
		{"fiftieth", 50, outcome{later, "b"}, result{Queued, 50, 0, time.Hour, "b", false, true}},
		{"refused", 1, outcome{refused, "c"}, result{Failed, 1, 0, 0, "c", false, true}},
		{"bounced", 1, outcome{bounced, "d"}, result{Failed, 1, 0, 0, "d", false, true}},
		{"withheld", 1, outcome{withheld, "e"}, result{Suppressed, 0, 0, 0, "e", false, true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := Mail{Root: aggregate.Root{ID: "e-1", Version: 7}, State: Sending, Attempts: tc.attempt, Reason: "of before"}
			m.settle(7, tc.o, noon)
			got := result{m.State, m.Attempts, m.Waits, dueAfter(m), m.Reason, !m.SentAt.IsZero(), !m.TriedAt.IsZero()}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSettleTooLate: when somebody else has begun another attempt, only a success of the first one is news.
func TestSettleTooLate(t *testing.T) {
	begun := func() Mail { return Mail{Root: aggregate.Root{ID: "e-1", Version: 8}, State: Sending, Attempts: 2} }
	m := begun()
	m.settle(7, outcome{later, "connection lost"}, noon)
	if diff := cmp.Diff(begun(), m); diff != "" {
		t.Errorf("trouble of an attempt that was taken over (-want +got):\n%s", diff)
	}
	m.settle(7, outcome{verdict: accepted}, noon)
	if m.State != Sent || m.DueAt != nil {
		t.Errorf("a success of an attempt that was taken over: %+v", m)
	}
	sent := m
	m.settle(8, outcome{verdict: accepted}, noon.Add(time.Minute)) // the second one had been taken as well
	m.settle(7, outcome{refused, "later"}, noon.Add(time.Minute))
	if m.State != Sent {
		t.Errorf("a mail that was sent became %s; it was %+v", m.State, sent)
	}
}
