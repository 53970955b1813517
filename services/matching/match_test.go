package matching

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/audit"
	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/network"
	"kreislauf/internal/problem"
)

const window = 30 * time.Minute

// at is minutes after the order.
func at(minutes int) event.Meta {
	return event.Meta{
		Source: "matching", Customer: "kreislauf", Traceparent: "of the request",
		At: time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute),
	}
}

// three partners in and around Cologne, in the order in which they are asked.
func three() []Partner {
	return []Partner{partner("p-1", "50735", nil), partner("p-2", "53111", nil), partner("p-3", "53111", func(p *Partner) { p.Rates.TripCents = 120_00 })}
}

func matched(t *testing.T, network []Partner) Match {
	t.Helper()
	meta := at(0)
	meta.VisitID, meta.Traceparent = "v-1", "of the order"
	m, err := newMatch(network, event.Placed{OrderID: "o-1", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: "2026-12-07"}, "", meta, window)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// step is one thing that happens to a match.
type step func(*Match) error

func accept(partner string, minute int) step {
	return func(m *Match) error { return m.accept(partner, at(minute)) }
}

func decline(partner string, minute int) step {
	return func(m *Match) error {
		return m.decline(partner, Refusal{"no-vehicle", "in repair"}, at(minute), window)
	}
}

func timeOut(minute int) step { return func(m *Match) error { return m.timeOut(at(minute), window) } }

func withdraw(minute int) step {
	return func(m *Match) error { m.withdraw(at(minute).At); return nil }
}

func reassign(p Partner, minute int) step {
	return func(m *Match) error {
		return m.reassign(p, audit.Entry{
			At: at(minute).At, Actor: audit.Actor{UserID: "u-1", Role: authz.BackOffice, Tenant: "kreislauf"}, Operation: "matching.reassign",
			Subject: "order/o-1", Reason: "agreed by telephone",
		}, at(minute), window)
	}
}

// told is what the events of a match say, in short.
func told(t *testing.T, m Match) string {
	t.Helper()
	var list []string
	for _, e := range m.Outbox {
		if e.Subject != "o-1" || e.VisitID != "v-1" || e.Traceparent != "of the order" {
			t.Errorf("event outside the order's visit or trace: %+v", e)
		}
		p, err := event.Open(e)
		if err != nil {
			t.Fatal(err)
		}
		switch v := p.(type) {
		case event.Offered:
			list = append(list, "offered "+v.PartnerID)
		case event.Declined:
			list = append(list, v.Reason+" "+v.PartnerID)
		case event.Accepted:
			by := "accepted "
			if v.Automatic {
				by = "accepted at once "
			}
			list = append(list, by+v.PartnerID)
			if v.Pay.NetCents == 0 || v.Pay.PerTonneOverCents != 150_00 {
				t.Errorf("%s is paid %+v", v.PartnerID, v.Pay)
			}
		case event.Unmatched:
			list = append(list, "unmatched: "+v.Reason)
		}
	}
	return strings.Join(list, ", ")
}

func outcomes(m Match) string {
	var list []string
	for _, c := range m.Candidates {
		list = append(list, c.PartnerID+" "+string(c.Outcome))
	}
	return strings.Join(list, ", ")
}

// TestTheSwapperIsAskedFirst: near enough or not, but only when it can do it; when it declines, the others are asked as ever.
func TestTheSwapperIsAskedFirst(t *testing.T) {
	far := partner("p-far", "10115", func(p *Partner) { p.AutoAccept = true })
	gone := partner("p-far", "10115", func(p *Partner) { p.Active = false })
	for _, tc := range []struct {
		network []Partner
		swapper string
		want    string
		state   State
	}{
		{three(), "", "p-1 offered, p-2 waiting, p-3 waiting", Offered},
		{three(), "p-3", "p-3 offered, p-1 waiting, p-2 waiting", Offered},
		{append(three(), far), "p-far", "p-far accepted, p-1 waiting, p-2 waiting, p-3 waiting", Accepted},
		{append(three(), gone), "p-far", "p-1 offered, p-2 waiting, p-3 waiting", Offered},
		{three(), "p-unknown", "p-1 offered, p-2 waiting, p-3 waiting", Offered},
	} {
		placed := event.Placed{OrderID: "o-1", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: "2026-12-07", SwapOf: "o-0"}
		m, err := newMatch(tc.network, placed, tc.swapper, at(0), window)
		if err != nil {
			t.Fatal(err)
		}
		if outcomes(m) != tc.want || m.State != tc.state {
			t.Errorf("with %q: %s, %s", tc.swapper, outcomes(m), m.State)
		}
		if of := offerOf(m, m.asked(m.PartnerID)).SwapOf; (of == "o-0") != (m.PartnerID == tc.swapper) {
			t.Errorf("%s sees that it swaps %q", m.PartnerID, of)
		}
	}
}

// TestMatch plays matches from the order to their end.
func TestMatch(t *testing.T) {
	auto := three()
	auto[1].AutoAccept = true
	first := three()
	first[0].AutoAccept = true
	far := partner("p-berlin", "10115", nil)
	for _, tc := range []struct {
		name     string
		network  []Partner
		steps    []step
		state    State
		partner  string
		due      int // minute at which the open offer ends; 0: none
		outcomes string
		told     string
	}{
		{"nobody can", []Partner{far}, nil, Unmatched, "", 0, "", "unmatched: no partner that takes this waste is near enough"},
		{"the first is asked", three(), nil, Offered, "p-1", 30, "p-1 offered, p-2 waiting, p-3 waiting", "offered p-1"},
		{"the first has a standing order", first, nil, Accepted, "p-1", 0, "p-1 accepted, p-2 waiting, p-3 waiting", "offered p-1, accepted at once p-1"},
		{
			"the first accepts, twice", three(),
			[]step{accept("p-1", 5), accept("p-1", 50)},
			Accepted, "p-1", 0,
			"p-1 accepted, p-2 waiting, p-3 waiting", "offered p-1, accepted p-1",
		},
		{
			"the first declines, twice, and the second is asked", three(),
			[]step{decline("p-1", 5), decline("p-1", 6)},
			Offered, "p-2", 35,
			"p-1 declined, p-2 offered, p-3 waiting", "offered p-1, no-vehicle p-1, offered p-2",
		},
		{
			"the first says nothing, and the second has a standing order", auto,
			[]step{timeOut(30)},
			Accepted, "p-2", 0,
			"p-1 timed-out, p-2 accepted, p-3 waiting", "offered p-1, timed-out p-1, offered p-2, accepted at once p-2",
		},
		{
			"nobody wants it", three(),
			[]step{decline("p-1", 1), timeOut(31), decline("p-3", 60)},
			Unmatched, "", 0,
			"p-1 declined, p-2 timed-out, p-3 declined",
			"offered p-1, no-vehicle p-1, offered p-2, timed-out p-2, offered p-3, no-vehicle p-3, unmatched: " + reasonExhausted,
		},
		{"cancelled while it is offered", three(), []step{withdraw(5), withdraw(6)}, Withdrawn, "", 0, "p-1 withdrawn, p-2 waiting, p-3 waiting", "offered p-1"},
		{
			"cancelled after it was accepted", three(),
			[]step{accept("p-1", 1), withdraw(5)},
			Withdrawn, "p-1", 0,
			"p-1 accepted, p-2 waiting, p-3 waiting", "offered p-1, accepted p-1",
		},
		{"cancelled when nobody took it", []Partner{far}, []step{withdraw(5)}, Withdrawn, "", 0, "", "unmatched: no partner that takes this waste is near enough"},
		{"time-out of nothing", three(), []step{accept("p-1", 1), timeOut(31)}, Accepted, "p-1", 0, "p-1 accepted, p-2 waiting, p-3 waiting", "offered p-1, accepted p-1"},
		{
			"the back office names one that waits, then the next is the best again", three(),
			[]step{reassign(three()[2], 5), decline("p-3", 6)},
			Offered, "p-2", 36,
			"p-1 withdrawn, p-2 offered, p-3 declined", "offered p-1, reassigned p-1, offered p-3, no-vehicle p-3, offered p-2",
		},
		{
			"the back office names who is asked already", three(),
			[]step{reassign(three()[0], 5)},
			Offered, "p-1", 30,
			"p-1 offered, p-2 waiting, p-3 waiting", "offered p-1",
		},
		{
			"the back office names one who had declined", three()[:1],
			[]step{decline("p-1", 5), reassign(three()[0], 40), accept("p-1", 41)},
			Accepted, "p-1", 0,
			"p-1 declined, p-1 accepted",
			"offered p-1, no-vehicle p-1, unmatched: " + reasonExhausted + ", offered p-1, accepted p-1",
		},
		{
			"the back office names one that is far away",
			[]Partner{far},
			[]step{reassign(far, 5)},
			Offered, "p-berlin", 35, "p-berlin offered",
			"unmatched: no partner that takes this waste is near enough, offered p-berlin",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := matched(t, tc.network)
			for i, s := range tc.steps {
				if err := s(&m); err != nil {
					t.Fatalf("step %d: %v", i+1, err)
				}
			}
			due := m.DueAt != nil
			if m.State != tc.state || m.PartnerID != tc.partner || due != (tc.due > 0) || due && !m.DueAt.Equal(at(tc.due).At) {
				t.Errorf("%s with %q, due %v; want %s with %q, due %v", m.State, m.PartnerID, m.DueAt, tc.state, tc.partner, at(tc.due).At)
			}
			if d := cmp.Diff(tc.outcomes, outcomes(m)); d != "" {
				t.Errorf("candidates (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.told, told(t, m)); d != "" {
				t.Errorf("events (-want +got):\n%s", d)
			}
			if (m.Reason != "") != (m.State == Unmatched) && m.State != Withdrawn {
				t.Errorf("%s for the reason %q", m.State, m.Reason)
			}
		})
	}
}

// TestRefused: what a match refuses leaves it as it was, and the text says why.
func TestRefused(t *testing.T) {
	idle := partner("p-4", "50735", func(p *Partner) { p.Active = false })
	full := []step{decline("p-1", 1)}
	for range maxEntries - 1 {
		full = append(full, reassign(three()[0], 2), decline("p-1", 3))
	}
	for _, tc := range []struct {
		name    string
		network []Partner
		steps   []step
		last    step
		kind    problem.Kind
		says    string
	}{
		{"accept what waits for another", three(), nil, accept("p-2", 1), problem.NotFound, "no offer o-1 for you"},
		{"accept as nobody", three(), nil, accept("", 1), problem.NotFound, "no offer"},
		{"accept what another has", three(), []step{accept("p-1", 1)}, accept("p-2", 1), problem.NotFound, "no offer"},
		{"accept at the end, before it is timed out", three(), nil, accept("p-1", 30), problem.Conflict, "ended at 2026-11-30T10:30:00Z"},
		{"accept after the time-out", three(), []step{timeOut(30)}, accept("p-1", 31), problem.Conflict, "ended at 2026-11-30T10:30:00Z"},
		{"accept after the time-out by an old clock", three(), []step{timeOut(30)}, accept("p-1", 29), problem.Conflict, "ended at"},
		{"accept what went on and was taken", three(), []step{timeOut(30), accept("p-2", 31)}, accept("p-1", 32), problem.Conflict, "ended at"},
		{"accept what was declined", three(), []step{decline("p-1", 1)}, accept("p-1", 2), problem.Conflict, "have declined"},
		{"accept what was cancelled", three(), []step{withdraw(1)}, accept("p-1", 2), problem.Conflict, "was cancelled"},
		{"accept again what was cancelled", three(), []step{accept("p-1", 1), withdraw(1)}, accept("p-1", 2), problem.Conflict, "was cancelled"},
		{"accept what was cancelled and never offered", three(), []step{withdraw(1)}, accept("p-2", 2), problem.NotFound, "no offer"},
		{"accept what went to another by hand", three(), []step{reassign(three()[1], 1)}, accept("p-1", 2), problem.Conflict, "another partner"},
		{"decline what waits for another", three(), nil, decline("p-2", 1), problem.NotFound, "no offer"},
		{"decline what was accepted", three(), []step{accept("p-1", 1)}, decline("p-1", 2), problem.Conflict, "have accepted"},
		{"decline after the end", three(), nil, decline("p-1", 30), problem.Conflict, "ended at"},
		{"reassign what was accepted", three(), []step{accept("p-1", 1)}, reassign(three()[1], 2), problem.Conflict, "is accepted"},
		{"reassign what was cancelled", three(), []step{withdraw(1)}, reassign(three()[1], 2), problem.Conflict, "is withdrawn"},
		{"reassign to one that is idle", three(), nil, reassign(idle, 2), problem.Invalid, "P-4 is not active"},
		{"reassign for ever", three()[:1], full, reassign(three()[0], 4), problem.Conflict, "20 times"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := matched(t, tc.network)
			for i, s := range tc.steps {
				if err := s(&m); err != nil {
					t.Fatalf("step %d: %v", i+1, err)
				}
			}
			before, events := outcomes(m), told(t, m)
			err := tc.last(&m)
			if err == nil || problem.KindOf(err) != tc.kind || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("it says %v, want %q", err, tc.says)
			}
			if outcomes(m) != before || told(t, m) != events {
				t.Errorf("the refusal changed %s to %s", before, outcomes(m))
			}
		})
	}
}

