package event

import "kreislauf/internal/money"

// Payload is the data of one type of event. The types of this file are all there are; the table of topics lists each once.
//
// The tag "line" names the member of the event line in Elasticsearch that shows the field, as statistics writes it. A money.Price shows
// its gross amount in cents; with ",omitempty" an empty field is left out. A field without the tag is not shown.
type Payload interface {
	// Type is the name of the type: the producing service, a dot, and what happened ("order.placed").
	Type() string
}

// SignedUp says that somebody made an account.
type SignedUp struct {
	UserID string `json:"user_id" line:"user.id"`
	Role   string `json:"role"`
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
	PublicGround bool `json:"public_ground"`
}

// Matched says that the order belongs to a partner now.
type Matched struct {
	OrderID   string `json:"order_id" line:"order.id"`
	PartnerID string `json:"partner_id" line:"partner.id"`
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
}

// Unmatched says that no partner takes the order.
type Unmatched struct {
	OrderID string `json:"order_id" line:"order.id"`
	Reason  string `json:"reason" line:"event.reason"`
}

// Recorded says that an app posted an event.
type Recorded struct {
	Name string            `json:"type"` // "order-attempt"
	Data map[string]string `json:"data,omitempty" line:"attributes,omitempty"`
}

// Type implements Payload, as do the methods below.
func (SignedUp) Type() string  { return "identity.signed-up" }
func (Placed) Type() string    { return "order.placed" }
func (Matched) Type() string   { return "order.matched" }
func (Offered) Type() string   { return "matching.offered" }
func (Accepted) Type() string  { return "matching.accepted" }
func (Unmatched) Type() string { return "matching.unmatched" }
func (Recorded) Type() string  { return "statistics.recorded" }

// Action is what the event line says that happened, instead of the type.
func (r Recorded) Action() string { return r.Name }
