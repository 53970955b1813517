package order

import (
	"context"
	"errors"
	"time"

	"kreislauf/internal/broker"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
	"kreislauf/internal/telemetry"
)

func (s *service) consume(ctx context.Context, e event.Event) error {
	if e.Type != event.TypeAccepted {
		return nil // offers and failures do not change an order's state
	}
	a, err := event.Decode[event.Accepted](e)
	if err != nil {
		return broker.Permanent(err)
	}
	for {
		o, err := s.orders.get(ctx, a.OrderID)
		if problem.KindOf(err) == problem.NotFound {
			return broker.Permanent(err)
		}
		if err != nil {
			return err
		}
		now := time.Now().UTC().Truncate(time.Millisecond)
		ev, done, err := o.match(a.PartnerID, event.Meta{
			Source: "order", Customer: s.Settings.Customer, Traceparent: telemetry.Traceparent(ctx), At: now,
		})
		if err != nil {
			return broker.Permanent(err)
		}
		if done {
			return nil
		}
		switch err := s.orders.matched(ctx, o, a.PartnerID, now, ev); {
		case errors.Is(err, errStale):
			continue
		case err != nil:
			return err
		}
		s.relay.Kick(o.ID)
		return nil
	}
}
