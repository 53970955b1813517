package order

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/network"
	"kreislauf/internal/problem"
)

// How capacity is booked (ADR 0016). A partner says how many containers of each size it places a day. An order takes one place of one partner
// that can do it, before it is placed; the order's document says whose (Order.holder), and the documents of the days follow it:
//
//	place:                hold a place, then insert the order     full at all partners: 409 with the next free days
//	match by another:     the place moves to that partner         it has said yes, so there is room, whatever the number says
//	cancel, unmatch:      the place is given back
//	instance dies midway: the sweep gives back what no order holds

// Hold is a place that an order has.
type Hold struct {
	OrderID string    `bson:"order_id"`
	At      time.Time `bson:"at"`
}

// Day is what a partner places of one size on one day, and its document. It exists from its first hold on.
type Day struct {
	aggregate.Root `bson:",inline"`
	PartnerID      string `bson:"partner_id"`
	SizeM3         int    `bson:"size_m3"`
	Date           string `bson:"date"` // YYYY-MM-DD
	Holds          []Hold `bson:"holds"`
	Full           bool   `bson:"full"`
}

func newDay(partnerID string, sizeM3 int, date string) Day {
	return Day{Root: aggregate.New(fmt.Sprintf("%s/%d/%s", partnerID, sizeM3, date)), PartnerID: partnerID, SizeM3: sizeM3, Date: date, Holds: []Hold{}}
}

// errFull refuses a place.
var errFull = errors.New("no place is left")

func (d *Day) has(orderID string) bool {
	return slices.ContainsFunc(d.Holds, func(h Hold) bool { return h.OrderID == orderID })
}

// hold gives an order a place, if one of n is left (errFull). An order that has one keeps it.
func (d *Day) hold(orderID string, n int, meta event.Meta) error {
	if !d.has(orderID) && len(d.Holds) >= n {
		return errFull
	}
	return d.add(orderID, n, meta)
}

// add gives an order a place whether one is left or not: its partner has taken the order.
func (d *Day) add(orderID string, n int, meta event.Meta) error {
	if !d.has(orderID) {
		d.Holds = append(d.Holds, Hold{orderID, meta.At})
	}
	return d.fit(n, meta)
}

// release takes an order's place back.
func (d *Day) release(orderID string, n int, meta event.Meta) error {
	d.Holds = slices.DeleteFunc(d.Holds, func(h Hold) bool { return h.OrderID == orderID })
	return d.fit(n, meta)
}

// fit says whether the day is full when the partner places n, and tells of it when that has changed.
func (d *Day) fit(n int, meta event.Meta) error {
	full := len(d.Holds) >= n
	if full == d.Full {
		return nil
	}
	d.Full = full
	return d.Emit(meta, event.CapacityChanged{PartnerID: d.PartnerID, SizeM3: d.SizeM3, Date: d.Date, Full: full, Version: d.Version + 1})
}

// holder is the partner of whose capacity the order takes a place; empty: of nobody's.
func (o *Order) holder() string {
	switch o.State {
	case Cancelled, Unmatched, Void:
		return ""
	case Placed:
		return o.SlotPartnerID
	}
	return o.PartnerID
}

// capacity books places.
type capacity struct {
	days     days
	partners partners
	orders   store
	meta     func(context.Context) event.Meta
	zone     *time.Location
}

// book gives a new order a place of the first partner in the network's order that has one. Without a partner that could do it the order holds
// none: it is placed all the same, and the back office finds somebody. When all that could do it are full, it is a Conflict.
func (c capacity) book(ctx context.Context, orderID string, j network.Job) (partnerID string, err error) {
	all, err := c.partners.all(ctx)
	if err != nil {
		return "", err
	}
	bids, _ := network.Rank(all, j)
	for _, b := range bids {
		n, limited := b.PerDay(j.SizeM3)
		if limited {
			err := c.change(ctx, newDay(b.ID, j.SizeM3, j.Date), func(d *Day) error { return d.hold(orderID, n, c.meta(ctx)) })
			if errors.Is(err, errFull) {
				continue
			}
			if err != nil {
				return "", err
			}
		}
		return b.ID, nil
	}
	if len(bids) == 0 {
		return "", nil
	}
	return "", c.full(ctx, j, bids)
}

// change changes a day, which is made if it is not there.
func (c capacity) change(ctx context.Context, d Day, decide func(*Day) error) error {
	for {
		_, _, err := c.days.Change(ctx, d.ID, decide)
		if problem.KindOf(err) != problem.NotFound {
			return err
		}
		if _, err := c.days.Insert(ctx, d); err != nil { // somebody else may be faster: then it is there
			return err
		}
	}
}

// freeDays is how many free days a refusal names.
const freeDays = 3

