package order

import (
	"context"
	"errors"
	"time"

	"kreislauf/internal/event"
	"kreislauf/internal/network"
	"kreislauf/internal/problem"
	"kreislauf/internal/signed"
)

func (s *service) consume(ctx context.Context, e event.Event, payload event.Payload) error {
	var id string
	var decide func(*Order) error
	alone := func(do func(*Order)) func(*Order) error { return func(o *Order) error { do(o); return nil } }
	meta, moves := s.meta(ctx), false // to another partner's capacity, or out of all
	switch p := payload.(type) {
	case event.PartnerChanged:
		if err := s.takers.put(ctx, takerOf(p)); err != nil {
			return err
		}
		return s.places.learn(ctx, network.PartnerOf(p))
	case event.Accepted:
		moves, id, decide = true, p.OrderID, func(o *Order) error { return o.match(p, e.Time, meta) }
	case event.Unmatched:
		moves, id, decide = true, p.OrderID, func(o *Order) error { return o.unmatch(e.Time, meta) }
	// What a new order tells the older one whose container it swaps. Each may come again, and late.
	case event.Placed:
		return s.askSwap(ctx, p, e.Time)
	case event.Matched:
		id, decide = p.SwapOf, alone(func(o *Order) {
			if !p.Swaps {
				o.notSwapped(p.OrderID, true)
			}
		})
	case event.Cancelled:
		id, decide = p.SwapOf, alone(func(o *Order) { o.notSwapped(p.OrderID, false) })
	case event.OnSite:
		driver, err := s.driverOf(ctx, p)
		if err != nil {
			return err
		}
		id, decide = p.SwapOf, func(o *Order) error {
			if p.Swapped {
				return o.swapped(p.OrderID, driver, p.At, meta)
			}
			o.notSwapped(p.OrderID, true)
			return nil
		}
	case event.Corrected:
		id, decide = p.SwappedBy, alone(func(o *Order) { o.swapsContainer(p.Container) })
	case event.Collected: // and what the older one tells the new one
		id, decide = p.NotSwappedBy, alone((*Order).giveUpSwap)
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
	if id == "" {
		return nil // it swaps nothing
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

// driverOf is who has made a swap: the container that was taken along is on that truck, so the same driver weighs it.
func (s *service) driverOf(ctx context.Context, p event.OnSite) (string, error) {
	if !p.Swapped {
		return "", nil
	}
	o, err := s.orders.Get(ctx, p.OrderID)
	return o.DriverID, err
}

// askSwap tells an order that a new one swaps its container. One whose container was fetched at the same moment has nothing to be swapped.
func (s *service) askSwap(ctx context.Context, p event.Placed, at time.Time) error {
	if p.SwapOf == "" {
		return nil
	}
	old, _, err := s.orders.Change(ctx, p.SwapOf, func(o *Order) error {
		o.toBeSwapped(SwappedBy{p.OrderID, p.Date, at})
		return nil
	})
	if err != nil || old.State == OnSite {
		return err
	}
	_, _, err = s.orders.Change(ctx, p.OrderID, func(o *Order) error { o.giveUpSwap(); return nil })
	return err
}
