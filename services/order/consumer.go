package order

import (
	"context"

	"kreislauf/internal/event"
)

func (s *service) consume(ctx context.Context, e event.Event, payload event.Payload) error {
	var id string
	var decide func(*Order) error
	meta := s.meta(ctx)
	switch p := payload.(type) {
	case event.Accepted:
		id, decide = p.OrderID, func(o *Order) error { return o.match(p, e.Time, meta) }
	case event.Unmatched:
		id, decide = p.OrderID, func(o *Order) error { return o.unmatch(e.Time, meta) }
	case event.Invoiced:
		id, decide = p.OrderID, func(o *Order) error { return o.invoice(p, e.Time, meta) }
	case event.Paid:
		id, decide = p.OrderID, func(o *Order) error { return o.pay(p, e.Time, meta) }
	default:
		return nil // offers and credit notes do not change an order
	}
	_, _, err := s.orders.Change(ctx, id, decide)
	return err
}
