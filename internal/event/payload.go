package event

import (
	"time"

	"kreislauf/internal/money"
)

// Payload is the data of one type of event. The types of this file are all there are; the table of topics lists each once.
//
// The tag "line" names the member of the event line in Elasticsearch that shows the field, as statistics writes it. A money.Price shows
// its gross amount in cents; with ",omitempty" an empty field is left out. A field without the tag is not shown.
type Payload interface {
	// Type is the name of the type: the producing service, a dot, and what happened ("order.placed").
	Type() string
}

// SignedUp says that somebody made an account. Name and Email are personal: they are for those who write to the person, never for a line.
type SignedUp struct {
	UserID    string `json:"user_id" line:"user.id"`
	Role      string `json:"role"`
	Name      string `json:"name,omitempty"`
	Email     string `json:"email,omitempty"`
	PartnerID string `json:"partner_id,omitempty" line:"partner.id,omitempty"` // of a dispatcher or driver
}

// PartnerChanged holds a disposal partner as it is now. A reader keeps the one with the highest Version and ignores older ones.
type PartnerChanged struct {
	PartnerID  string   `json:"partner_id" line:"partner.id"`
	Version    int64    `json:"version"`
	Name       string   `json:"name"`
	Street     string   `json:"street"`   // with house number
	Postcode   string   `json:"postcode"` // of the yard
	City       string   `json:"city"`
	Email      string   `json:"email"`       // where credit notes go
	TaxID      string   `json:"tax_id"`      // VAT id or tax number, as printed on its credit notes
	RadiusKm   int      `json:"radius_km"`   // how far its trucks go
	Wastes     []string `json:"waste_codes"` // AVV codes it takes
	AutoAccept bool     `json:"auto_accept"` // takes what it is offered at once, by a standing order
	Active     bool     `json:"active"`      // is offered orders
	Rates      Rates    `json:"rates"`
}

// Placed says that a customer ordered. It holds all that another service needs to act on the order without asking.
type Placed struct {
	OrderID  string      `json:"order_id" line:"order.id"`
	UserID   string      `json:"user_id" line:"user.id"`
	QuoteID  string      `json:"quote_id"`
	Postcode string      `json:"postcode" line:"postcode"`
	Waste    string      `json:"waste_code" line:"waste.code"` // AVV code, six digits: "170904"
	SizeM3   int         `json:"size_m3" line:"container.size_m3"`
	Date     string      `json:"date"` // local date in Europe/Berlin, YYYY-MM-DD
	Price    money.Price `json:"price" line:"value_cents"`
	// PublicGround means the container stands on public ground and needs the municipality's permit.
	PublicGround bool    `json:"public_ground"`
	Address      Address `json:"address"`
	CompanyID    string  `json:"company_id,omitempty" line:"company.id,omitempty"` // that ordered; empty of a private customer
	SiteID       string  `json:"site_id,omitempty" line:"site.id,omitempty"`       // of the customer, where the container stands
	SwapOf       string  `json:"swap_of,omitempty"`                                // the order whose full container is taken away in the same trip
}

// Matched says that the order belongs to a partner now.
type Matched struct {
	OrderID   string `json:"order_id" line:"order.id"`
	PartnerID string `json:"partner_id" line:"partner.id"`
	SwapOf    string `json:"swap_of,omitempty"` // as in Placed
	Swaps     bool   `json:"swaps,omitempty"`   // the partner has that container too, so one trip does both
}

// Scheduled says when the partner comes, for the first time or anew.
type Scheduled struct {
	OrderID   string `json:"order_id" line:"order.id"`
	UserID    string `json:"user_id" line:"user.id"`
	PartnerID string `json:"partner_id" line:"partner.id"`
	Trip      string `json:"trip"`              // "place" or "fetch" the container
	Day       string `json:"day"`               // local date in Europe/Berlin, YYYY-MM-DD
	Window    string `json:"window,omitempty"`  // "morning", "afternoon"; empty: any time of the day
	WasDay    string `json:"was_day,omitempty"` // what was said before, if anything was
	WasWindow string `json:"was_window,omitempty"`
}

// OnSite says that the container stands where it was ordered.
type OnSite struct {
	OrderID   string    `json:"order_id" line:"order.id"`
	UserID    string    `json:"user_id" line:"user.id"`
	PartnerID string    `json:"partner_id" line:"partner.id"`
	Container string    `json:"container" line:"container.id"` // its number, as painted on it
	At        time.Time `json:"at"`                            // when it was placed; the event may come later
	SwapOf    string    `json:"swap_of,omitempty"`             // as in Placed
	Swapped   bool      `json:"swapped,omitempty"`             // the same truck took the container of SwapOf away, at that time
}

