package order

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"kreislauf/internal/event"
	"kreislauf/internal/problem"
	"kreislauf/internal/quote"
)

// A swap is an order of its own whose truck takes the full container of an older order away when it brings the new one. Both are weighed,
// billed and credited by themselves. The new order decides; it tells the older one by events, so neither is ever half done: see consumer.go.
//
// What really happens can always be recorded: the new container may be put on site, and the old one fetched, each by itself. Then it was no
// swap, and both orders go on like any other.

// Swap is the container that the truck of this order takes away.
type Swap struct {
	Of string `bson:"of"` // the order that it belongs to
	// Claim is as Of while the swap can come about; of all orders one at most has it. Empty: the swap was given up.
	Claim     string `bson:"claim,omitempty"`
	Container string `bson:"container"`      // its number, as painted on it
	PartnerID string `bson:"partner_id"`     // who has put it there
	Done      bool   `bson:"done,omitempty"` // it was taken away in the trip that brought this order's container
}

// SwappedBy is the order whose truck takes the container of this one away.
type SwappedBy struct {
	OrderID string    `bson:"order_id"`
	Date    string    `bson:"date"`     // on which the customer wants it, YYYY-MM-DD
	AskedAt time.Time `bson:"asked_at"` // of two the later one counts
}

// swaps says whether the container of an older order is to be taken away in the trip that brings this order's.
func (o *Order) swaps() bool { return o.Swap != nil && o.Swap.Claim != "" }

// swapOf is the order whose container this one's truck takes away, for events.
func (o *Order) swapOf() string {
	if o.Swap == nil {
		return ""
	}
	return o.Swap.Of
}

// swapFor makes the swap of this order's container for a new order; the error says why it cannot be swapped.
func (o *Order) swapFor(r Request, q quote.Quote) (*Swap, error) {
	switch o.State {
	case OnSite:
	case Placed, Matched, Unmatched:
		return nil, problem.New(problem.Conflict, "The container of the order %s is not on site yet; it can be swapped when it is.", o.ID)
	case Cancelled:
		return nil, problem.New(problem.Conflict, "The order %s was cancelled, so there is no container to swap; order without swap_of.", o.ID)
	default:
		return nil, problem.New(problem.Conflict, "The container of the order %s was fetched already; order without swap_of.", o.ID)
	}
	var fields []problem.Field
	if q.Postcode != o.Postcode {
		fields = append(fields, problem.Field{Pointer: "/quote", Detail: fmt.Sprintf("is for %s, and the container that is swapped stands in %s", q.Postcode, o.Postcode)})
	}
	if r.Address.Street != o.Address.Street || r.Address.City != o.Address.City {
		fields = append(fields, problem.Field{Pointer: "/address", Detail: fmt.Sprintf("must be where the container stands that is swapped: %s, %s", o.Address.Street, o.Address.City)})
	}
	if fields != nil {
		return nil, &problem.Error{Kind: problem.Invalid, Detail: "A swap is made where the full container stands; see errors.", Fields: fields}
	}
	return &Swap{Of: o.ID, Claim: o.ID, Container: o.Container, PartnerID: o.PartnerID}, nil
}

// errSecondSwap refuses a second swap of a container.
func errSecondSwap(of string) error {
	return problem.New(problem.Conflict, "The container of the order %s is to be swapped already; cancel that order before you place another one.", of)
}

// putSwapped records that the new container stands where it was ordered, and that the same truck took the old one's with it.
func (o *Order) putSwapped(container string, said *time.Time, old Order, meta event.Meta) error {
	container = strings.TrimSpace(container)
	if err := checkContainer(container); err != nil {
		return err
	}
	done, ok := o.reached(OnSite)
	switch {
	case ok && o.Swap != nil && o.Swap.Done && o.Container == container && sameMoment(said, done.At):
		return nil
	case ok:
		return o.recorded("container %s on site at %s, the order is %s", o.Container, done.At.Format(time.RFC3339), o.State)
	case o.State == Matched && !o.swaps():
		return problem.New(problem.Conflict, "The order %s is matched and swaps no container; record that its own is on site, and another one's trip with its own job.", o.ID)
	case o.State == Matched && old.State != OnSite:
		return problem.New(problem.Conflict, "The order %s is %s: its container is not there any more; record that the one of %s is on site.", old.ID, old.State, o.ID)
	case container == old.Container:
		return problem.InvalidField("/container", "%s is the container that is fetched; give the number of the one that stays", container)
	}
	earliest := o.PlacedAt
	if there, _ := old.reached(OnSite); there.At.After(earliest) {
		earliest = there.At
	}
	at, err := moment(said, earliest, meta)
	if err != nil {
		return err
	}
	if err := o.take(stepSwapped, at, meta); err != nil {
		return err
	}
	o.Container, o.Plan = container, nil
	swap := *o.Swap
	swap.Done = true
	o.Swap = &swap
	return o.emit(meta, o.onSite(at))
}

// swapsContainer keeps the right number of the container that is to be fetched, which somebody has corrected.
func (o *Order) swapsContainer(number string) {
	if !o.swaps() || o.Swap.Done {
		return
	}
	swap := *o.Swap
	swap.Container = number
	o.Swap = &swap
}

// giveUpSwap makes it an order like any other: somebody fetches the old container in another trip.
func (o *Order) giveUpSwap() {
	if !o.swaps() || o.Swap.Done {
		return
	}
	swap := *o.Swap
	swap.Claim = ""
	o.Swap = &swap
}

// toBeSwapped keeps that a newer order swaps the container, which needs no other pick-up then. Of two the later one counts, in whatever order they come.
func (o *Order) toBeSwapped(by SwappedBy) {
	if o.State != OnSite || o.SwappedBy != nil && by.AskedAt.Before(o.SwappedBy.AskedAt) {
		return
	}
	o.SwappedBy, o.PickUpOn = &by, ""
}

// notSwapped keeps that the newer order does not swap the container. With pickUp it must still be fetched, as on the day of the swap.
func (o *Order) notSwapped(by string, pickUp bool) {
	if o.State != OnSite || o.SwappedBy == nil || o.SwappedBy.OrderID != by {
		return
	}
	if pickUp {
		o.PickUpOn = o.SwappedBy.Date
	}
	o.SwappedBy = nil
}

// swapped records that the truck of a newer order took the container with it, and who drove, if that is known. A fetching that was recorded
// meanwhile stays.
func (o *Order) swapped(by, driverID string, at time.Time, meta event.Meta) error {
	if _, ok := o.reached(Collected); ok {
		return nil
	}
	if there, _ := o.reached(OnSite); at.Before(there.At) { // its time was corrected since
		at = there.At
	}
	if err := o.take(stepCollected, at, meta); err != nil {
		return err
	}
	o.DriverID = cmp.Or(driverID, o.DriverID)
	if o.SwappedBy == nil || o.SwappedBy.OrderID != by {
		o.SwappedBy = &SwappedBy{OrderID: by, Date: o.Date, AskedAt: at}
	}
	return o.emit(meta, event.Collected{
		OrderID: o.ID, UserID: o.UserID, PartnerID: o.PartnerID, Container: o.Container, At: at, SwappedBy: by,
	})
}
