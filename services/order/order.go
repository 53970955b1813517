package order

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/audit"
	"kreislauf/internal/authz"
	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/quote"
)

// Step is one entry of the history.
type Step struct {
	State State     `json:"state" bson:"state"` // of the order from then on
	At    time.Time `json:"at" bson:"at"`       // when it happened
	// RecordedAt is when the platform learned of it. Orders of earlier versions do not have it.
	RecordedAt time.Time   `json:"recorded_at,omitzero" bson:"recorded_at,omitempty"`
	FailedTrip *FailedTrip `json:"failed_trip,omitempty" bson:"failed_trip,omitempty"` // a truck came in vain; the state stayed
	Planned    *Planned    `json:"planned,omitempty" bson:"planned,omitempty"`         // the partner planned a trip; the state stayed
	Request    string      `json:"-" bson:"request,omitempty"`                         // digest of key and content that took it, see Order.once
}

// Enters says whether the order came into the state by this step. Otherwise it was in it, and something else happened.
func (s Step) Enters() bool { return s.FailedTrip == nil && s.Planned == nil }

// Order is the aggregate and its document. When something happened stands in the history alone; the other members say what it was.
type Order struct {
	aggregate.Root `bson:",inline"`
	audit.Trail    `bson:",inline"`
	UserID         string        `bson:"user_id"`
	CompanyID      string        `bson:"company_id,omitempty"` // that ordered; empty of a private customer
	SiteID         string        `bson:"site_id,omitempty"`    // of the customer
	State          State         `bson:"state"`
	History        []Step        `bson:"history"`
	QuoteID        string        `bson:"quote_id"`
	Postcode       string        `bson:"postcode"`
	Waste          string        `bson:"waste_code"`
	SizeM3         int           `bson:"size_m3"`
	Date           string        `bson:"date"` // of placing, as ordered
	Price          money.Price   `bson:"price"`
	IncludedDays   int           `bson:"included_days,omitempty"` // these four as in quote.Quote
	IncludedKg     int           `bson:"included_kg,omitempty"`
	ExtraDayNet    money.Cents   `bson:"extra_day_net_cents,omitempty"`
	ExtraTonneNet  money.Cents   `bson:"extra_tonne_net_cents,omitempty"`
	Address        event.Address `bson:"address"`
	PublicGround   bool          `bson:"public_ground"`
	Phone          string        `bson:"phone,omitempty"`        // whom the driver calls on site
	AccessNotes    string        `bson:"access_notes,omitempty"` // what the driver must know to get there
	VisitID        string        `bson:"visit_id,omitempty"`
	RequestHash    string        `bson:"request_hash"` // of the body that made it, to tell a replay from a reused key
	PlacedAt       time.Time     `bson:"placed_at"`
	SlotPartnerID  string        `bson:"slot_partner_id,omitempty"` // of whose capacity it took a place when it was placed
	StandingID     string        `bson:"standing_id,omitempty"`     // of the standing order that made it, and the day of its plan
	Occurrence     string        `bson:"occurrence,omitempty"`

	Window    string            `bson:"window,omitempty"`           // of the day of placing, see catalog.FindWindow
	Tariff    string            `bson:"tariff,omitempty"`           // these three as in event.Placed
	PermitNet money.Cents       `bson:"permit_net_cents,omitempty"` // then we get the permit; otherwise the customer has declared to have one where it is needed
	Lines     []event.PriceLine `bson:"lines,omitempty"`

	PartnerID    string        `bson:"partner_id,omitempty"` // from matched on
	Pay          event.Pay     `bson:"pay"`                  // of the partner
	DriverID     string        `bson:"driver_id,omitempty"`  // whom the partner's dispatcher sends, if it says so
	Plan         *Plan         `bson:"plan,omitempty"`       // of the trip that comes next or is being made
	Container    string        `bson:"container,omitempty"`  // its number, from on site on
	PickUpOn     string        `bson:"pick_up_on,omitempty"` // the day on which the customer wants it fetched
	Weighing     *Weighing     `bson:"weighing,omitempty"`
	Invoice      *Invoice      `bson:"invoice,omitempty"`
	Cancellation *Cancellation `bson:"cancellation,omitempty"`
	Documents    []Document    `bson:"documents,omitempty"`
}

// Request is the body of POST /api/order/v1/orders.
type Request struct {
	Quote        string        `json:"quote"`
	Address      event.Address `json:"address"`
	PublicGround bool          `json:"public_ground"`
	Phone        string        `json:"phone,omitempty"`
	AccessNotes  string        `json:"access_notes,omitempty"`
	VisitID      string        `json:"visit_id,omitempty"`
	// Window of the day in which the customer wants the container, in place of the quote's.
	Window string `json:"window,omitempty"`
	SiteID string `json:"site_id,omitempty"` // of the customer, where the container stands; empty: none of its sites
}

