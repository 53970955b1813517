package pricing

import (
	"context"

	"kreislauf/internal/event"
	"kreislauf/internal/network"
)

func (s *service) consume(ctx context.Context, e event.Event, payload event.Payload) error {
	switch p := payload.(type) {
	case event.StandingDue:
		return s.quoteStanding(ctx, e, p)
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
