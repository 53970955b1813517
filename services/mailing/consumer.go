package mailing

import (
	"context"

	"kreislauf/internal/event"
)

// Recipient is what is kept of a user, a customer's company or a partner, and its document.
type Recipient struct {
	ID      string `bson:"_id"`
	Name    string `bson:"name"`
	Email   string `bson:"email"`             // empty: of an account whose event did not have it
	Version int64  `bson:"version,omitempty"` // of the event, of those that change
}

// Order is what mails tell of an order, and its document.
type Order struct {
	ID       string        `bson:"_id"`
	UserID   string        `bson:"user_id"`
	Waste    string        `bson:"waste_code"`
	SizeM3   int           `bson:"size_m3"`
	Date     string        `bson:"date"` // YYYY-MM-DD
	Postcode string        `bson:"postcode"`
	Address  event.Address `bson:"address"`
}

func (s *service) consume(ctx context.Context, e event.Event, payload event.Payload) error {
	var err error
	switch p := payload.(type) {
	case event.SignedUp:
		_, err = s.recipients.Insert(ctx, Recipient{ID: p.UserID, Name: p.Name, Email: p.Email})
	case event.CompanyChanged:
		_, err = s.recipients.PutNewer(ctx, p.CompanyID, p.Version, Recipient{p.CompanyID, p.Name, p.Email, p.Version})
	case event.PartnerChanged:
		_, err = s.recipients.PutNewer(ctx, p.PartnerID, p.Version, Recipient{p.PartnerID, p.Name, p.Email, p.Version})
	case event.Placed:
		_, err = s.orders.Insert(ctx, Order{p.OrderID, p.UserID, p.Waste, p.SizeM3, p.Date, p.Postcode, p.Address})
	}
	if err != nil {
		return err
	}
	m, ok := newMail(e, payload, s.now())
	if !ok {
		return nil // nobody is written to about it
	}
	_, err = s.mails.Insert(ctx, m) // a second delivery finds the first one's mail and changes nothing
	return err
}
