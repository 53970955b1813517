package order

import (
	"context"

	"kreislauf/internal/event"
	"kreislauf/internal/network"
)

func (s *service) consume(ctx context.Context, e event.Event, payload event.Payload) error {
	var id string
	var decide func(*Order) error
	meta, moves := s.meta(ctx), false // to another partner's capacity, or out of all
	switch p := payload.(type) {
	case event.PartnerChanged:
		return s.places.learn(ctx, network.PartnerOf(p))
	case event.Accepted:
		moves, id, decide = true, p.OrderID, func(o *Order) error { return o.match(p, e.Time, meta) }
	case event.Unmatched:
		moves, id, decide = true, p.OrderID, func(o *Order) error { return o.unmatch(e.Time, meta) }
	case event.Invoiced:
		id, decide = p.OrderID, func(o *Order) error { return o.invoice(p, e.Time, meta) }
	case event.Paid:
		id, decide = p.OrderID, func(o *Order) error { return o.pay(p, e.Time, meta) }
	default:
		return nil // offers and credit notes do not change an order
	}
	o, _, err := s.orders.Change(ctx, id, decide)
	if err != nil || !moves {
		return err
	}
	return s.places.follow(ctx, o)
}
