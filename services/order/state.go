package order

import (
	"slices"
	"strings"
	"time"

	"kreislauf/internal/event"
	"kreislauf/internal/problem"
)

// State of an order.
type State string

// The states.
const (
	Placed    State = "placed"    // accepted from the customer, a partner is being looked for
	Matched   State = "matched"   // a partner has taken it
	Unmatched State = "unmatched" // no partner takes it; the back office looks after it
	OnSite    State = "on_site"   // the container stands where it was ordered
	Collected State = "collected" // it was fetched and is on its way to the scale
	Weighed   State = "weighed"   // the work is done
	Invoiced  State = "invoiced"  // the customer was billed
	Paid      State = "paid"      // the customer has paid
	Cancelled State = "cancelled" // it ends without a bill
	Void      State = "void"      // it was never placed: the instance that was placing it died, see capacity.sweep. Nobody sees it
)

// step is what can be done with an order, in the words of its routes.
type step string

const (
	stepMatch      step = "match"
	stepUnmatch    step = "unmatch"
	stepCancel     step = "cancel"
	stepPlan       step = "plan"
	stepFailedTrip step = "failed-trip"
	stepOnSite     step = "on-site"
	stepSwapped    step = "swapped"
	stepPickUp     step = "pick-up"
	stepCollected  step = "collected"
	stepWeighed    step = "weighed"
	stepCorrect    step = "correct"
	stepInvoice    step = "invoice"
	stepPay        step = "pay"
)

// rule says in which states a step is possible and to which it leads; empty: the state stays.
type rule struct {
	step step
	from []State
	to   State
}

// machine is the whole state machine.
//
//	placed -> matched -> on_site -> collected -> weighed -> invoiced -> paid
//	placed -> unmatched -> matched;  placed, matched, unmatched -> cancelled
func machine() []rule {
	return []rule{
		{stepMatch, []State{Placed, Unmatched}, Matched},
		{stepUnmatch, []State{Placed}, Unmatched},
		{stepCancel, []State{Placed, Matched, Unmatched}, Cancelled},
		{stepPlan, []State{Matched, OnSite, Collected}, ""},
		{stepFailedTrip, []State{Matched, OnSite}, ""},
		{stepOnSite, []State{Matched}, OnSite},
		{stepSwapped, []State{Matched}, OnSite},
		{stepPickUp, []State{OnSite}, ""},
		{stepCollected, []State{OnSite}, Collected},
		{stepWeighed, []State{Collected}, Weighed},
		{stepCorrect, []State{OnSite, Collected, Weighed, Invoiced, Paid}, ""},
		{stepInvoice, []State{Weighed}, Invoiced},
		{stepPay, []State{Invoiced}, Paid},
	}
}

// open lists the states in which the partner has something to do.
func open() []State { return []State{Matched, OnSite, Collected} }

// take takes a step that happened at a time: it moves the order to the step's state, or refuses (Conflict) and says what is possible.
func (o *Order) take(s step, at time.Time, meta event.Meta) error {
	var possible []string
	for _, r := range machine() {
		switch {
		case !slices.Contains(r.from, o.State):
		case r.step != s:
			possible = append(possible, string(r.step))
		default:
			if r.to != "" {
				o.State = r.to
				o.History = append(o.History, Step{State: r.to, At: at, RecordedAt: meta.At})
			}
			return nil
		}
	}
	if possible == nil {
		return problem.New(problem.Conflict, "The order %s is %s, so the step %s is not possible, and no other is.", o.ID, o.State, s)
	}
	return problem.New(problem.Conflict, "The order %s is %s, so the step %s is not possible; possible are %s.", o.ID, o.State, s,
		strings.Join(possible, ", "))
}