// full is the refusal of an order for which no place is left. It names the next free days.
func (c capacity) full(ctx context.Context, j network.Job, bids []network.Bid) error {
	taken, err := c.days.fullOf(ctx, j.SizeM3, j.Date)
	if err != nil {
		return err
	}
	free := func(date string) bool {
		return slices.ContainsFunc(bids, func(b network.Bid) bool {
			n, limited := b.PerDay(j.SizeM3)
			return !limited || n > 0 && !slices.ContainsFunc(taken, func(d Day) bool { return d.PartnerID == b.ID && d.Date == date })
		})
	}
	today := c.meta(ctx).At.In(c.zone)
	var next []string
	for _, date := range catalog.OpenDates(j.Postcode, j.Date, today) {
		if date != j.Date && free(date) && len(next) < freeDays {
			next = append(next, date)
		}
	}
	detail := fmt.Sprintf("all containers of %d m³ are taken at %s on %s", j.SizeM3, j.Postcode, j.Date)
	if next == nil {
		detail += " and on all days after it; choose another size"
	} else {
		detail += "; the next free days are " + strings.Join(next, ", ") + ": choose one and get a new quote"
	}
	return &problem.Error{Kind: problem.Conflict, Detail: detail, Fields: []problem.Field{{Pointer: "/quote", Detail: detail}}}
}

// follow makes the days follow from what an order has become: it leaves the place that it held before it was matched, and takes one of the
// partner that has it.
func (c capacity) follow(ctx context.Context, o Order) error {
	holder := o.holder()
	var errs []error
	if o.SlotPartnerID != "" && o.SlotPartnerID != holder {
		errs = append(errs, c.release(ctx, newDay(o.SlotPartnerID, o.SizeM3, o.Date), o.ID))
	}
	if o.PartnerID != "" && o.PartnerID != holder && o.PartnerID != o.SlotPartnerID {
		errs = append(errs, c.release(ctx, newDay(o.PartnerID, o.SizeM3, o.Date), o.ID))
	}
	if holder != "" {
		n, limited, err := c.limit(ctx, holder, o.SizeM3)
		if limited {
			err = c.change(ctx, newDay(holder, o.SizeM3, o.Date), func(d *Day) error { return d.add(o.ID, n, c.meta(ctx)) })
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// release takes an order's place of a day back; a day that is not there has none.
func (c capacity) release(ctx context.Context, d Day, orderID string) error {
	n, limited, err := c.limit(ctx, d.PartnerID, d.SizeM3)
	if err != nil {
		return err
	}
	if !limited {
		n = unlimited
	}
	_, _, err = c.days.Change(ctx, d.ID, func(d *Day) error { return d.release(orderID, n, c.meta(ctx)) })
	if problem.KindOf(err) == problem.NotFound {
		return nil
	}
	return err
}

// unlimited is more than anybody orders of a partner that has taken its number back.
const unlimited = 1 << 30

// limit is how many containers of a size a partner places a day.
func (c capacity) limit(ctx context.Context, partnerID string, sizeM3 int) (n int, limited bool, err error) {
	p, err := c.partners.Get(ctx, partnerID)
	if problem.KindOf(err) == problem.NotFound {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	n, limited = p.PerDay(sizeM3)
	return n, limited, nil
}

// learn keeps what a partner has become, and makes its days follow: those that are there get their new number, and orders that it took while
// it was not limited take their places.
func (c capacity) learn(ctx context.Context, p network.Partner) error {
	if err := c.partners.put(ctx, p); err != nil {
		return err
	}
	today := c.meta(ctx).At.In(c.zone).Format(catalog.DateFormat)
	matched, err := c.orders.matchedFrom(ctx, p.ID, today)
	if err != nil {
		return err
	}
	for _, o := range matched {
		if n, limited := p.PerDay(o.SizeM3); limited {
			err := c.change(ctx, newDay(p.ID, o.SizeM3, o.Date), func(d *Day) error { return d.add(o.ID, n, c.meta(ctx)) })
			if err != nil {
				return err
			}
		}
	}
	list, err := c.days.ofPartner(ctx, p.ID, today)
	if err != nil {
		return err
	}
	for _, d := range list {
		n, limited := p.PerDay(d.SizeM3)
		if !limited {
			n = unlimited
		}
		if _, _, err := c.days.Change(ctx, d.ID, func(d *Day) error { return d.fit(n, c.meta(ctx)) }); err != nil {
			return err
		}
	}
	return nil
}

const (
	sweepEvery = time.Minute
	// placing is how old a hold is whose order must be there. Younger ones may belong to an order that is just being placed.
	placing = time.Minute
)

// sweep gives back the places that no order holds: an instance died between a hold and its order, or between an order's end and its day. It
// never takes the place of an order that is placed later after all, for the id of one that is not there becomes that of a void order first.
func (c capacity) sweep(ctx context.Context) error {
	now := c.meta(ctx).At
	list, err := c.days.from(ctx, now.In(c.zone).Format(catalog.DateFormat))
	if err != nil {
		return err
	}
	for _, d := range list {
		var ids []string
		for _, h := range d.Holds {
			if now.Sub(h.At) >= placing {
				ids = append(ids, h.OrderID)
			}
		}
		there, err := c.orders.byID(ctx, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			o, known := there[id]
			if !known {
				if o, _, err = c.orders.Add(ctx, void(id, now)); err != nil {
					return err
				}
			}
			if o.holder() == d.PartnerID && (!known || o.Date == d.Date && o.SizeM3 == d.SizeM3) {
				continue
			}
			if err := c.release(ctx, d, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// void is the order in place of one that was never placed: its id cannot be used any more.
func void(id string, at time.Time) Order {
	return Order{Root: aggregate.New(id), State: Void, History: []Step{{State: Void, At: at, RecordedAt: at}}}
}
