package order

import (
	"strings"
	"time"

	"kreislauf/internal/audit"
	"kreislauf/internal/authz"
	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
)

// Cancellation says who ended the order and why. Customer, partner and back office see it.
type Cancellation struct {
	By     authz.Role `json:"by" bson:"by"`
	Reason string     `json:"reason" bson:"reason"`
}

// cancel ends an order that has not begun. The same person's role with the same reason again changes nothing. What the back office cancels
// belongs to somebody else, so it is audited.
func (o *Order) cancel(by authz.Caller, reason string, meta event.Meta) error {
	reason = strings.TrimSpace(reason)
	if !oneLine(reason, 5, 500) {
		return problem.InvalidField("/reason", "one line of 5 to 500 characters is needed that says why; no names or addresses of persons")
	}
	if c := o.Cancellation; c != nil {
		if *c == (Cancellation{by.Role, reason}) {
			return nil
		}
		return problem.New(problem.Conflict, "The order %s was cancelled already (%s): %s", o.ID, c.By, c.Reason)
	}
	if by := o.SwappedBy; by != nil {
		return problem.New(problem.Conflict, "The container of the order %s is on site and is swapped by the order %s; cancel that one, or let it be fetched.", o.ID, by.OrderID)
	}
	before := *o
	if err := o.take(stepCancel, meta.At, meta); err != nil {
		return err
	}
	o.Cancellation = &Cancellation{by.Role, reason}
	o.giveUpSwap()
	if by.Role == authz.BackOffice {
		if err := o.audit(by, before, "order.cancel", reason, meta); err != nil {
			return err
		}
	}
	return o.emit(meta, event.Cancelled{OrderID: o.ID, UserID: o.UserID, PartnerID: o.PartnerID, By: string(by.Role), Reason: reason, SwapOf: o.swapOf()})
}

// audit writes down what the back office has done with somebody else's order.
func (o *Order) audit(by authz.Caller, before Order, operation, reason string, meta event.Meta) error {
	change, err := audit.Diff(viewOf(before), viewOf(*o))
	if err != nil {
		return err
	}
	return o.Add(audit.Entry{
		At: meta.At, Actor: audit.Actor{UserID: by.UserID, Role: by.Role, Tenant: meta.Customer, Behalf: o.UserID}, Operation: operation,
		Subject: "order/" + o.ID, Reason: reason, Change: change, TraceID: traceOf(meta.Traceparent),
	})
}

// traceOf is the trace id of a W3C traceparent, "" in none.
func traceOf(traceparent string) string {
	if parts := strings.Split(traceparent, "-"); len(parts) == 4 {
		return parts[1]
	}
	return ""
}

// askPickUp keeps the day on which the customer wants the container fetched; another day takes its place. today is a local time.
func (o *Order) askPickUp(date string, today time.Time, meta event.Meta) error {
	if err := o.take(stepPickUp, meta.At, meta); err != nil {
		return err
	}
	if by := o.SwappedBy; by != nil {
		return problem.New(problem.Conflict, "The container of the order %s is swapped by the order %s on %s; cancel that one if it is only to be fetched.", o.ID, by.OrderID, by.Date)
	}
	if o.PickUpOn == date && date != "" {
		return nil
	}
	if err := catalog.CheckDate(o.Postcode, date, today); err != nil {
		return problem.InvalidField("/date", "%v", err)
	}
	o.PickUpOn = date
	return nil
}
