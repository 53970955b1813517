package order

import (
	"context"

	"kreislauf/internal/event"
)

func (s *service) consume(ctx context.Context, _ event.Event, payload event.Payload) error {
	var id string
	var decide func(*Order) error
	meta := s.meta(ctx)
	switch p := payload.(type) {
	case event.Accepted:
		id, decide = p.OrderID, func(o *Order) error { return o.match(p.PartnerID, meta) }
	case event.Unmatched:
		id, decide = p.OrderID, func(o *Order) error { o.unmatch(meta.At); return nil }
	default:
		return nil // offers do not change an order
	}
	_, _, err := s.orders.Change(ctx, id, decide)
	return err
}
