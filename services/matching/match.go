package matching

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
)

// Partner is one disposal partner's master data.
type Partner struct {
	ID         string   `json:"id" bson:"_id"`
	Name       string   `json:"name" bson:"name"`
	Postcode   string   `json:"postcode" bson:"postcode"`   // of the yard
	RadiusKm   int      `json:"radius_km" bson:"radius_km"` // how far its trucks go
	Wastes     []string `json:"waste_codes" bson:"waste_codes"`
	AutoAccept bool     `json:"auto_accept" bson:"auto_accept"` // has a standing order: accepts within seconds, unseen
}

// check reports what makes a partner unusable.
func (p Partner) check() error {
	if p.ID == "" || p.Name == "" || p.RadiusKm <= 0 || len(p.Wastes) == 0 {
		return fmt.Errorf("partner %q: id, name, radius_km and waste_codes are required", p.ID)
	}
	var errs []error
	for _, w := range p.Wastes {
		if _, err := catalog.FindWaste(w); err != nil {
			errs = append(errs, fmt.Errorf("partner %s: %w", p.ID, err))
		}
	}
	if _, err := catalog.FindZone(p.Postcode); err != nil {
		errs = append(errs, fmt.Errorf("partner %s: %w", p.ID, err))
	}
	return errors.Join(errs...)
}

// State of a match.
type State string

// The states; accepted and unmatched are final.
const (
	Offered   State = "offered"
	Accepted  State = "accepted"
	Unmatched State = "unmatched"
)

// Match is the aggregate and its document.
type Match struct {
	aggregate.Root `bson:",inline"` // ID is the order's
	State          State            `bson:"state"`
	PartnerID      string           `bson:"partner_id,omitempty"`
	DistanceKm     int              `bson:"distance_km"`
	Postcode       string           `bson:"postcode"`
	Waste          string           `bson:"waste_code"`
	SizeM3         int              `bson:"size_m3"`
	Date           string           `bson:"date"`
	VisitID        string           `bson:"visit_id,omitempty"`
	Traceparent    string           `bson:"traceparent"` // of the order, so that a later acceptance continues its trace
	OfferedAt      time.Time        `bson:"offered_at"`
}

// nearest is the partner that takes this waste and whose yard is nearest; ties go to the lower id.
func nearest(partners []Partner, placed event.Placed) (best Partner, km int, found bool) {
	zone, err := catalog.FindZone(placed.Postcode)
	if err != nil {
		return Partner{}, 0, false
	}
	type candidate struct {
		Partner
		km int
	}
	var list []candidate
	for _, p := range partners {
		home, err := catalog.FindZone(p.Postcode)
		if err != nil || !slices.Contains(p.Wastes, placed.Waste) {
			continue
		}
		if d := int(home.DistanceKm(zone)); d <= p.RadiusKm {
			list = append(list, candidate{p, d})
		}
	}
	if len(list) == 0 {
		return Partner{}, 0, false
	}
	b := slices.MinFunc(list, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.km, b.km), cmp.Compare(a.ID, b.ID)) })
	return b.Partner, b.km, true
}

// newMatch offers an order to the nearest partner, or says that there is none.
func newMatch(partners []Partner, placed event.Placed, meta event.Meta) (Match, error) {
	m := Match{
		Root: aggregate.New(placed.OrderID), Postcode: placed.Postcode, Waste: placed.Waste, SizeM3: placed.SizeM3, Date: placed.Date,
		VisitID: meta.VisitID, Traceparent: meta.Traceparent, OfferedAt: meta.At,
	}
	p, km, found := nearest(partners, placed)
	if !found {
		m.State = Unmatched
		return m, m.Emit(meta, event.Unmatched{OrderID: m.ID, Reason: "no partner takes this waste in this region"})
	}
	m.State, m.PartnerID, m.DistanceKm = Offered, p.ID, km
	if err := m.Emit(meta, event.Offered{OrderID: m.ID, PartnerID: p.ID}); err != nil || !p.AutoAccept {
		return m, err
	}
	m.State = Accepted
	return m, m.Emit(meta, event.Accepted{OrderID: m.ID, PartnerID: p.ID, Automatic: true})
}

// accept takes the order for the partner to whom it was offered; another partner's offer does not exist for it. Accepting again changes
// nothing. The event belongs to the order's trace, whatever request made it.
func (m *Match) accept(partnerID string, meta event.Meta) error {
	switch {
	case m.PartnerID != partnerID:
		return noOffer(m.ID)
	case m.State == Accepted:
		return nil
	case m.State != Offered:
		return problem.New(problem.Conflict, "The offer %s is %s and cannot be accepted any more.", m.ID, m.State)
	}
	m.State = Accepted
	meta.VisitID, meta.Traceparent = m.VisitID, m.Traceparent
	return m.Emit(meta, event.Accepted{OrderID: m.ID, PartnerID: m.PartnerID})
}

func noOffer(id string) error {
	return problem.New(problem.NotFound, "There is no offer %s for you.", id)
}
