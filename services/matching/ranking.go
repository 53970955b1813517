package matching

import (
	"cmp"
	"slices"
	"time"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
)

const (
	// maxCandidates is how many partners an order is offered to by itself, one after the other.
	maxCandidates = 10
	// kmCents is what a kilometre from the yard to the container counts in a score: a partner that is 30 km nearer may cost 30 euros more.
	// Nobody is paid it. It stands for what distance costs beside money: late trucks, longer tours, exhaust.
	kmCents money.Cents = 100
)

// Score is why a candidate stands where it stands: the one with the lowest total is asked first.
type Score struct {
	TripCents     money.Cents `json:"trip_cents" bson:"trip_cents"`         // what it is paid for placing and collecting
	DisposalCents money.Cents `json:"disposal_cents" bson:"disposal_cents"` // what it is paid for the waste
	DistanceCents money.Cents `json:"distance_cents" bson:"distance_cents"` // kmCents for each kilometre
	TotalCents    money.Cents `json:"total_cents" bson:"total_cents"`       // the sum
}

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
	PartnerID  string    `json:"partner_id" bson:"partner_id"`
	Name       string    `json:"name" bson:"name"`
	DistanceKm int       `json:"distance_km" bson:"distance_km"` // between the zones of yard and container, as the crow flies
	AutoAccept bool      `json:"auto_accept" bson:"auto_accept"`
	Pay        event.Pay `json:"pay" bson:"pay"`
	Score      Score     `json:"score" bson:"score"`
	Swaps      bool      `json:"swaps,omitempty" bson:"swaps,omitempty"` // has the container that the order swaps, so it is asked first
	Outcome    Outcome   `json:"outcome" bson:"outcome"`
	Reason     string    `json:"reason,omitempty" bson:"reason,omitempty"` // why it declined, or why its offer was withdrawn
	Note       string    `json:"note,omitempty" bson:"note,omitempty"`     // of the dispatcher who declined
	OfferedAt  time.Time `json:"offered_at,omitzero" bson:"offered_at,omitempty"`
	EndsAt     time.Time `json:"ends_at,omitzero" bson:"ends_at,omitempty"`         // when its offer times out: from then on it cannot be accepted
	AnsweredAt time.Time `json:"answered_at,omitzero" bson:"answered_at,omitempty"` // when the outcome came
}

// end writes down what became of an offer.
func (c *Candidate) end(o Outcome, reason string, at time.Time) {
	c.Outcome, c.Reason, c.AnsweredAt = o, reason, at
}

// verdict says whether a partner can do a job. The verdicts are in the order in which they are found: a higher one came closer.
type verdict int

const (
	inactive verdict = iota
	otherWaste
	noRate
	nowhere
	tooFar
	eligible
)

// ofOne says why one partner cannot do a job, to go behind its name.
func (v verdict) ofOne() string {
	return [...]string{
		inactive: "is not active", otherWaste: "does not take this waste", noRate: "has no rate for this waste",
		nowhere: "has an unknown postcode, or the order has one", tooFar: "is too far away", eligible: "can take it",
	}[v]
}

// ofAll says why nobody can do a job, when the partner that came closest got this verdict.
func (v verdict) ofAll() string {
	return [...]string{
		inactive: "no partner is active", otherWaste: "no active partner takes this waste",
		noRate:  "no partner that takes this waste has a rate for it",
		nowhere: "the postcode of the order, or of all partners that take this waste, is unknown",
		tooFar:  "no partner that takes this waste is near enough", eligible: "",
	}[v]
}

// assess says whether the partner can do the job. Pay and score are filled in from the verdict tooFar on.
func (p Partner) assess(j Job) (Candidate, verdict) {
	c := Candidate{PartnerID: p.ID, Name: p.Name, AutoAccept: p.AutoAccept, Outcome: waiting}
	perM3, rated := p.Rates.PerM3Cents[j.Waste]
	there, err := catalog.FindZone(j.Postcode)
	yard, yardErr := catalog.FindZone(p.Postcode)
	switch {
	case !p.Active:
		return c, inactive
	case !slices.Contains(p.Wastes, j.Waste):
		return c, otherWaste
	case !rated:
		return c, noRate
	case err != nil || yardErr != nil:
		return c, nowhere
	}
	c.DistanceKm = int(yard.DistanceKm(there))
	s := Score{
		TripCents: p.Rates.TripCents, DisposalCents: perM3 * money.Cents(j.SizeM3), DistanceCents: kmCents * money.Cents(c.DistanceKm),
	}
	s.TotalCents = s.TripCents + s.DisposalCents + s.DistanceCents
	c.Score = s
	c.Pay = event.Pay{NetCents: s.TripCents + s.DisposalCents, PerTonneOverCents: p.Rates.PerTonneOver}
	if c.DistanceKm > p.RadiusKm {
		return c, tooFar
	}
	return c, eligible
}

// rank lists the partners that can do the job, at most maxCandidates, in the order in which they are asked: the lowest score first, of
// equal ones the nearest, then the lower id. nobody says why the list is empty.
func rank(network []Partner, j Job) (list []Candidate, nobody string) {
	closest := inactive
	for _, p := range network {
		c, v := p.assess(j)
		closest = max(closest, v)
		if v == eligible {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Score.TotalCents, b.Score.TotalCents), cmp.Compare(a.DistanceKm, b.DistanceKm), cmp.Compare(a.PartnerID, b.PartnerID))
	})
	return list[:min(len(list), maxCandidates)], closest.ofAll()
}
