package pricing

import (
	"context"

	"kreislauf/internal/event"
)

func (s *service) consume(ctx context.Context, e event.Event, payload event.Payload) error {
	if due, ok := payload.(event.StandingDue); ok {
		return s.quoteStanding(ctx, e, due)
	}
	placed, ok := payload.(event.Placed)
	if !ok {
		return nil // other order events do not concern prices
	}
	return s.sales.record(ctx, sale{
		ID: placed.OrderID, QuoteID: placed.QuoteID, Postcode: placed.Postcode, Waste: placed.Waste,
		SizeM3: placed.SizeM3, Date: placed.Date, Price: placed.Price, At: e.Time,
	})
}

// quoteStanding answers an occurrence of a standing order; a second delivery finds the first one's answer.
func (s *service) quoteStanding(ctx context.Context, e event.Event, due event.StandingDue) error {
	meta := s.meta(ctx)
	meta.Customer = e.Customer
	q, err := quoteStanding(due, s.key, s.now().In(s.zone), meta)
	if err != nil {
		return err
	}
	_, err = s.standing.Insert(ctx, q)
	return err
}
