package client

import (
	"context"
	"net/http"
	"net/url"

	"kreislauf/internal/money"
)

// Paths of the back office.
const (
	PartnersPath       = "/api/disposer/v1/partners"
	InvoicesPath       = "/api/payment/v1/invoices"
	StatementLinesPath = "/api/payment/v1/statement-lines"
)

// Partner is a disposal partner, as far as a program needs it.
type Partner struct {
	ID     string `json:"partner_id"`
	Active bool   `json:"active"`
}

// Partners lists all partners, for the back office.
func (c *Client) Partners(ctx context.Context) ([]Partner, error) {
	var v struct {
		Partners []Partner `json:"partners"`
	}
	_, err := c.call(ctx, Call{Method: http.MethodGet, Path: PartnersPath}, &v)
	return v.Partners, err
}

// Invoice is what a list says of an invoice; Invoice gives it without the order.
type Invoice struct {
	Number  string      `json:"number"`
	State   string      `json:"state"` // issued, paid or cancelled
	OrderID string      `json:"order_id"`
	Total   money.Price `json:"total"`
	Open    money.Cents `json:"open_cents"` // what is left to pay
}

// Invoices lists the newest invoices that the caller may see, at most 100: those in a state, or all when it is empty.
func (c *Client) Invoices(ctx context.Context, state string) ([]Invoice, error) {
	path := InvoicesPath
	if state != "" {
		path += "?" + url.Values{"state": {state}}.Encode()
	}
	var v struct {
		Invoices []Invoice `json:"invoices"`
	}
	_, err := c.call(ctx, Call{Method: http.MethodGet, Path: path}, &v)
	return v.Invoices, err
}

// Invoice reads an invoice.
func (c *Client) Invoice(ctx context.Context, number string) (Invoice, error) {
	var i Invoice
	_, err := c.call(ctx, Call{Method: http.MethodGet, Path: InvoicesPath + "/" + url.PathEscape(number)}, &i)
	return i, err
}

// Receipt is a line of the bank statement: money that came in.
type Receipt struct {
	ID        string      `json:"id"`        // of the bank; the same again is the same money
	BookedOn  string      `json:"booked_on"` // YYYY-MM-DD
	Cents     money.Cents `json:"amount_cents"`
	Remitter  string      `json:"remitter"`
	Reference string      `json:"reference"` // what the customer wrote; a number of an invoice in it says what is paid
}

// Receive tells of money that came in. invoice is the number of what it pays; it is empty when nobody knows yet.
func (c *Client) Receive(ctx context.Context, r Receipt) (invoice string, err error) {
	var v struct {
		Invoice string `json:"invoice"`
	}
	_, err = c.call(ctx, Call{Method: http.MethodPost, Path: StatementLinesPath, Body: r}, &v)
	return v.Invoice, err
}

// AssignReceipt says by hand which invoice a line of the statement pays.
func (c *Client) AssignReceipt(ctx context.Context, id, invoice string) error {
	_, err := c.call(ctx, Call{
		Method: http.MethodPost, Path: StatementLinesPath + "/" + url.PathEscape(id) + "/assign", Body: map[string]string{"invoice": invoice},
	}, nil)
	return err
}
