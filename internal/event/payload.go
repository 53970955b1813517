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
	CompanyID string `json:"company_id,omitempty" line:"company.id,omitempty"` // of a customer who orders for a company
}

// SignInLocked says that after many failed attempts signing in to an account has to wait. The owner may want to know.
type SignInLocked struct {
	UserID string `json:"user_id" line:"user.id"`
}

// PasswordResetRequested says that somebody who says to own the account has forgotten its password.
type PasswordResetRequested struct {
	UserID string    `json:"user_id" line:"user.id"`
	Sealed string    `json:"sealed"` // the token of the link, for mailing alone: package sealed, kind SealedReset
	Until  time.Time `json:"until"`
}

// PasswordChanged says that the account has a new password, and that its sessions have ended but for the one that changed it.
type PasswordChanged struct {
	UserID string `json:"user_id" line:"user.id"`
}

// MemberInvited says that a company's administrator invites somebody to order for the company. Email is personal, as in SignedUp.
type MemberInvited struct {
	CompanyID string    `json:"company_id" line:"company.id"`
	Company   string    `json:"company"` // its name
	By        string    `json:"by"`      // name of the administrator
	Email     string    `json:"email"`
	Sealed    string    `json:"sealed"` // the invitation code: package sealed, kind SealedInvite
	Until     time.Time `json:"until"`
}

// Kinds of the sealed secrets in payloads.
const (
	SealedReset  = "password-reset"
	SealedInvite = "company-invitation"
)

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
	// Capacity is how many containers of each size the partner places a day; nil in events of before there was one.
	Capacity []Capacity `json:"capacity,omitempty"`
	// SmallBusiness means that section 19 UStG applies to the partner: its services bear no VAT.
	SmallBusiness bool   `json:"small_business,omitempty"`
	IBAN          string `json:"iban,omitempty"` // where the partner is paid; empty while nobody has told it
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

	Window string `json:"window,omitempty"` // of the day: "morning" or "afternoon"; empty: any time
	Tariff string `json:"tariff,omitempty"` // "flat" or "weight", see quote.Quote; empty in orders of before tariff 2027-01: flat
	// PermitNetCents is what the customer pays us for getting the municipality's permit; it is a part of Price. 0: we do not get one.
	PermitNetCents money.Cents `json:"permit_net_cents,omitempty"`
	Lines          []PriceLine `json:"lines,omitempty"` // what Price consists of; none in orders of before tariff 2027-01
	// SlotPartnerID is the partner of whose capacity on Date the order holds a place: it is asked first. Empty: of nobody's.
	SlotPartnerID string `json:"slot_partner_id,omitempty"`
	// StandingID and Occurrence name the standing order that made this one, and its day by the plan, YYYY-MM-DD; empty when a person ordered.
	StandingID string `json:"standing_id,omitempty" line:"standing.id,omitempty"`
	Occurrence string `json:"occurrence,omitempty"`
}

// CapacityChanged says that a partner has no more room for containers of a size on a day, or has room again. A reader keeps the one with the
// highest Version of a partner, size and date. It is for showing: whether an order can be placed is decided when it is placed.
type CapacityChanged struct {
	PartnerID string `json:"partner_id" line:"partner.id"`
	SizeM3    int    `json:"size_m3" line:"container.size_m3"`
	Date      string `json:"date"`
	Full      bool   `json:"full"`
	Version   int64  `json:"version"`
}

// Matched says that the order belongs to a partner now.
type Matched struct {
	OrderID   string `json:"order_id" line:"order.id"`
	PartnerID string `json:"partner_id" line:"partner.id"`
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
}

