package client

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kreislauf/internal/money"
)

// Paths of the API.
const (
	UsersPath    = "/api/identity/v1/users"
	SessionsPath = "/api/identity/v1/sessions"
	SessionPath  = "/api/identity/v1/sessions/current"
	CatalogPath  = "/api/pricing/v1/catalog"
	QuotesPath   = "/api/pricing/v1/quotes"
	OrdersPath   = "/api/order/v1/orders"
	OffersPath   = "/api/matching/v1/offers"
	EventsPath   = "/api/statistics/v1/events"
)

// NewKey is a fresh Idempotency-Key.
func NewKey() string { return "k-" + rand.Text() }

// Account is what a person signs up with.
type Account struct {
	Key      string `json:"-"` // Idempotency-Key; empty: a fresh one
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name"`
	Invite   string `json:"invite,omitempty"` // of a partner's people
}

// User is a person who has signed in.
type User struct {
	ID        string `json:"user_id"`
	Email     string `json:"email"`
	Name      string `json:"name"`
	Role      string `json:"role"`
	PartnerID string `json:"partner_id"`
}

// SignUp makes an account; the client has its session from then on.
func (c *Client) SignUp(ctx context.Context, a Account) (User, error) {
	return c.enter(ctx, Call{Method: http.MethodPost, Path: UsersPath, Key: cmp.Or(a.Key, NewKey()), Body: a})
}

// SignIn opens a session of an account.
func (c *Client) SignIn(ctx context.Context, email, password string) (User, error) {
	return c.enter(ctx, Call{Method: http.MethodPost, Path: SessionsPath, Body: map[string]string{"email": email, "password": password}})
}

func (c *Client) enter(ctx context.Context, r Call) (User, error) {
	var u User
	if _, err := c.call(ctx, r, &u); err != nil {
		return u, err
	}
	if !strings.Contains(c.Cookies("identity"), csrfCookie+"=") {
		return u, fmt.Errorf("%s %s: %w: it sets no cookie %s", r.Method, r.Path, ErrUnreadable, csrfCookie)
	}
	return u, nil
}

// SignOut ends the session.
func (c *Client) SignOut(ctx context.Context) error {
	_, err := c.call(ctx, Call{Method: http.MethodDelete, Path: SessionPath}, nil)
	return err
}

// WhoAmI is the person of the session.
func (c *Client) WhoAmI(ctx context.Context) (User, error) {
	var u User
	_, err := c.call(ctx, Call{Method: http.MethodGet, Path: SessionPath}, &u)
	return u, err
}

// Catalog is what can be ordered and when. Dates are YYYY-MM-DD.
type Catalog struct {
	Wastes []struct {
		Code    string `json:"code"`
		SizesM3 []int  `json:"sizes_m3"`
	} `json:"wastes"`
	EarliestDate string `json:"earliest_date"`
	LatestDate   string `json:"latest_date"`
}

// Catalog reads the catalogue with the dates of a postcode; without one, with those of the whole country.
func (c *Client) Catalog(ctx context.Context, postcode string) (Catalog, error) {
	var v Catalog
	path := CatalogPath
	if postcode != "" {
		path += "?" + url.Values{"postcode": {postcode}}.Encode()
	}
	_, err := c.call(ctx, Call{Method: http.MethodGet, Path: path}, &v)
	return v, err
}

// QuoteRequest is what a price is asked for.
type QuoteRequest struct {
	Postcode, Waste string
	SizeM3          int
	Date            string // YYYY-MM-DD
}

// Path is the path of the question, with its query.
func (w QuoteRequest) Path() string {
	q := url.Values{"postcode": {w.Postcode}, "waste": {w.Waste}, "size": {strconv.Itoa(w.SizeM3)}, "date": {w.Date}}
	return QuotesPath + "?" + q.Encode()
}

// Quote is a price that holds until ValidUntil. An order needs its Token.
type Quote struct {
	Token      string      `json:"quote"`
	Price      money.Price `json:"price"`
	ValidUntil time.Time   `json:"valid_until"`
}

