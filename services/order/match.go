package order

import (
	"time"

	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
)

// Invoice is what the customer was billed.
type Invoice struct {
	Number string      `json:"number" bson:"number"`
	Total  money.Price `json:"total" bson:"total"`
	DueOn  string      `json:"due_on,omitempty" bson:"due_on,omitempty"` // YYYY-MM-DD; empty until payment.invoiced has come
	// Replaces is the number of the cancelled invoice in whose place this one is.
	Replaces string `json:"-" bson:"replaces,omitempty"`
}

// match gives the order to a partner for the pay that it was promised. The same partner again changes nothing; another one is a conflict.
// A partner that accepted while the customer cancelled has not got the order: matching hears of the cancellation and tells it.
func (o *Order) match(p event.Accepted, at time.Time, meta event.Meta) error {
	switch {
	case o.State == Cancelled:
		return nil
	case o.PartnerID == p.PartnerID:
		return nil
	case o.PartnerID != "":
		return problem.New(problem.Conflict, "The order %s cannot go to %s: it is with %s.", o.ID, p.PartnerID, o.PartnerID)
	}
	if err := o.take(stepMatch, at, meta); err != nil {
		return err
	}
	o.PartnerID, o.Pay = p.PartnerID, p.Pay
	if o.swaps() && o.Swap.PartnerID != o.PartnerID { // who has put the old container there fetches it
		o.giveUpSwap()
	}
	return o.emit(meta, event.Matched{OrderID: o.ID, PartnerID: o.PartnerID, SwapOf: o.swapOf(), Swaps: o.swaps()})
}

// unmatch records that no partner takes a placed order; in any other state somebody was faster, and it changes nothing. It emits nothing:
// matching.unmatched has told everybody.
func (o *Order) unmatch(at time.Time, meta event.Meta) error {
	if o.State != Placed {
		return nil
	}
	return o.take(stepUnmatch, at, meta)
}

// invoice records that the customer was billed. payment bills what order.weighed told it, and order.weighed is published only after the order
// is weighed in the database. So an order that is not weighed is a copy from a backup, and no wait mends it: the conflict makes the event a
// dead letter, which can be replayed, and holds up no other order. So does a second invoice, unless it replaces the first.
func (o *Order) invoice(p event.Invoiced, at time.Time, meta event.Meta) error {
	if o.Invoice == nil {
		if err := o.take(stepInvoice, at, meta); err != nil {
			return err
		}
		o.Invoice = &Invoice{Number: p.Number, Total: p.Total}
	}
	switch {
	case p.Replaces == o.Invoice.Number: // the order stays paid if it was: what was paid is taken over
		*o.Invoice = Invoice{Number: p.Number, Total: p.Total}
	case o.Invoice.Replaces != "" && o.Invoice.Replaces == p.Number:
		return nil // the cancelled one is told of late
	case o.Invoice.Number != p.Number:
		return problem.New(problem.Conflict, "The order %s cannot have the invoice %s: it has %s.", o.ID, p.Number, o.Invoice.Number)
	}
	o.Invoice.DueOn, o.Invoice.Replaces = p.DueOn, p.Replaces
	return nil
}

// pay records that the invoice was paid. Its invoice may be told of later, when payment tells of the two under different subjects: then it
// is known without the day on which it is due, until that comes. Waiting for it could block the partition in which it comes.
func (o *Order) pay(p event.Paid, at time.Time, meta event.Meta) error {
	if o.Invoice == nil {
		if err := o.take(stepInvoice, at, meta); err != nil {
			return err
		}
		o.Invoice = &Invoice{Number: p.Number, Total: p.Total}
	}
	switch {
	case o.Invoice.Replaces == p.Number && p.Number != "":
		return nil // of the cancelled one, told of late
	case o.Invoice.Number != p.Number:
		return problem.New(problem.Conflict, "The order %s has the invoice %s, not %s.", o.ID, o.Invoice.Number, p.Number)
	case o.State == Paid:
		return nil
	}
	return o.take(stepPay, at, meta)
}
