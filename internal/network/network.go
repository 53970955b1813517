// Package network owns which disposal partner can do a job, what it is paid, which partners are asked first, and how many containers each of
// them places a day. It is pure. Matching asks the partners in this order, order books their capacity in it, and pricing shows what they leave.
//
// Invariants: the same partners and job give the same order; rates and places are those of the partner as it is given.
package network

import (
	"cmp"
	"slices"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
)

// kmCents is what a kilometre from the yard to the container counts in a score: a partner that is 30 km nearer may cost 30 euros more.
// Nobody is paid it. It stands for what distance costs beside money: late trucks, longer tours, exhaust.
const kmCents money.Cents = 100

// Partner is what other services know of a disposal partner: a copy of the newest state that disposer has told of, and its document there.
type Partner struct {
	ID         string           `bson:"_id"`
	Version    int64            `bson:"version"` // of disposer's document
	Name       string           `bson:"name"`
	Postcode   string           `bson:"postcode"`  // of the yard
	RadiusKm   int              `bson:"radius_km"` // how far its trucks go
	Wastes     []string         `bson:"waste_codes"`
	AutoAccept bool             `bson:"auto_accept"` // has a standing order: accepts what it is offered, unseen
	Active     bool             `bson:"active"`
	Rates      event.Rates      `bson:"rates"`
	Capacity   []event.Capacity `bson:"capacity,omitempty"`
}

// PartnerOf is the copy that an event makes.
func PartnerOf(e event.PartnerChanged) Partner {
	return Partner{
		ID: e.PartnerID, Version: e.Version, Name: e.Name, Postcode: e.Postcode, RadiusKm: e.RadiusKm, Wastes: e.Wastes,
		AutoAccept: e.AutoAccept, Active: e.Active, Rates: e.Rates, Capacity: e.Capacity,
	}
}

// PerDay is how many containers of a size the partner places on a day. A partner that has not said it of a size is not limited: nobody invents
// a number for it.
func (p Partner) PerDay(sizeM3 int) (n int, limited bool) {
	for _, c := range p.Capacity {
		if c.SizeM3 == sizeM3 {
			return c.PerDay, true
		}
	}
	return 0, false
}

// Job is what a partner is asked to do.
type Job struct {
	Postcode string `bson:"postcode"` // where the container stands
	Waste    string `bson:"waste_code"`
	SizeM3   int    `bson:"size_m3"`
	Date     string `bson:"date"`             // of placing, YYYY-MM-DD
	Window   string `bson:"window,omitempty"` // of the day, see catalog.FindWindow
}

// Score is why a partner stands where it stands: the one with the lowest total is asked first.
type Score struct {
	TripCents     money.Cents `json:"trip_cents" bson:"trip_cents"`         // what it is paid for placing and collecting
	DisposalCents money.Cents `json:"disposal_cents" bson:"disposal_cents"` // what it is paid for the waste
	DistanceCents money.Cents `json:"distance_cents" bson:"distance_cents"` // kmCents for each kilometre
	TotalCents    money.Cents `json:"total_cents" bson:"total_cents"`       // the sum
}

// Verdict says whether a partner can do a job. The verdicts are in the order in which they are found: a higher one came closer.
type Verdict int

// The verdicts.
const (
	Inactive Verdict = iota
	OtherWaste
	NoRate
	Nowhere
	TooFar
	Eligible
)

// OfOne says why one partner cannot do a job, to go behind its name.
func (v Verdict) OfOne() string {
	return [...]string{
		Inactive: "is not active", OtherWaste: "does not take this waste", NoRate: "has no rate for this waste",
		Nowhere: "has an unknown postcode, or the order has one", TooFar: "is too far away", Eligible: "can take it",
	}[v]
}

// OfAll says why nobody can do a job, when the partner that came closest got this verdict.
func (v Verdict) OfAll() string {
	return [...]string{
		Inactive: "no partner is active", OtherWaste: "no active partner takes this waste",
		NoRate:  "no partner that takes this waste has a rate for it",
		Nowhere: "the postcode of the order, or of all partners that take this waste, is unknown",
		TooFar:  "no partner that takes this waste is near enough", Eligible: "",
	}[v]
}

// Bid is a partner that was weighed for a job.
type Bid struct {
	Partner
	DistanceKm int // between the zones of yard and container, as the crow flies
	Pay        event.Pay
	Score      Score
	Verdict    Verdict
}

// Weigh says whether the partner can do the job. Pay and score are filled in from the verdict TooFar on.
func (p Partner) Weigh(j Job) Bid {
	b := Bid{Partner: p}
	perM3, rated := p.Rates.PerM3Cents[j.Waste]
	there, err := catalog.FindZone(j.Postcode)
	yard, yardErr := catalog.FindZone(p.Postcode)
	switch {
	case !p.Active:
		b.Verdict = Inactive
		return b
	case !slices.Contains(p.Wastes, j.Waste):
		b.Verdict = OtherWaste
		return b
	case !rated:
		b.Verdict = NoRate
		return b
	case err != nil || yardErr != nil:
		b.Verdict = Nowhere
		return b
	}
	b.DistanceKm = int(yard.DistanceKm(there))
	b.Score = Score{
		TripCents: p.Rates.TripCents, DisposalCents: perM3 * money.Cents(j.SizeM3), DistanceCents: kmCents * money.Cents(b.DistanceKm),
	}
	b.Score.TotalCents = b.Score.TripCents + b.Score.DisposalCents + b.Score.DistanceCents
	b.Pay = event.Pay{NetCents: b.Score.TripCents + b.Score.DisposalCents, PerTonneOverCents: p.Rates.PerTonneOver}
	b.Verdict = Eligible
	if b.DistanceKm > p.RadiusKm {
		b.Verdict = TooFar
	}
	return b
}

// Rank lists the partners that can do the job in the order in which they are asked: the lowest score first, of equal ones the nearest, then
// the lower id. closest is the verdict of the one that came closest; Inactive without partners.
func Rank(partners []Partner, j Job) (list []Bid, closest Verdict) {
	for _, p := range partners {
		b := p.Weigh(j)
		closest = max(closest, b.Verdict)
		if b.Verdict == Eligible {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b Bid) int {
		return cmp.Or(cmp.Compare(a.Score.TotalCents, b.Score.TotalCents), cmp.Compare(a.DistanceKm, b.DistanceKm), cmp.Compare(a.ID, b.ID))
	})
	return list, closest
}