// Collected says that the container was fetched and is on its way to the scale.
type Collected struct {
	OrderID   string    `json:"order_id" line:"order.id"`
	UserID    string    `json:"user_id" line:"user.id"`
	PartnerID string    `json:"partner_id" line:"partner.id"`
	Container string    `json:"container" line:"container.id"`
	At        time.Time `json:"at"`
	SwappedBy string    `json:"swapped_by,omitempty"` // the order that brought another container in the same trip
	// NotSwappedBy is an order that was to swap the container, which is gone now.
	NotSwappedBy string `json:"not_swapped_by,omitempty"`
}

// Weighed says that the work is done and what was weighed. It holds all that is needed to bill the customer and to credit the partner.
type Weighed struct {
	OrderID   string  `json:"order_id" line:"order.id"`
	UserID    string  `json:"user_id" line:"user.id"`
	PartnerID string  `json:"partner_id" line:"partner.id"`
	Postcode  string  `json:"postcode" line:"postcode"`
	Waste     string  `json:"waste_code" line:"waste.code"`
	SizeM3    int     `json:"size_m3" line:"container.size_m3"`
	Address   Address `json:"address"`
	GrossKg   int     `json:"gross_kg"`
	TareKg    int     `json:"tare_kg"`
	NetKg     int     `json:"net_kg" line:"net_kg"` // GrossKg - TareKg
	Slip      string  `json:"slip"`                 // number of the weighing slip
	PlacedOn  string  `json:"placed_on"`            // local dates in Europe/Berlin, YYYY-MM-DD
	FetchedOn string  `json:"fetched_on"`

	Price              money.Price `json:"price" line:"value_cents"` // what the customer was promised, for IncludedDays and IncludedKg
	IncludedDays       int         `json:"included_days"`            // of rent; the days of placing and fetching are not counted
	ExtraDayNetCents   money.Cents `json:"extra_day_net_cents"`
	IncludedKg         int         `json:"included_kg"`
	ExtraTonneNetCents money.Cents `json:"extra_tonne_net_cents"`
	Pay                Pay         `json:"pay"`
	FailedTrips        int         `json:"failed_trips"`                                     // that the truck made for nothing
	CompanyID          string      `json:"company_id,omitempty" line:"company.id,omitempty"` // as in Placed
	SiteID             string      `json:"site_id,omitempty" line:"site.id,omitempty"`
}

// Corrected says that something that was recorded of an order was put right.
type Corrected struct {
	OrderID   string `json:"order_id" line:"order.id"`
	UserID    string `json:"user_id" line:"user.id"`
	PartnerID string `json:"partner_id" line:"partner.id"`
	By        string `json:"by"` // role of who corrected
	Reason    string `json:"reason" line:"event.reason"`
	Container string `json:"container" line:"container.id"` // its right number
	SwappedBy string `json:"swapped_by,omitempty"`          // the order that swaps the container
	// Bill is what is to be billed and credited instead of what order.weighed, or an earlier correction, said; nil when that stays.
	Bill *Weighed `json:"bill,omitempty"`
}

// CompanyChanged holds a customer's company as it is now. A reader keeps the one with the highest Version and ignores older ones.
type CompanyChanged struct {
	CompanyID string `json:"company_id" line:"company.id"`
	Version   int64  `json:"version"`
	Name      string `json:"name"`     // with legal form, as printed on invoices
	Street    string `json:"street"`   // with house number
	Postcode  string `json:"postcode"` // of the billing address
	City      string `json:"city"`
	Email     string `json:"email"`            // where invoices go
	VATID     string `json:"vat_id,omitempty"` // "DE123456789"
	// ReverseCharge means that the company resells scrap or gives the like supplies itself, so that section 13b UStG applies to it.
	ReverseCharge bool `json:"reverse_charge"`
}

// Cancelled says that the order ends without a bill.
type Cancelled struct {
	OrderID   string `json:"order_id" line:"order.id"`
	UserID    string `json:"user_id" line:"user.id"`
	PartnerID string `json:"partner_id,omitempty" line:"partner.id,omitempty"` // who had taken it
	By        string `json:"by"`                                               // role of who cancelled
	Reason    string `json:"reason" line:"event.reason"`
	SwapOf    string `json:"swap_of,omitempty"` // as in Placed
}

