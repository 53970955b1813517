package order

import (
	"context"
	"time"

	"kreislauf/internal/event"
)

func (s *service) consume(ctx context.Context, e event.Event, payload event.Payload) error {
	var id string
	var decide func(*Order) error
	alone := func(do func(*Order)) func(*Order) error { return func(o *Order) error { do(o); return nil } }
	meta := s.meta(ctx)
	switch p := payload.(type) {
	case event.Accepted:
		id, decide = p.OrderID, func(o *Order) error { return o.match(p, e.Time, meta) }
	case event.Unmatched:
		id, decide = p.OrderID, func(o *Order) error { return o.unmatch(e.Time, meta) }
	case event.PartnerChanged:
		return s.partners.put(ctx, partnerOf(p))
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
		id, decide = p.SwapOf, func(o *Order) error {
			if p.Swapped {
				return o.swapped(p.OrderID, p.At, meta)
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
	default:
		return nil // offers and credit notes do not change an order
	}
	if id == "" {
		return nil // it swaps nothing
	}
	_, _, err := s.orders.Change(ctx, id, decide)
	return err
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
