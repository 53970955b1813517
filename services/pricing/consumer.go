package pricing

import (
	"context"

	"kreislauf/internal/event"
	"kreislauf/internal/network"
)

func (s *service) consume(ctx context.Context, e event.Event, payload event.Payload) error {
	switch p := payload.(type) {
	case event.Placed:
		return s.sales.record(ctx, sale{
			ID: p.OrderID, QuoteID: p.QuoteID, Postcode: p.Postcode, Waste: p.Waste, SizeM3: p.SizeM3, Date: p.Date, Price: p.Price, At: e.Time,
		})
	case event.PartnerChanged:
		return s.known.learnPartner(ctx, network.PartnerOf(p))
	case event.CapacityChanged:
		return s.known.learnDay(ctx, p)
	}
	return nil // other events do not concern prices
}
