package payment

import (
	"kreislauf/internal/event"
	"kreislauf/services/payment/paper"
)

// Client is a projection, and its document: a customer's company as the newest identity.company-changed says, for its invoices.
type Client struct {
	ID            string `bson:"_id"`
	Known         int64  `bson:"version"` // Version of the event
	Name          string `bson:"name"`
	Street        string `bson:"street"`
	Postcode      string `bson:"postcode"`
	City          string `bson:"city"`
	Email         string `bson:"email"`
	VATID         string `bson:"vat_id"`
	ReverseCharge bool   `bson:"reverse_charge"`
}

func newClient(e event.CompanyChanged) Client {
	return Client{e.CompanyID, e.Version, e.Name, e.Street, e.Postcode, e.City, e.Email, e.VATID, e.ReverseCharge}
}

// party is the company as the buyer of its invoices.
func (c Client) party() paper.Party {
	return paper.Party{Name: c.Name, Street: c.Street, Postcode: c.Postcode, City: c.City, Country: "DE", VATID: c.VATID, Email: c.Email}
}
