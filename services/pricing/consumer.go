package pricing

import (
	"context"

	"kreislauf/internal/broker"
	"kreislauf/internal/event"
)

func (s *service) consume(ctx context.Context, e event.Event) error {
	if e.Type != event.TypePlaced {
		return nil // other order events do not concern prices
	}
	placed, err := event.Decode[event.Placed](e)
	if err != nil {
		return broker.Permanent(err)
	}
	return s.sales.record(ctx, sale{
		ID: placed.OrderID, QuoteID: placed.QuoteID, Postcode: placed.Postcode, Waste: placed.Waste,
		SizeM3: placed.SizeM3, Date: placed.Date, Price: placed.Price, At: e.Time,
	})
}
