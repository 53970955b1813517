package matching

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/network"
	"kreislauf/internal/problem"
)

// State of a match.
type State string

// The states. Withdrawn is final; accepted turns to withdrawn when the order is cancelled, unmatched to offered when the back office
// names a partner.
const (
	Offered   State = "offered"   // a partner has an open offer
	Accepted  State = "accepted"  // a partner has taken the order
	Unmatched State = "unmatched" // nobody takes it
	Withdrawn State = "withdrawn" // the order was cancelled
)

// Reasons of outcomes, beside those with which a dispatcher declines.
const (
	reasonTimedOut   = "timed-out"
	reasonReassigned = "reassigned"
	reasonCancelled  = "order-cancelled"

	reasonExhausted = "every partner that was asked declined or did not answer" // of an unmatched order
)

// maxEntries is how many candidates a match holds with those that the back office has added.
const maxEntries = 2 * maxCandidates

// Match is the aggregate and its document.
type Match struct {
	aggregate.Root `bson:",inline"` // ID is the order's; due when the open offer ends
	audit.Trail    `bson:",inline"`
	Job            `bson:",inline"`
	SwapOf         string      `bson:"swap_of,omitempty"` // the order whose full container is to be taken away in the same trip
	State          State       `bson:"state"`
	Reason         string      `bson:"reason,omitempty"`     // why it is unmatched
	PartnerID      string      `bson:"partner_id,omitempty"` // who has the open offer, or has accepted
	OfferedAt      time.Time   `bson:"offered_at,omitempty"` // of the newest offer
	Candidates     []Candidate `bson:"candidates"`           // as they are asked; behind them those that the back office has added
	VisitID        string      `bson:"visit_id,omitempty"`
	Traceparent    string      `bson:"traceparent"` // of the order, so that a later answer continues its trace
}

// newMatch offers an order to the best candidate, or says that there is none. An offer ends after window. The partner that has the container
// which the order swaps, if it does, is asked first, near enough or not: its truck goes there anyway.
func newMatch(partners []Partner, placed event.Placed, swapper string, meta event.Meta, window time.Duration) (Match, error) {
	m := Match{
		Root: aggregate.New(placed.OrderID), SwapOf: placed.SwapOf, VisitID: meta.VisitID, Traceparent: meta.Traceparent,
		Job: Job{Postcode: placed.Postcode, Waste: placed.Waste, SizeM3: placed.SizeM3, Date: placed.Date, Window: placed.Window},
	}
	var nobody string
	m.Candidates, nobody = rank(partners, m.Job, placed.SlotPartnerID)
	if i := slices.IndexFunc(partners, func(p Partner) bool { return p.ID == swapper }); i >= 0 {
		if bid := partners[i].Weigh(m.Job); bid.Verdict >= network.TooFar {
			c := candidateOf(bid)
			c.Swaps = true
			m.Candidates = slices.DeleteFunc(m.Candidates, func(other Candidate) bool { return other.PartnerID == c.PartnerID })
			m.Candidates = slices.Insert(m.Candidates, 0, c)
		}
	}
	return m, m.offerNext(nobody, meta, window)
}

// emit tells what has just happened as a part of the order's visit and trace, whatever request or timer made it.
func (m *Match) emit(meta event.Meta, p event.Payload) error {
	meta.VisitID, meta.Traceparent = m.VisitID, m.Traceparent
	return m.Emit(meta, p)
}

// offerNext offers to the best candidate that was not asked; without one the match is unmatched, for the reason otherwise.
func (m *Match) offerNext(otherwise string, meta event.Meta, window time.Duration) error {
	if i := slices.IndexFunc(m.Candidates, func(c Candidate) bool { return c.Outcome == waiting }); i >= 0 {
		return m.offer(i, meta, window)
	}
	m.State, m.Reason, m.PartnerID = Unmatched, otherwise, ""
	m.Due(time.Time{})
	return m.emit(meta, event.Unmatched{OrderID: m.ID, Reason: otherwise})
}

