package pricing

import (
	"context"

	"kreislauf/internal/event"
)

func (s *service) consume(ctx context.Context, e event.Event, payload event.Payload) error {
	placed, ok := payload.(event.Placed)
	if !ok {
		return nil // other order events do not concern prices
	}
	return s.sales.record(ctx, sale{
		ID: placed.OrderID, QuoteID: placed.QuoteID, Postcode: placed.Postcode, Waste: placed.Waste,
		SizeM3: placed.SizeM3, Date: placed.Date, Price: placed.Price, At: e.Time,
	})
}
