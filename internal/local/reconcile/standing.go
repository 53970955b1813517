package reconcile

import (
	"kreislauf/services/customer"
	"kreislauf/services/order"
)

// occurrences compares standing orders with the orders that they have made: each day that was told of has one order, or a refusal.
func (l *look) occurrences() {
	made := map[[2]string]order.Order{}
	for _, o := range l.orders {
		if o.StandingID == "" {
			continue
		}
		of := [2]string{o.StandingID, o.Occurrence}
		if other, twice := made[of]; twice {
			l.find(later(o.PlacedAt, other.PlacedAt), grace, "standing order %s: its day %s has two orders, %s and %s; cancel one", o.StandingID, o.Occurrence, other.ID, o.ID)
		}
		made[of] = o
		if _, known := l.standing[o.StandingID]; !known {
			l.find(o.PlacedAt, grace, "order %s: the standing order %s that made it does not exist; find out who removed it", o.ID, o.StandingID)
		}
	}
	for _, s := range l.standing {
		for _, day := range s.Occurrences {
			o, ordered := made[[2]string{s.ID, day.Day}]
			switch {
			case ordered && day.OrderID != o.ID:
				l.find(later(day.At, o.PlacedAt), grace, "standing order %s: its day %s was ordered as %s, and it says %s; look at the dead letters of customer", s.ID, day.Day, o.ID, day.State)
			case !ordered && day.State == customer.Due:
				l.find(day.At, grace, "standing order %s: its day %s has neither an order nor a refusal; look at the dead letters of pricing and order", s.ID, day.Day)
			case !ordered && day.State == customer.Placed:
				l.find(day.At, grace, "standing order %s: its day %s was ordered as %s, which does not exist; find out who removed it", s.ID, day.Day, day.OrderID)
			}
		}
	}
}