// offer asks a candidate; one with a standing order accepts at once. There must be no open offer.
func (m *Match) offer(i int, meta event.Meta, window time.Duration) error {
	c := &m.Candidates[i]
	c.Outcome, c.OfferedAt, c.EndsAt = open, meta.At, meta.At.Add(window)
	m.State, m.Reason, m.PartnerID, m.OfferedAt = Offered, "", c.PartnerID, c.OfferedAt
	m.Due(c.EndsAt)
	if err := m.emit(meta, event.Offered{OrderID: m.ID, PartnerID: c.PartnerID}); err != nil || !c.AutoAccept {
		return err
	}
	return m.take(c, true, meta)
}

// take gives the order to the candidate with the open offer.
func (m *Match) take(c *Candidate, automatic bool, meta event.Meta) error {
	c.end(accepted, "", meta.At)
	m.State = Accepted
	m.Due(time.Time{})
	return m.emit(meta, event.Accepted{OrderID: m.ID, PartnerID: c.PartnerID, Automatic: automatic, Pay: c.Pay})
}

// giveUp ends the open offer without an acceptance and tells of it. The caller says what comes then.
func (m *Match) giveUp(c *Candidate, o Outcome, reason string, meta event.Meta) error {
	c.end(o, reason, meta.At)
	return m.emit(meta, event.Declined{OrderID: m.ID, PartnerID: c.PartnerID, Reason: reason})
}

// openOffer is the candidate that is asked now; nil without one.
func (m *Match) openOffer() *Candidate {
	for i := range m.Candidates {
		if m.Candidates[i].Outcome == open {
			return &m.Candidates[i]
		}
	}
	return nil
}

// asked is the newest offer to a partner, whatever became of it; nil when it was never asked.
func (m *Match) asked(partnerID string) *Candidate {
	for i, c := range slices.Backward(m.Candidates) {
		if c.PartnerID == partnerID && c.Outcome != waiting {
			return &m.Candidates[i]
		}
	}
	return nil
}

// answerable is the open offer to a partner. The error says why there is none: it was never asked (NotFound, for the offers of others do
// not exist for it), or what became of its offer (Conflict).
func (m *Match) answerable(partnerID string, at time.Time) (*Candidate, error) {
	c := m.asked(partnerID)
	switch {
	case c == nil:
		return nil, noOffer(m.ID)
	case m.State == Withdrawn:
		return nil, problem.New(problem.Conflict, "The order %s was cancelled, so its offer ended; there is nothing to do.", m.ID)
	case c.Outcome == accepted:
		return nil, problem.New(problem.Conflict, "You have accepted the offer %s; call the back office if you cannot do it.", m.ID)
	case c.Outcome == declined:
		return nil, problem.New(problem.Conflict, "You have declined the offer %s, and it went on; look at your open offers.", m.ID)
	case c.Outcome == withdrawn:
		return nil, problem.New(problem.Conflict, "The back office has given the offer %s to another partner; look at your open offers.", m.ID)
	case c.Outcome == timedOut || !at.Before(c.EndsAt):
		return nil, problem.New(problem.Conflict, "The offer %s ended at %s, and it went on; look at your open offers.", m.ID, c.EndsAt.UTC().Format(time.RFC3339))
	}
	return c, nil
}

func noOffer(id string) error {
	return problem.New(problem.NotFound, "There is no offer %s for you.", id)
}

// accept takes the order for the partner that has the open offer. Accepting again changes nothing.
func (m *Match) accept(partnerID string, meta event.Meta) error {
	if c := m.asked(partnerID); c != nil && c.Outcome == accepted && m.State == Accepted {
		return nil
	}
	c, err := m.answerable(partnerID, meta.At)
	if err != nil {
		return err
	}
	return m.take(c, false, meta)
}

// Refusal is the body of POST /api/matching/v1/offers/{id}/decline.
type Refusal struct {
	Reason string `json:"reason"`
	Note   string `json:"note,omitempty"`
}

// maxNote is the length of a note in characters.
const maxNote = 200