// Quote asks for a price.
func (c *Client) Quote(ctx context.Context, w QuoteRequest) (Quote, error) {
	var q Quote
	_, err := c.call(ctx, Call{Method: http.MethodGet, Path: w.Path()}, &q)
	if err == nil && q.Token == "" {
		err = fmt.Errorf("GET %s: %w: it has no quote", QuotesPath, ErrUnreadable)
	}
	return q, err
}

// Address is where a container stands.
type Address struct {
	Name   string `json:"name"`
	Street string `json:"street"` // with house number
	City   string `json:"city"`
}

// NewOrder is what a customer orders. The quote says the rest.
type NewOrder struct {
	Key          string  `json:"-"` // Idempotency-Key; empty: a fresh one
	Quote        string  `json:"quote"`
	Address      Address `json:"address"`
	PublicGround bool    `json:"public_ground"`
	SwapOf       string  `json:"swap_of,omitempty"` // the customer's order whose container is taken away in the same trip
	VisitID      string  `json:"visit_id,omitempty"`
}

// Order is an order as its customer sees it.
type Order struct {
	ID        string `json:"order_id"`
	State     string `json:"state"` // placed, matched and so on, see services/order/openapi.yaml
	PartnerID string `json:"partner_id"`
	History   []Step `json:"history"`
	Replayed  bool   `json:"-"` // the answer repeats that of an earlier try
}

// Step is when an order came into a state.
type Step struct {
	State string    `json:"state"`
	At    time.Time `json:"at"`
}

// Place orders.
func (c *Client) Place(ctx context.Context, n NewOrder) (Order, error) {
	var o Order
	h, err := c.call(ctx, Call{Method: http.MethodPost, Path: OrdersPath, Key: cmp.Or(n.Key, NewKey()), Body: n}, &o)
	if err == nil && o.ID == "" {
		err = fmt.Errorf("POST %s: %w: it has no order_id", OrdersPath, ErrUnreadable)
	}
	o.Replayed = h.Get("Idempotency-Replayed") == "true"
	return o, err
}

// Order reads one order of the customer.
func (c *Client) Order(ctx context.Context, id string) (Order, error) {
	var o Order
	_, err := c.call(ctx, Call{Method: http.MethodGet, Path: OrdersPath + "/" + url.PathEscape(id)}, &o)
	return o, err
}

// Orders lists the customer's newest orders.
func (c *Client) Orders(ctx context.Context) ([]Order, error) {
	var v struct {
		Orders []Order `json:"orders"`
	}
	_, err := c.call(ctx, Call{Method: http.MethodGet, Path: OrdersPath}, &v)
	return v.Orders, err
}

// Offer is an order that a partner may accept.
type Offer struct {
	ID      string `json:"offer_id"`
	OrderID string `json:"order_id"`
	State   string `json:"state"`
}

// Offers lists what is offered to the partner.
func (c *Client) Offers(ctx context.Context) ([]Offer, error) {
	var v struct {
		Offers []Offer `json:"offers"`
	}
	_, err := c.call(ctx, Call{Method: http.MethodGet, Path: OffersPath}, &v)
	return v.Offers, err
}

// Accept takes an offer; taking it again answers the same.
func (c *Client) Accept(ctx context.Context, offerID string) (Offer, error) {
	var o Offer
	_, err := c.call(ctx, Call{Method: http.MethodPost, Path: OffersPath + "/" + url.PathEscape(offerID) + "/accept"}, &o)
	return o, err
}

// Decline gives an offer back with a reason: no-container, no-vehicle, too-far, price or other.
func (c *Client) Decline(ctx context.Context, offerID, reason string) error {
	_, err := c.call(ctx, Call{
		Method: http.MethodPost, Path: OffersPath + "/" + url.PathEscape(offerID) + "/decline", Body: map[string]string{"reason": reason},
	}, nil)
	return err
}

// Event is a step that the page reports.
type Event struct {
	Type    string            `json:"type"`         // without a dot
	ID      string            `json:"id,omitempty"` // of the intent, so that a second try counts once; empty: every try counts
	VisitID string            `json:"visit_id,omitempty"`
	Data    map[string]string `json:"data,omitempty"`
}

// Report records an event.
func (c *Client) Report(ctx context.Context, e Event) error {
	_, err := c.call(ctx, Call{Method: http.MethodPost, Path: EventsPath, Body: e}, nil)
	return err
}