// TestDeclineIsWrittenDown: the back office reads who declined why and when, and what it would have cost.
func TestDeclineIsWrittenDown(t *testing.T) {
	m := matched(t, three()[:1])
	if err := decline("p-1", 5)(&m); err != nil {
		t.Fatal(err)
	}
	want := Candidate{
		PartnerID: "p-1", Name: "P-1", Pay: event.Pay{NetCents: 230_00, PerTonneOverCents: 150_00},
		Score:   network.Score{TripCents: 90_00, DisposalCents: 140_00, TotalCents: 230_00},
		Outcome: declined, Reason: "no-vehicle", Note: "in repair", OfferedAt: at(0).At, EndsAt: at(30).At, AnsweredAt: at(5).At,
	}
	if d := cmp.Diff([]Candidate{want}, m.Candidates); d != "" {
		t.Errorf("candidates (-want +got):\n%s", d)
	}
}

// TestReassignIsAudited: a change by the back office and its entry are in one document; without a reason there is neither.
func TestReassignIsAudited(t *testing.T) {
	m := matched(t, three())
	if err := reassign(three()[1], 5)(&m); err != nil {
		t.Fatal(err)
	}
	if len(m.Audit) != 1 || m.AuditAt == nil {
		t.Fatalf("audit trail %+v", m.Audit)
	}
	e := m.Audit[0]
	if d := cmp.Diff([]string{"/candidates", "/partner_id"}, e.Change.Fields); d != "" || e.Change.Before == e.Change.After {
		t.Errorf("change %+v", e.Change)
	}
	if e.Operation != "matching.reassign" || e.Subject != "order/o-1" || e.Reason != "agreed by telephone" || e.Actor.UserID != "u-1" {
		t.Errorf("entry %+v", e)
	}
	if err := reassign(three()[1], 6)(&m); err != nil || len(m.Audit) != 1 {
		t.Errorf("what changes nothing is audited: %v, %+v", err, m.Audit)
	}
}

