package order

import (
	"context"
	"errors"

	"kreislauf/internal/event"
	"kreislauf/internal/network"
	"kreislauf/internal/problem"
	"kreislauf/internal/signed"
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
	case event.SiteChanged:
		return s.sites.put(ctx, SiteOf(p))
	case event.StandingQuoted:
		meta.Customer = e.Customer
		return s.placeStanding(ctx, p, meta)
	default:
		return nil // offers and credit notes do not change an order
	}
	o, _, err := s.orders.Change(ctx, id, decide)
	if err != nil || !moves {
		return err
	}
	return s.places.follow(ctx, o)
}

// placeStanding makes the one order of an occurrence of a standing order, or says why not. Whatever came of it first stays.
func (s *service) placeStanding(ctx context.Context, p event.StandingQuoted, meta event.Meta) error {
	site, known, err := s.sites.find(ctx, p.Due.SiteID)
	if err != nil {
		return err
	}
	if _, err := s.refusals.Get(ctx, standingOrderID(p)); problem.KindOf(err) != problem.NotFound {
		return err
	}
	q, reason, err := whyNot(p, site, known, s.key, s.now().In(s.zone), meta.At)
	if errors.Is(err, signed.ErrForged) {
		return problem.Wrap(problem.Invalid, err, "The quote of the standing order is not ours.")
	}
	if err != nil {
		return err
	}
	slot := ""
	if reason == "" {
		slot, err = s.places.book(ctx, standingOrderID(p), network.Job{Postcode: q.Postcode, Waste: q.Waste, SizeM3: q.SizeM3, Date: q.Date})
		switch {
		case problem.KindOf(err) == problem.Conflict:
			reason = "all containers of its size are taken on its day"
		case err != nil:
			return err
		}
	}
	if reason == "" {
		o, err := placeStanding(p, q, slot, meta)
		if err != nil {
			return err
		}
		_, err = s.orders.Insert(ctx, o) // a second delivery finds the first one's order
		return err
	}
	refusal, err := refuseStanding(p, reason, meta)
	if err != nil {
		return err
	}
	if _, err := s.orders.Get(ctx, refusal.ID); problem.KindOf(err) != problem.NotFound {
		return err
	}
	_, err = s.refusals.Insert(ctx, refusal)
	return err
}