// normal checks a refusal, reporting all mistakes at once, and trims its note.
func (r Refusal) normal() (Refusal, error) {
	reasons := []string{"no-container", "no-vehicle", "too-far", "price", "other"}
	var fields []problem.Field
	if !slices.Contains(reasons, r.Reason) {
		fields = append(fields, problem.Field{Pointer: "/reason", Detail: "must be one of " + strings.Join(reasons, ", ")})
	}
	r.Note = strings.TrimSpace(r.Note)
	if utf8.RuneCountInString(r.Note) > maxNote || !utf8.ValidString(r.Note) || strings.ContainsFunc(r.Note, unicode.IsControl) {
		fields = append(fields, problem.Field{Pointer: "/note", Detail: "must be one line of at most 200 characters"})
	}
	if fields != nil {
		return r, &problem.Error{Kind: problem.Invalid, Detail: "The offer cannot be declined like this; see errors.", Fields: fields}
	}
	return r, nil
}

// decline gives the open offer back, and the next candidate is asked. Declining again changes nothing.
func (m *Match) decline(partnerID string, r Refusal, meta event.Meta, window time.Duration) error {
	if c := m.asked(partnerID); c != nil && c.Outcome == declined {
		return nil
	}
	c, err := m.answerable(partnerID, meta.At)
	if err != nil {
		return err
	}
	c.Note = r.Note
	if err := m.giveUp(c, declined, r.Reason, meta); err != nil {
		return err
	}
	return m.offerNext(reasonExhausted, meta, window)
}

// timeOut ends the open offer, whose end has come, and the next candidate is asked.
func (m *Match) timeOut(meta event.Meta, window time.Duration) error {
	c := m.openOffer()
	if c == nil { // nothing is open that could time out
		m.Due(time.Time{})
		return nil
	}
	if err := m.giveUp(c, timedOut, reasonTimedOut, meta); err != nil {
		return err
	}
	return m.offerNext(reasonExhausted, meta, window)
}

// withdraw ends the match with its order, open offer or not. It emits nothing: order.cancelled has told everybody.
func (m *Match) withdraw(at time.Time) {
	if c := m.openOffer(); c != nil {
		c.end(withdrawn, reasonCancelled, at)
		m.PartnerID = ""
	}
	m.State = Withdrawn
	m.Due(time.Time{})
}

// reassign offers the order to the partner that the back office names, near enough or not; an open offer ends. entry says who does it and
// why; its change is filled in. Naming the partner that has the open offer changes nothing.
func (m *Match) reassign(p Partner, entry audit.Entry, meta event.Meta, window time.Duration) error {
	if m.State != Offered && m.State != Unmatched {
		return problem.New(problem.Conflict, "The order %s is %s; only one that is offered or unmatched can be offered to a partner by hand.", m.ID, m.State)
	}
	if m.PartnerID == p.ID {
		return nil
	}
	bid := p.Weigh(m.Job)
	if bid.Verdict < network.TooFar {
		return problem.InvalidField("/partner_id", "%s %s; name another partner", p.Name, bid.Verdict.OfOne())
	}
	c := candidateOf(bid)
	c.Swaps = slices.ContainsFunc(m.Candidates, func(c Candidate) bool { return c.PartnerID == p.ID && c.Swaps })
	i := slices.IndexFunc(m.Candidates, func(c Candidate) bool { return c.PartnerID == p.ID && c.Outcome == waiting })
	if i < 0 && len(m.Candidates) >= maxEntries {
		return problem.New(problem.Conflict, "The order %s was offered %d times; agree with a partner by telephone first, or cancel it.", m.ID, maxEntries)
	}
	before := m.standing()
	if o := m.openOffer(); o != nil {
		if err := m.giveUp(o, withdrawn, reasonReassigned, meta); err != nil {
			return err
		}
	}
	if i < 0 {
		i = len(m.Candidates)
		m.Candidates = append(m.Candidates, c)
	}
	m.Candidates[i] = c // with the rates of today
	if err := m.offer(i, meta, window); err != nil {
		return err
	}
	var err error
	if entry.Change, err = audit.Diff(before, m.standing()); err != nil {
		return err
	}
	return m.Add(entry)
}

// standing is what the audit trail compares.
func (m *Match) standing() any {
	return struct {
		State      State       `json:"state"`
		PartnerID  string      `json:"partner_id"`
		Candidates []Candidate `json:"candidates"`
	}{m.State, m.PartnerID, slices.Clone(m.Candidates)}
}
