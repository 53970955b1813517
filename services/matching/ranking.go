package matching

import (
	"slices"
	"time"

	"kreislauf/internal/event"
	"kreislauf/internal/network"
)

// maxCandidates is how many partners an order is offered to by itself, one after the other.
const maxCandidates = 10

// Outcome is what became of a candidate.
type Outcome string

// The outcomes.
const (
	waiting   Outcome = "waiting"   // was not asked
	open      Outcome = "offered"   // is asked now; at most one
	accepted  Outcome = "accepted"  // at most one
	declined  Outcome = "declined"  // with a reason
	timedOut  Outcome = "timed-out" // did not answer in time
	withdrawn Outcome = "withdrawn" // the offer was taken back, with a reason
)

// Candidate is a partner that can do a job, with what it was then: what a partner changes later is for later orders.
type Candidate struct {
	PartnerID  string        `json:"partner_id" bson:"partner_id"`
	Name       string        `json:"name" bson:"name"`
	DistanceKm int           `json:"distance_km" bson:"distance_km"` // between the zones of yard and container, as the crow flies
	AutoAccept bool          `json:"auto_accept" bson:"auto_accept"`
	Pay        event.Pay     `json:"pay" bson:"pay"`
	Score      network.Score `json:"score" bson:"score"`
	Swaps      bool          `json:"swaps,omitempty" bson:"swaps,omitempty"` // has the container that the order swaps, so it is asked first
	Outcome    Outcome       `json:"outcome" bson:"outcome"`
	Reason     string        `json:"reason,omitempty" bson:"reason,omitempty"` // why it declined, or why its offer was withdrawn
	Note       string        `json:"note,omitempty" bson:"note,omitempty"`     // of the dispatcher who declined
	OfferedAt  time.Time     `json:"offered_at,omitzero" bson:"offered_at,omitempty"`
	EndsAt     time.Time     `json:"ends_at,omitzero" bson:"ends_at,omitempty"`         // when its offer times out: from then on it cannot be accepted
	AnsweredAt time.Time     `json:"answered_at,omitzero" bson:"answered_at,omitempty"` // when the outcome came
}

// end writes down what became of an offer.
func (c *Candidate) end(o Outcome, reason string, at time.Time) {
	c.Outcome, c.Reason, c.AnsweredAt = o, reason, at
}

// candidateOf is a partner that was weighed, as it waits to be asked.
func candidateOf(b network.Bid) Candidate {
	return Candidate{
		PartnerID: b.ID, Name: b.Name, DistanceKm: b.DistanceKm, AutoAccept: b.AutoAccept, Pay: b.Pay, Score: b.Score, Outcome: waiting,
	}
}

// rank lists the partners that can do the job, at most maxCandidates, in the order in which they are asked: first the one whose capacity the
// order holds (empty: nobody's), for it has room that day, then as the network ranks them. nobody says why the list is empty.
func rank(partners []Partner, j Job, holder string) (list []Candidate, nobody string) {
	bids, closest := network.Rank(partners, j)
	if i := slices.IndexFunc(bids, func(b network.Bid) bool { return b.ID == holder }); i > 0 {
		first := bids[i]
		bids = slices.Insert(slices.Delete(bids, i, i+1), 0, first)
	}
	for _, b := range bids[:min(len(bids), maxCandidates)] {
		list = append(list, candidateOf(b))
	}
	return list, closest.OfAll()
}