// Offered says that a partner was asked to take the order.
type Offered struct {
	OrderID   string `json:"order_id" line:"order.id"`
	PartnerID string `json:"partner_id" line:"partner.id"`
}

// Accepted says that the partner takes the order.
type Accepted struct {
	OrderID   string `json:"order_id" line:"order.id"`
	PartnerID string `json:"partner_id" line:"partner.id"`
	// Automatic means that the partner's standing order accepted, not a dispatcher.
	Automatic bool `json:"automatic" line:"matching.automatic"`
	Pay       Pay  `json:"pay"`
}

// Declined says that the partner does not take the order; another one is asked, if there is one.
type Declined struct {
	OrderID   string `json:"order_id" line:"order.id"`
	PartnerID string `json:"partner_id" line:"partner.id"`
	Reason    string `json:"reason" line:"event.reason"` // the dispatcher's, "timed-out", or "reassigned" by the back office
}

// Unmatched says that no partner takes the order.
type Unmatched struct {
	OrderID string `json:"order_id" line:"order.id"`
	Reason  string `json:"reason" line:"event.reason"`
}

// Invoiced says that the customer was billed.
type Invoiced struct {
	OrderID string      `json:"order_id" line:"order.id"`
	UserID  string      `json:"user_id" line:"user.id"`
	Number  string      `json:"number" line:"invoice.number"` // "R-2026-000001"
	Total   money.Price `json:"total" line:"value_cents"`
	DueOn   string      `json:"due_on"` // local date, YYYY-MM-DD
}

// Credited says that the partner's credit note was made.
type Credited struct {
	OrderID   string      `json:"order_id" line:"order.id"`
	PartnerID string      `json:"partner_id" line:"partner.id"`
	Number    string      `json:"number" line:"credit_note.number"` // "G-2026-000001"
	Total     money.Price `json:"total" line:"value_cents"`
}

// Reminded says that the customer was late and is reminded to pay.
type Reminded struct {
	OrderID   string      `json:"order_id" line:"order.id"`
	UserID    string      `json:"user_id" line:"user.id"`
	Number    string      `json:"number" line:"invoice.number"`
	Level     int         `json:"level"`                         // 1 is the first, friendly one
	OpenCents money.Cents `json:"open_cents" line:"value_cents"` // gross, what is left to pay
	DueOn     string      `json:"due_on"`                        // when it was due
	PayBy     string      `json:"pay_by"`                        // the new date
}

// Paid says that the customer has paid an invoice whole.
type Paid struct {
	OrderID string      `json:"order_id" line:"order.id"`
	UserID  string      `json:"user_id" line:"user.id"`
	Number  string      `json:"number" line:"invoice.number"`
	Total   money.Price `json:"total" line:"value_cents"`
}

// Recorded says that an app posted an event.
type Recorded struct {
	Name string            `json:"type"` // "order-attempt"
	Data map[string]string `json:"data,omitempty" line:"attributes,omitempty"`
}

// Type implements Payload, as do the methods below.
func (SignedUp) Type() string       { return "identity.signed-up" }
func (CompanyChanged) Type() string { return "identity.company-changed" }
func (PartnerChanged) Type() string { return "disposer.partner-changed" }
func (Placed) Type() string         { return "order.placed" }
func (Matched) Type() string        { return "order.matched" }
func (Scheduled) Type() string      { return "order.scheduled" }
func (OnSite) Type() string         { return "order.on-site" }
func (Collected) Type() string      { return "order.collected" }
func (Weighed) Type() string        { return "order.weighed" }
func (Cancelled) Type() string      { return "order.cancelled" }
func (Corrected) Type() string      { return "order.corrected" }
func (Offered) Type() string        { return "matching.offered" }
func (Accepted) Type() string       { return "matching.accepted" }
func (Declined) Type() string       { return "matching.declined" }
func (Unmatched) Type() string      { return "matching.unmatched" }
func (Invoiced) Type() string       { return "payment.invoiced" }
func (Credited) Type() string       { return "payment.credited" }
func (Reminded) Type() string       { return "payment.reminded" }
func (Paid) Type() string           { return "payment.paid" }
func (Recorded) Type() string       { return "statistics.recorded" }

// Action is what the event line says that happened, instead of the type.
func (r Recorded) Action() string { return r.Name }
