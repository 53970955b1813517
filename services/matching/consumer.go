package matching

import (
	"context"

	"kreislauf/internal/event"
)

func (s *service) consume(ctx context.Context, e event.Event, payload event.Payload) error {
	placed, ok := payload.(event.Placed)
	if !ok {
		return nil // order.matched is our own doing
	}
	partners, err := s.partners.all(ctx)
	if err != nil {
		return err
	}
	meta := s.meta(ctx)
	meta.Customer, meta.VisitID = e.Customer, e.VisitID
	m, err := newMatch(partners, placed, meta)
	if err != nil {
		return err
	}
	_, err = s.matches.Insert(ctx, m) // the order's second delivery finds the first one and changes nothing
	return err
}
