package event

import "kreislauf/internal/money"

// SignedUp is the payload of identity.signed-up.
type SignedUp struct {
	UserID string `json:"user_id"`
	Role   string `json:"role"`
}

// Placed is the payload of order.placed: all that another service needs to act on the order without asking.
type Placed struct {
	OrderID  string      `json:"order_id"`
	UserID   string      `json:"user_id"`
	QuoteID  string      `json:"quote_id"`
	Postcode string      `json:"postcode"`
	Waste    string      `json:"waste_code"` // AVV code, six digits: "170904"
	SizeM3   int         `json:"size_m3"`
	Date     string      `json:"date"` // local date in Europe/Berlin, YYYY-MM-DD
	Price    money.Price `json:"price"`
	// PublicGround means the container stands on public ground and needs the municipality's permit.
	PublicGround bool `json:"public_ground"`
}

// Matched is the payload of order.matched.
type Matched struct {
	OrderID   string `json:"order_id"`
	PartnerID string `json:"partner_id"`
}

// Offered is the payload of matching.offered.
type Offered struct {
	OrderID   string `json:"order_id"`
	PartnerID string `json:"partner_id"`
}

// Accepted is the payload of matching.accepted.
type Accepted struct {
	OrderID   string `json:"order_id"`
	PartnerID string `json:"partner_id"`
	// Automatic means that the partner's standing order accepted, not a dispatcher.
	Automatic bool `json:"automatic"`
}

// Unmatched is the payload of matching.unmatched.
type Unmatched struct {
	OrderID string `json:"order_id"`
	Reason  string `json:"reason"`
}

// Recorded is the payload of statistics.recorded: one event posted by an app.
type Recorded struct {
	Type string            `json:"type"` // "order-attempt"
	Data map[string]string `json:"data,omitempty"`
}
