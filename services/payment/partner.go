package payment

import (
	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
)

// Partner is a projection: what the newest disposer.partner-changed says of a partner, as far as its credit notes need it.
type Partner struct {
	aggregate.Root `bson:",inline"` // ID is the partner's
	Known          int64            `bson:"known"` // Version of the event
	Name           string           `bson:"name"`
	Street         string           `bson:"street"`
	Postcode       string           `bson:"postcode"`
	City           string           `bson:"city"`
	Email          string           `bson:"email"`
	TaxID          string           `bson:"tax_id"`
	SmallBusiness  bool             `bson:"small_business,omitempty"` // §19 UStG: no VAT
	IBAN           string           `bson:"iban,omitempty"`
}

func newPartner(e event.PartnerChanged) Partner {
	p := Partner{Root: aggregate.New(e.PartnerID)}
	p.learn(e)
	return p
}

// learn takes what the event says, unless something newer is known.
func (p *Partner) learn(e event.PartnerChanged) {
	if e.Version <= p.Known {
		return
	}
	p.Known, p.Name, p.Street, p.Postcode, p.City, p.Email, p.TaxID = e.Version, e.Name, e.Street, e.Postcode, e.City, e.Email, e.TaxID
	p.SmallBusiness, p.IBAN = e.SmallBusiness, e.IBAN
}

// Customer is a projection: where an electronic invoice for a user goes. An account of before the event had it has no e-mail address.
type Customer struct {
	aggregate.Root `bson:",inline"` // ID is the user's
	Email          string           `bson:"email"`
}