func TestRefusal(t *testing.T) {
	for _, tc := range []struct {
		body  Refusal
		wrong string // pointers
	}{
		{Refusal{"no-container", ""}, ""},
		{Refusal{"no-vehicle", "  in repair "}, ""},
		{Refusal{"too-far", ""}, ""},
		{Refusal{"price", strings.Repeat("ä", 200)}, ""},
		{Refusal{"other", ""}, ""},
		{Refusal{"", ""}, "/reason"},
		{Refusal{"timed-out", ""}, "/reason"},
		{Refusal{"Price", strings.Repeat("ä", 201)}, "/reason /note"},
		{Refusal{"price", "a\nb"}, "/note"},
		{Refusal{"price", "\xff"}, "/note"},
	} {
		got, err := tc.body.normal()
		var wrong []string
		if p, ok := err.(*problem.Error); ok {
			for _, f := range p.Fields {
				wrong = append(wrong, f.Pointer)
			}
		}
		if strings.Join(wrong, " ") != tc.wrong || (err != nil) != (tc.wrong != "") {
			t.Errorf("%+v: %v, want %q", tc.body, err, tc.wrong)
		}
		if got.Note != strings.TrimSpace(tc.body.Note) {
			t.Errorf("note %q of %q", got.Note, tc.body.Note)
		}
	}
}
