package matching

import (
	"context"
	"fmt"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
	"kreislauf/internal/network"
	"kreislauf/internal/problem"
)

func (s *service) consume(ctx context.Context, e event.Event, payload event.Payload) error {
	switch p := payload.(type) {
	case event.PartnerChanged:
		return s.partners.put(ctx, network.PartnerOf(p))
	case event.Placed:
		return s.match(ctx, e, p)
	case event.Cancelled:
		return s.withdraw(ctx, p.OrderID)
	}
	return nil // the other steps of an order change no match
}

// match looks for a partner. While no partner is known at all it fails, so that the order is tried again: disposer tells of its partners
// within moments of its first start, and an order that came earlier must not be lost for that.
func (s *service) match(ctx context.Context, e event.Event, placed event.Placed) error {
	partners, err := s.partners.all(ctx)
	if err != nil {
		return err
	}
	if len(partners) == 0 {
		return fmt.Errorf("match order %s: no partner is known yet, disposer has told of none", placed.OrderID)
	}
	swapper, err := s.swapper(ctx, placed.SwapOf)
	if err != nil {
		return err
	}
	meta := s.meta(ctx)
	meta.Customer, meta.VisitID = e.Customer, e.VisitID
	m, err := newMatch(partners, placed, swapper, meta, s.window)
	if err != nil {
		return err
	}
	_, err = s.matches.Insert(ctx, m) // the order's second delivery finds the first one and changes nothing
	return err
}

// swapper is the partner that has an order whose container is to be swapped; empty for no order, and when it is not known here.
func (s *service) swapper(ctx context.Context, orderID string) (partnerID string, err error) {
	if orderID == "" {
		return "", nil
	}
	m, err := s.matches.Get(ctx, orderID)
	if problem.KindOf(err) == problem.NotFound || err == nil && m.State != Accepted {
		return "", nil
	}
	return m.PartnerID, err
}

// withdraw closes the match of a cancelled order. An order is told of before its end, so an unknown one means that its order.placed lies
// among the dead letters: it gets a match that is closed from the beginning, and a replay of that letter offers nothing.
func (s *service) withdraw(ctx context.Context, orderID string) error {
	meta := s.meta(ctx)
	_, _, err := s.matches.Change(ctx, orderID, func(m *Match) error { m.withdraw(meta.At); return nil })
	if problem.KindOf(err) != problem.NotFound {
		return err
	}
	duplicate, err := s.matches.Insert(ctx, Match{Root: aggregate.New(orderID), State: Withdrawn, Traceparent: meta.Traceparent})
	if duplicate {
		return fmt.Errorf("withdraw order %s: it was matched at this moment", orderID)
	}
	return err
}
