package customer

import (
	"context"

	"kreislauf/internal/event"
)

func (s *service) consume(ctx context.Context, _ event.Event, payload event.Payload) error {
	switch p := payload.(type) {
	case event.SiteChanged:
		return s.moveStanding(ctx, p)
	case event.Placed:
		if p.StandingID != "" {
			return s.settle(ctx, p.StandingID, p.Occurrence, Occurrence{State: Placed, Date: p.Date, OrderID: p.OrderID})
		}
		return s.forgetOrdered(ctx, p)
	case event.QuoteRefused:
		return s.settle(ctx, p.StandingID, p.Occurrence, Occurrence{State: Refused, Reason: p.Reason})
	case event.StandingRefused:
		return s.settle(ctx, p.StandingID, p.Occurrence, Occurrence{State: Refused, Reason: p.Reason})
	}
	return nil // the other steps of an order change nothing here
}

// moveStanding lets the standing orders of a site follow it. The site is read again: an event that comes late must not move them back.
func (s *service) moveStanding(ctx context.Context, told event.SiteChanged) error {
	site, err := s.sites.Get(ctx, told.SiteID)
	if err != nil {
		return err
	}
	list, err := s.standing.at(ctx, site.ID)
	if err != nil {
		return err
	}
	meta := s.meta(ctx)
	for _, o := range list {
		_, _, err := s.standing.Change(ctx, o.ID, func(o *Standing) error {
			if o.SiteID == site.ID {
				o.move(site.state(site.Version), meta, s.zone)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// settle writes down what became of an occurrence. A standing order that is not there is a copy from a backup, and no wait mends it.
func (s *service) settle(ctx context.Context, id, day string, became Occurrence) error {
	_, _, err := s.standing.Change(ctx, id, func(o *Standing) error { o.settle(day, became); return nil })
	return err
}

// forgetOrdered deletes the drafts that have become an order.
func (s *service) forgetOrdered(ctx context.Context, p event.Placed) error {
	list, err := s.drafts.of(ctx, p.UserID)
	if err != nil {
		return err
	}
	for _, d := range list {
		if d.orderedBy(p) {
			if err := s.drafts.Delete(ctx, d.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