// trimmed takes the space around texts off, which does not count.
func (r Request) trimmed() Request {
	a := r.Address
	r.Address = event.Address{Name: strings.TrimSpace(a.Name), Street: strings.TrimSpace(a.Street), City: strings.TrimSpace(a.City)}
	r.Phone, r.AccessNotes = strings.TrimSpace(r.Phone), strings.TrimSpace(r.AccessNotes)
	return r
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

// place makes a new order from a verified quote and tells of it. slot is the partner of whose capacity it holds a place, see capacity.book.
func place(by authz.Caller, key string, r Request, q quote.Quote, slot string, meta event.Meta) (Order, error) {
	return placeFor(by, idFor(by.UserID, key), occurrence{}, r, q, slot, meta)
}

// placeFor is place with the order's id, and with what made it when nobody did.
func placeFor(by authz.Caller, id string, of occurrence, r Request, q quote.Quote, slot string, meta event.Meta) (Order, error) {
	sum, err := r.hash()
	if err != nil {
		return Order{}, err
	}
	o := Order{
		Root: aggregate.New(id), UserID: by.UserID, CompanyID: by.CompanyID, State: Placed, History: []Step{{State: Placed, At: meta.At, RecordedAt: meta.At}},
		QuoteID: q.ID, Postcode: q.Postcode, Waste: q.Waste, SizeM3: q.SizeM3, Date: q.Date, Price: q.Price, IncludedDays: q.IncludedDays,
		IncludedKg: q.IncludedKg, ExtraDayNet: q.ExtraDayNetCents, ExtraTonneNet: q.ExtraTonneNetCents, Address: r.Address,
		PublicGround: r.PublicGround, VisitID: r.VisitID, RequestHash: sum, PlacedAt: meta.At, SlotPartnerID: slot,
		Window: wished(r, q), Tariff: q.Model, PermitNet: q.PermitNetCents, Lines: q.Lines,
		Phone: r.Phone, AccessNotes: r.AccessNotes, SiteID: r.SiteID, StandingID: of.standingID, Occurrence: of.day,
	}
	return o, o.emit(meta, event.Placed{
		OrderID: o.ID, UserID: o.UserID, CompanyID: o.CompanyID, SiteID: o.SiteID, QuoteID: q.ID, Postcode: q.Postcode, Waste: q.Waste, SizeM3: q.SizeM3, Date: q.Date,
		Price: q.Price, PublicGround: r.PublicGround, Address: r.Address, SlotPartnerID: slot,
		Window: o.Window, Tariff: o.Tariff, PermitNetCents: o.PermitNet, Lines: o.Lines,
		StandingID: o.StandingID, Occurrence: o.Occurrence,
	})
}

// wished is the window that a checked request wants.
func wished(r Request, q quote.Quote) string {
	window, _ := catalog.FindWindow(cmp.Or(r.Window, q.Window))
	return window
}

// asPlaced is the order as it was when it was placed, for the answer to a repeated request.
func (o Order) asPlaced() Order {
	return Order{
		Root: aggregate.Root{ID: o.ID}, UserID: o.UserID, State: Placed, History: o.History[:1], Postcode: o.Postcode, Waste: o.Waste,
		SizeM3: o.SizeM3, Date: o.Date, Price: o.Price, Address: o.Address, PublicGround: o.PublicGround,
		Window: o.Window, Tariff: o.Tariff, PermitNet: o.PermitNet, Lines: o.Lines,
		Phone: o.Phone, AccessNotes: o.AccessNotes, SiteID: o.SiteID,
	}
}

// emit tells what has just happened to the order, as a part of its visit.
func (o *Order) emit(meta event.Meta, p event.Payload) error {
	meta.VisitID = o.VisitID
	return o.Emit(meta, p)
}

// object is whose the order is.
func (o *Order) object() authz.Object {
	return authz.Object{UserID: o.UserID, CompanyID: o.CompanyID, SiteID: o.SiteID, PartnerID: o.PartnerID, DriverID: o.DriverID}
}

// reached finds when the order came into a state.
func (o *Order) reached(state State) (Step, bool) {
	i := slices.IndexFunc(o.History, func(s Step) bool { return s.State == state && s.Enters() })
	if i < 0 {
		return Step{}, false
	}
	return o.History[i], true
}

// oneLine says whether a text is one line of least to most characters.
func oneLine(text string, least, most int) bool {
	n := utf8.RuneCountInString(text)
	return n >= least && n <= most && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
