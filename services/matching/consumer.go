package matching

import (
	"context"
	"time"

	"kreislauf/internal/broker"
	"kreislauf/internal/event"
	"kreislauf/internal/telemetry"
)

func (s *service) consume(ctx context.Context, e event.Event) error {
	if e.Type != event.TypePlaced {
		return nil // order.matched is our own doing
	}
	placed, err := event.Decode[event.Placed](e)
	if err != nil {
		return broker.Permanent(err)
	}
	partners, err := s.store.allPartners(ctx)
	if err != nil {
		return err
	}
	m, err := newMatch(partners, placed, event.Meta{
		Source: "matching", Customer: e.Customer, VisitID: e.VisitID, Traceparent: telemetry.Traceparent(ctx), At: time.Now(),
	})
	if err != nil {
		return broker.Permanent(err)
	}
	if err := s.store.insert(ctx, m); err != nil {
		return err
	}
	s.relay.Kick(m.ID)
	return nil
}
