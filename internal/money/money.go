// Package money owns amounts: whole cents of one currency and the German VAT split.
//
// Invariants: no floating point; Gross = Net + VAT always. It does not convert currencies.
package money

import "fmt"

// Cents is an amount in euro cents; negative means owed by us.
type Cents int64

// VATPercent is the German standard rate (§12(1) UStG).
const VATPercent = 19

// String prints euros with two decimals: "254.00".
func (c Cents) String() string {
	sign := ""
	if c < 0 {
		sign, c = "-", -c
	}
	return fmt.Sprintf("%s%d.%02d", sign, c/100, c%100)
}

// Price is one amount split by VAT, as shown to a customer and printed on an invoice.
type Price struct {
	NetCents   Cents  `json:"net_cents" bson:"net_cents"`
	VATCents   Cents  `json:"vat_cents" bson:"vat_cents"`
	GrossCents Cents  `json:"gross_cents" bson:"gross_cents"`
	Currency   string `json:"currency" bson:"currency"` // always "EUR"
}

// FromNet adds the standard rate, the tax rounded half up to a cent. A negative amount mirrors its positive one, so that a refund
// cancels its charge to the cent.
func FromNet(net Cents) Price {
	if net < 0 {
		p := FromNet(-net)
		return Price{NetCents: net, VATCents: -p.VATCents, GrossCents: -p.GrossCents, Currency: p.Currency}
	}
	vat := (net*VATPercent + 50) / 100
	return Price{NetCents: net, VATCents: vat, GrossCents: net + vat, Currency: "EUR"}
}