// Collected says that the container was fetched and is on its way to the scale.
type Collected struct {
	OrderID   string    `json:"order_id" line:"order.id"`
	UserID    string    `json:"user_id" line:"user.id"`
	PartnerID string    `json:"partner_id" line:"partner.id"`
	Container string    `json:"container" line:"container.id"`
	At        time.Time `json:"at"`
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
	Tariff             string      `json:"tariff,omitempty"` // these three as in Placed
	PermitNetCents     money.Cents `json:"permit_net_cents,omitempty"`
	Lines              []PriceLine `json:"lines,omitempty"`
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

// SiteChanged holds a place where a customer has containers put, as it is now. A reader keeps the one with the highest Version and ignores
// older ones. Access, Contact and Phone are personal: they are for who drives there, never for a line.
type SiteChanged struct {
	SiteID    string `json:"site_id" line:"site.id"`
	Version   int64  `json:"version"`
	UserID    string `json:"user_id" line:"user.id"`                           // who made it
	CompanyID string `json:"company_id,omitempty" line:"company.id,omitempty"` // whose it is; empty: the user's own
	Name      string `json:"name"`                                             // what its people call it: "Neubau Hafenstraße"
	Street    string `json:"street"`                                           // with house number
	Postcode  string `json:"postcode" line:"postcode"`
	City      string `json:"city"`
	Access    string `json:"access"`  // what the driver must know: gate code, hours
	Contact   string `json:"contact"` // whom the driver calls
	Phone     string `json:"phone"`
	Active    bool   `json:"active"` // can be ordered for
}

// StandingDue says that a standing order wants a container. An occurrence is told of once.
type StandingDue struct {
	StandingID   string  `json:"standing_id" line:"standing.id"`
	Occurrence   string  `json:"occurrence"` // its day by the plan, YYYY-MM-DD: with StandingID it names the occurrence for ever
	UserID       string  `json:"user_id" line:"user.id"`
	CompanyID    string  `json:"company_id,omitempty" line:"company.id,omitempty"`
	SiteID       string  `json:"site_id" line:"site.id"`
	Waste        string  `json:"waste_code" line:"waste.code"`
	SizeM3       int     `json:"size_m3" line:"container.size_m3"`
	Postcode     string  `json:"postcode" line:"postcode"`
	Date         string  `json:"date"` // the working day of placing, YYYY-MM-DD: Occurrence, or the next one on which trucks drive
	Address      Address `json:"address"`
	PublicGround bool    `json:"public_ground"`
}

// StandingMissed says that nobody ran when an occurrence of a standing order was due, and that it is too late for it now.
type StandingMissed struct {
	StandingID string `json:"standing_id" line:"standing.id"`
	Occurrence string `json:"occurrence"`
	UserID     string `json:"user_id" line:"user.id"`
	Date       string `json:"date"`
	Reason     string `json:"reason" line:"event.reason"` // in English, for the customer
}

// StandingQuoted is the price of an occurrence of a standing order.
type StandingQuoted struct {
	StandingID string      `json:"standing_id" line:"standing.id"`
	Occurrence string      `json:"occurrence"`
	Due        StandingDue `json:"due"`   // what was asked for
	Quote      string      `json:"quote"` // the signed token, as a customer gets it; it holds until Date
	Price      money.Price `json:"price" line:"value_cents"`
}

// QuoteRefused says that an occurrence of a standing order has no price, so it is not ordered.
type QuoteRefused struct {
	StandingID string `json:"standing_id" line:"standing.id"`
	Occurrence string `json:"occurrence"`
	UserID     string `json:"user_id" line:"user.id"`
	Date       string `json:"date"`
	Reason     string `json:"reason" line:"event.reason"` // in English, for the customer
}

// StandingRefused says that an occurrence of a standing order has a price and was not ordered all the same.
type StandingRefused struct {
	StandingID string `json:"standing_id" line:"standing.id"`
	Occurrence string `json:"occurrence"`
	UserID     string `json:"user_id" line:"user.id"`
	Date       string `json:"date"`
	Reason     string `json:"reason" line:"event.reason"` // in English, for the customer
}

// Cancelled says that the order ends without a bill.
type Cancelled struct {
	OrderID   string `json:"order_id" line:"order.id"`
	UserID    string `json:"user_id" line:"user.id"`
	PartnerID string `json:"partner_id,omitempty" line:"partner.id,omitempty"` // who had taken it
	By        string `json:"by"`                                               // role of who cancelled
	Reason    string `json:"reason" line:"event.reason"`
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
	// CompanyID is the buyer; empty when the user is.
	CompanyID string `json:"company_id,omitempty" line:"company.id,omitempty"`
	Replaces  string `json:"replaces,omitempty"` // number of the cancelled invoice in whose place it is
	File      *File  `json:"file,omitempty"`     // the invoice as PDF; nil where no documents are kept
}

// Credited says that the partner's credit note was made.
type Credited struct {
	OrderID   string      `json:"order_id" line:"order.id"`
	PartnerID string      `json:"partner_id" line:"partner.id"`
	Number    string      `json:"number" line:"credit_note.number"` // "G-2026-000001"
	Total     money.Price `json:"total" line:"value_cents"`
	Replaces  string      `json:"replaces,omitempty"` // number of the credit note in whose place it is
	File      *File       `json:"file,omitempty"`     // as of Invoiced
}

// DocumentCorrected says that an invoice (then UserID is there) or a credit note (PartnerID) was cancelled by a correction, and perhaps replaced.
type DocumentCorrected struct {
	OrderID     string      `json:"order_id" line:"order.id"`
	UserID      string      `json:"user_id,omitempty" line:"user.id,omitempty"`
	CompanyID   string      `json:"company_id,omitempty" line:"company.id,omitempty"`
	PartnerID   string      `json:"partner_id,omitempty" line:"partner.id,omitempty"`
	Number      string      `json:"number" line:"invoice.number"` // of what was cancelled
	Correction  string      `json:"correction"`                   // "K-2026-000001"
	Replacement string      `json:"replacement,omitempty"`        // number of what came in its place
	Total       money.Price `json:"total" line:"value_cents"`     // of what was cancelled
	Reason      string      `json:"reason"`                       // the back office's, or that the order was corrected
	File        *File       `json:"file,omitempty"`               // the correction, as of Invoiced
}

// Objected says that a partner objected to its credit note, which has no effect any more, or a customer (then UserID is there) to its invoice,
// which stays as it is and is not reminded of.
type Objected struct {
	OrderID   string      `json:"order_id" line:"order.id"`
	UserID    string      `json:"user_id,omitempty" line:"user.id,omitempty"`
	CompanyID string      `json:"company_id,omitempty" line:"company.id,omitempty"`
	PartnerID string      `json:"partner_id,omitempty" line:"partner.id,omitempty"`
	Number    string      `json:"number" line:"invoice.number"` // of the credit note or the invoice
	Total     money.Price `json:"total" line:"value_cents"`
	Reason    string      `json:"reason"` // the words of who objects
}

// ObjectionAnswered says that the back office has issued a new credit note in place of one that the partner objected to.
type ObjectionAnswered struct {
	OrderID     string `json:"order_id" line:"order.id"`
	PartnerID   string `json:"partner_id" line:"partner.id"`
	Number      string `json:"number" line:"credit_note.number"`
	Replacement string `json:"replacement"` // number of the new one
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
	CompanyID string      `json:"company_id,omitempty" line:"company.id,omitempty"`
	FeeCents  money.Cents `json:"fee_cents,omitempty"` // of this reminder, within OpenCents
	Last      bool        `json:"last,omitempty"`      // what comes next is a lawyer or a debt collector
}

// Paid says that the customer has paid an invoice whole.
type Paid struct {
	OrderID string      `json:"order_id" line:"order.id"`
	UserID  string      `json:"user_id" line:"user.id"`
	Number  string      `json:"number" line:"invoice.number"`
	Total   money.Price `json:"total" line:"value_cents"`
}

// Returned says that money which had paid an invoice went back, so that the invoice is open again.
type Returned struct {
	OrderID   string      `json:"order_id" line:"order.id"`
	UserID    string      `json:"user_id" line:"user.id"`
	CompanyID string      `json:"company_id,omitempty" line:"company.id,omitempty"`
	Number    string      `json:"number" line:"invoice.number"`
	OpenCents money.Cents `json:"open_cents" line:"value_cents"` // gross, what is left to pay
}

// PaidOut says that a partner was paid what its credit note says.
type PaidOut struct {
	OrderID   string      `json:"order_id" line:"order.id"`
	PartnerID string      `json:"partner_id" line:"partner.id"`
	Number    string      `json:"number" line:"credit_note.number"`
	Total     money.Price `json:"total" line:"value_cents"`
}

// Recorded says that an app posted an event.
type Recorded struct {
	Name string            `json:"type"` // "order-attempt"
	Data map[string]string `json:"data,omitempty" line:"attributes,omitempty"`
	// Trust is "application" when an application has shown its key, whose name is Application, and "stranger" otherwise; older events lack it.
	Trust       string `json:"trust,omitempty" line:"event.source_trust,omitempty"`
	Application string `json:"application,omitempty" line:"event.provider,omitempty"`
}

// Type implements Payload, as do the methods below.
func (SignedUp) Type() string          { return "identity.signed-up" }
func (Corrected) Type() string         { return "order.corrected" }
func (CompanyChanged) Type() string    { return "identity.company-changed" }
func (PartnerChanged) Type() string    { return "disposer.partner-changed" }
func (Placed) Type() string            { return "order.placed" }
func (CapacityChanged) Type() string   { return "order.capacity-changed" }
func (Matched) Type() string           { return "order.matched" }
func (Scheduled) Type() string         { return "order.scheduled" }
func (OnSite) Type() string            { return "order.on-site" }
func (Collected) Type() string         { return "order.collected" }
func (Weighed) Type() string           { return "order.weighed" }
func (Cancelled) Type() string         { return "order.cancelled" }
func (SiteChanged) Type() string       { return "customer.site-changed" }
func (StandingDue) Type() string       { return "customer.order-due" }
func (StandingMissed) Type() string    { return "customer.standing-refused" }
func (StandingQuoted) Type() string    { return "pricing.standing-quoted" }
func (QuoteRefused) Type() string      { return "pricing.standing-refused" }
func (StandingRefused) Type() string   { return "order.standing-refused" }
func (Offered) Type() string           { return "matching.offered" }
func (Accepted) Type() string          { return "matching.accepted" }
func (Declined) Type() string          { return "matching.declined" }
func (Unmatched) Type() string         { return "matching.unmatched" }
func (Invoiced) Type() string          { return "payment.invoiced" }
func (Credited) Type() string          { return "payment.credited" }
func (DocumentCorrected) Type() string { return "payment.corrected" }
func (Objected) Type() string          { return "payment.objected" }
func (ObjectionAnswered) Type() string { return "payment.objection-answered" }
func (Reminded) Type() string          { return "payment.reminded" }
func (Paid) Type() string              { return "payment.paid" }
func (Returned) Type() string          { return "payment.returned" }
func (PaidOut) Type() string           { return "payment.paid-out" }
func (Recorded) Type() string          { return "statistics.recorded" }

func (SignInLocked) Type() string           { return "identity.sign-in-locked" }
func (PasswordResetRequested) Type() string { return "identity.password-reset-requested" }
func (PasswordChanged) Type() string        { return "identity.password-changed" }
func (MemberInvited) Type() string          { return "identity.member-invited" }

// Action is what the event line says that happened, instead of the type.
func (r Recorded) Action() string { return r.Name }
