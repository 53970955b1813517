package matching

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/outbox"
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
	ID          string    `bson:"_id"` // order id
	Version     int64     `bson:"version"`
	State       State     `bson:"state"`
	PartnerID   string    `bson:"partner_id,omitempty"`
	DistanceKm  int       `bson:"distance_km"`
	Postcode    string    `bson:"postcode"`
	Waste       string    `bson:"waste_code"`
	SizeM3      int       `bson:"size_m3"`
	Date        string    `bson:"date"`
	VisitID     string    `bson:"visit_id,omitempty"`
	Traceparent string    `bson:"traceparent"` // of the order, so that a later acceptance continues its trace
	OfferedAt   time.Time `bson:"offered_at"`
	outbox.Box  `bson:",inline"`
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
	now := meta.At.UTC().Truncate(time.Millisecond)
	meta.Subject = placed.OrderID
	m := Match{
		ID: placed.OrderID, Version: 1, Postcode: placed.Postcode, Waste: placed.Waste, SizeM3: placed.SizeM3, Date: placed.Date,
		VisitID: meta.VisitID, Traceparent: meta.Traceparent, OfferedAt: now,
	}
	var events []event.Event
	emit := func(typ string, data any) error {
		e, err := event.New(typ, meta, data)
		events = append(events, e)
		return err
	}
	p, km, found := nearest(partners, placed)
	if !found {
		m.State = Unmatched
		err := emit(event.TypeUnmatched, event.Unmatched{OrderID: m.ID, Reason: "no partner takes this waste in this region"})
		m.Box = outbox.NewBox(now, events...)
		return m, err
	}
	m.State, m.PartnerID, m.DistanceKm = Offered, p.ID, km
	err := emit(event.TypeOffered, event.Offered{OrderID: m.ID, PartnerID: p.ID})
	if err == nil && p.AutoAccept {
		m.State = Accepted
		err = emit(event.TypeAccepted, event.Accepted{OrderID: m.ID, PartnerID: p.ID, Automatic: true})
	}
	m.Box = outbox.NewBox(now, events...)
	return m, err
}

// accept is the event of a partner's own acceptance; the document's state is the store's to check and change at once.
func (m Match) accept(meta event.Meta) (event.Event, error) {
	meta.Subject, meta.VisitID, meta.Traceparent = m.ID, m.VisitID, m.Traceparent
	return event.New(event.TypeAccepted, meta, event.Accepted{OrderID: m.ID, PartnerID: m.PartnerID})
}
