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
	switch e.Type {
	case event.TypeAccepted:
		a, err := event.Decode[event.Accepted](e)
		if err != nil {
			return broker.Permanent(err)
		}
		return s.change(ctx, a.OrderID, func(o Order, at time.Time) (transition, bool, error) {
			return o.match(a.PartnerID, event.Meta{
				Source: "order", Customer: s.Settings.Customer, Traceparent: telemetry.Traceparent(ctx), At: at,
			})
		})
	case event.TypeUnmatched:
		u, err := event.Decode[event.Unmatched](e)
		if err != nil {
			return broker.Permanent(err)
		}
		return s.change(ctx, u.OrderID, func(o Order, at time.Time) (transition, bool, error) {
			t, done := o.unmatch(at)
			return t, done, nil
		})
	}
	return nil // offers do not change an order
}

// change reads an order, decides on a transition and writes it; it decides again when another instance was faster.
// decide is pure; its error means that the event can never apply.
func (s *service) change(ctx context.Context, id string, decide func(Order, time.Time) (t transition, done bool, err error)) error {
	for {
		o, err := s.orders.get(ctx, id)
		if problem.KindOf(err) == problem.NotFound {
			return broker.Permanent(err)
		}
		if err != nil {
			return err
		}
		t, done, err := decide(o, time.Now().UTC().Truncate(time.Millisecond))
		if err != nil {
			return broker.Permanent(err)
		}
		if done {
			return nil
		}
		switch err := s.orders.apply(ctx, o, t); {
		case errors.Is(err, errStale):
			continue
		case err != nil:
			return err
		}
		s.relay.Kick(o.ID)
		return nil
	}
}
