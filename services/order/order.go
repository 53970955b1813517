package order

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
	"kreislauf/internal/quote"
)

// State of an order. Later states (placed on site, collected, weighed, invoiced) extend the machine.
type State string

// The states.
const (
	Placed    State = "placed"    // accepted from the customer, a partner is being looked for
	Matched   State = "matched"   // a partner has taken it
	Unmatched State = "unmatched" // no partner takes it; the back office looks after it
)

// Address is where the container stands. The postcode is the quote's.
type Address struct {
	Name   string `json:"name" bson:"name"`
	Street string `json:"street" bson:"street"` // with house number
	City   string `json:"city" bson:"city"`
}

func (a Address) trimmed() Address {
	return Address{strings.TrimSpace(a.Name), strings.TrimSpace(a.Street), strings.TrimSpace(a.City)}
}

// Step is one entry of the history.
type Step struct {
	State State     `json:"state" bson:"state"`
	At    time.Time `json:"at" bson:"at"`
}

// Order is the aggregate and its document.
type Order struct {
	aggregate.Root `bson:",inline"`
	UserID         string      `bson:"user_id"`
	State          State       `bson:"state"`
	History        []Step      `bson:"history"`
	QuoteID        string      `bson:"quote_id"`
	Postcode       string      `bson:"postcode"`
	Waste          string      `bson:"waste_code"`
	SizeM3         int         `bson:"size_m3"`
	Date           string      `bson:"date"`
	Price          money.Price `bson:"price"`
	Address        Address     `bson:"address"`
	PublicGround   bool        `bson:"public_ground"`
	PartnerID      string      `bson:"partner_id,omitempty"`
	VisitID        string      `bson:"visit_id,omitempty"`
	RequestHash    string      `bson:"request_hash"` // of the body that made it, to tell a replay from a reused key
	PlacedAt       time.Time   `bson:"placed_at"`
}

// Request is the body of POST /api/order/v1/orders.
type Request struct {
	Quote        string  `json:"quote"`
	Address      Address `json:"address"`
	PublicGround bool    `json:"public_ground"`
	VisitID      string  `json:"visit_id,omitempty"`
}

// hash identifies the content of a request.
func (r Request) hash() (string, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("encode request: %w", err)
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:]), nil
}

// idFor derives the order's id: the same customer and key always give the same order.
func idFor(userID, idempotencyKey string) string {
	h := sha256.Sum256([]byte(userID + "\x00" + idempotencyKey))
	return "o-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h[:10]))
}

// place makes a new order from a verified quote and tells of it.
func place(userID, key string, r Request, q quote.Quote, meta event.Meta) (Order, error) {
	sum, err := r.hash()
	if err != nil {
		return Order{}, err
	}
	o := Order{
		Root: aggregate.New(idFor(userID, key)), UserID: userID, State: Placed, History: []Step{{Placed, meta.At}}, QuoteID: q.ID,
		Postcode: q.Postcode, Waste: q.Waste, SizeM3: q.SizeM3, Date: q.Date, Price: q.Price, Address: r.Address,
		PublicGround: r.PublicGround, VisitID: r.VisitID, RequestHash: sum, PlacedAt: meta.At,
	}
	return o, o.emit(meta, event.Placed{
		OrderID: o.ID, UserID: userID, QuoteID: q.ID, Postcode: q.Postcode, Waste: q.Waste, SizeM3: q.SizeM3, Date: q.Date,
		Price: q.Price, PublicGround: r.PublicGround,
	})
}

// emit tells what has just happened to the order, as a part of its visit.
func (o *Order) emit(meta event.Meta, p event.Payload) error {
	meta.VisitID = o.VisitID
	return o.Emit(meta, p)
}

// enter moves the order to a state.
func (o *Order) enter(s State, at time.Time) {
	o.State = s
	o.History = append(o.History, Step{s, at})
}

// match gives the order to a partner. The same partner again changes nothing; another one is a conflict.
func (o *Order) match(partnerID string, meta event.Meta) error {
	if o.State == Matched {
		if o.PartnerID == partnerID {
			return nil
		}
		return problem.New(problem.Conflict, "The order %s cannot go to %s: it is with %s.", o.ID, partnerID, o.PartnerID)
	}
	o.PartnerID = partnerID
	o.enter(Matched, meta.At)
	return o.emit(meta, event.Matched{OrderID: o.ID, PartnerID: partnerID})
}

// unmatch records that no partner takes a placed order. It emits nothing: matching.unmatched has told everybody.
func (o *Order) unmatch(at time.Time) {
	if o.State == Placed {
		o.enter(Unmatched, at)
	}
}
