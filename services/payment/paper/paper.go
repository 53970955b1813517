// Package paper is what an invoice says, the rules that it must keep, and its electronic forms.
//
// Paper is the content of an invoice, a credit note or a correction. Check holds it against the rules that no validator of electronic
// invoices looks at: amounts to the cent, check digits, rates, dates, the word "Gutschrift". XRechnung and ZUGFeRD write it in the two
// syntaxes of EN 16931: UBL for offices and machines, CII for the inside of a PDF. They are functions of number and Paper alone: the same
// Paper gives the same bytes. What is printed is the business of the package letter.
//
// Discounts, charges, and parts that were paid already are not there.
package paper

import (
	"fmt"

	"kreislauf/internal/money"
)

// Paper is what an invoice, a credit note or a correction says, with all that §14 (4) UStG and an electronic invoice (EN 16931) ask for.
// It is written once and never changed: not when a partner moves, not when the company does. Its number stands beside it, because it is
// given when all that can refuse is over.
type Paper struct {
	TypeCode     string      `json:"type_code" bson:"type_code"`         // one of those below
	Title        string      `json:"title" bson:"title"`                 // as printed; the law wants the word "Gutschrift" on a self-billed one
	IssuedOn     string      `json:"issued_on" bson:"issued_on"`         // as all dates here local, YYYY-MM-DD
	SuppliedFrom string      `json:"supplied_from" bson:"supplied_from"` // the time of supply: from placing
	SuppliedTo   string      `json:"supplied_to" bson:"supplied_to"`     // to fetching, which is the date of delivery
	DueOn        string      `json:"due_on" bson:"due_on"`
	TermDays     int         `json:"term_days" bson:"term_days"`
	Seller       Party       `json:"seller" bson:"seller"`
	Buyer        Party       `json:"buyer" bson:"buyer"`
	Lines        []Line      `json:"lines" bson:"lines"`
	Taxes        []Tax       `json:"taxes" bson:"taxes"`
	Total        money.Price `json:"total" bson:"total"`
	IBAN         string      `json:"iban,omitempty" bson:"iban,omitempty"` // where to pay; we do not have those of partners yet
	BIC          string      `json:"bic,omitempty" bson:"bic,omitempty"`
	Notes        []string    `json:"notes" bson:"notes"`                                 // printed below, in German
	OrderID      string      `json:"order_id" bson:"order_id"`                           // the reference of both sides
	Slip         string      `json:"slip" bson:"slip"`                                   // number of the weighing slip
	Corrects     *Reference  `json:"corrects,omitempty" bson:"corrects,omitempty"`       // of a correction: the document that it cancels
	Replaces     *Reference  `json:"replaces,omitempty" bson:"replaces,omitempty"`       // of an invoice or credit note: the cancelled one in whose place it is
	SelfBilled   bool        `json:"self_billed,omitempty" bson:"self_billed,omitempty"` // the buyer issues it on the seller's behalf
}

// Codes of types (UNTDID 1001).
const (
	Invoice    = "380"
	Correction = "384" // cancels another document: the same lines with the opposite sign
	SelfBilled = "389" // a credit note to a partner, which is the partner's invoice to us
)

// Reference names another document.
type Reference struct {
	Number   string `json:"number" bson:"number"`
	IssuedOn string `json:"issued_on" bson:"issued_on"`
}

// Party is the seller or the buyer.
type Party struct {
	Name      string `json:"name" bson:"name"`
	Street    string `json:"street" bson:"street"`
	Postcode  string `json:"postcode" bson:"postcode"`
	City      string `json:"city" bson:"city"`
	Country   string `json:"country" bson:"country"`               // ISO 3166: always "DE"
	SellerID  string `json:"seller_id,omitempty" bson:"seller_id"` // the seller's number at the buyer: an e-invoice of somebody without a VAT id needs it
	VATID     string `json:"vat_id,omitempty" bson:"vat_id"`
	TaxNumber string `json:"tax_number,omitempty" bson:"tax_number"`
	Register  string `json:"register,omitempty" bson:"register"`
	Email     string `json:"email,omitempty" bson:"email"`
	Phone     string `json:"phone,omitempty" bson:"phone"`
}

// Quantity counts thousandths of a unit, so that a tonne can be a number of kilograms.
type Quantity int64

// String prints it with three decimals: "0.340".
func (q Quantity) String() string {
	sign := ""
	if q < 0 {
		sign, q = "-", -q
	}
	return fmt.Sprintf("%s%d.%03d", sign, q/1000, q%1000)
}

// Times is the quantity at a price, rounded half up to a cent, of a negative quantity as of its positive one.
func (q Quantity) Times(price money.Cents) money.Cents {
	if q < 0 {
		return -(-q).Times(price)
	}
	return (money.Cents(q)*price + 500) / 1000
}

// MarshalText is String.
func (q Quantity) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

// Codes of units (UN/ECE recommendation 20).
const (
	Piece Unit = "C62"
	Day   Unit = "DAY"
	Tonne Unit = "TNE"
)

// Unit is what a line counts.
type Unit string

// Line is one service. NetCents is Quantity.Times(UnitCents).
type Line struct {
	Item      string      `json:"item" bson:"item"` // what kind of line it is, for programs: "service"
	Text      string      `json:"text" bson:"text"` // as printed, in German
	Quantity  Quantity    `json:"quantity" bson:"quantity"`
	Unit      Unit        `json:"unit" bson:"unit"`
	UnitCents money.Cents `json:"unit_cents" bson:"unit_cents"`
	NetCents  money.Cents `json:"net_cents" bson:"net_cents"`
	Percent   int         `json:"vat_percent" bson:"vat_percent"`
	Category  string      `json:"vat_category" bson:"vat_category"` // of the list UNTDID 5305: one of those below
}

// Categories of VAT. The last two have the rate 0.
const (
	StandardRate  = "S"  // money.VATPercent
	ReverseCharge = "AE" // the buyer owes the tax (§13b UStG)
	Exempt        = "E"  // the seller is a small trader (§19 UStG)
)

// Exemption says why a category has no tax, as the law wants it on the document (§14a (5) and §14 (4) no. 8 UStG), and the code of the list
// VATEX where there is one; all is empty of a category that has a tax.
func Exemption(category string) (code, reason, paragraph string) {
	switch category {
	case ReverseCharge:
		return "VATEX-EU-AE", "Steuerschuldnerschaft des Leistungsempfängers (§ 13b UStG).", "§ 13b UStG"
	case Exempt:
		return "", "Steuerfrei nach § 19 UStG (Kleinunternehmer).", "§ 19 UStG"
	}
	return "", "", ""
}

// Percent is the rate of a category.
func Percent(category string) int {
	if category == StandardRate {
		return money.VATPercent
	}
	return 0
}

// Total adds lines up. The tax of each category is calculated once, on the sum of its lines.
func Total(lines []Line) ([]Tax, money.Price) {
	var taxes []Tax
	sum := money.Price{Currency: "EUR"}
	for _, c := range []string{StandardRate, ReverseCharge, Exempt} {
		t, used := Tax{Category: c, Percent: Percent(c)}, false
		for _, l := range lines {
			if l.Category == c {
				t.NetCents, used = t.NetCents+l.NetCents, true
			}
		}
		if !used {
			continue
		}
		if c == StandardRate {
			t.VATCents = money.FromNet(t.NetCents).VATCents
		}
		taxes = append(taxes, t)
		sum.NetCents, sum.VATCents = sum.NetCents+t.NetCents, sum.VATCents+t.VATCents
	}
	sum.GrossCents = sum.NetCents + sum.VATCents
	return taxes, sum
}

// Tax is what is due of one category, calculated once on the sum of its lines.
type Tax struct {
	Category string      `json:"category" bson:"category"`
	Percent  int         `json:"percent" bson:"percent"`
	NetCents money.Cents `json:"net_cents" bson:"net_cents"`
	VATCents money.Cents `json:"vat_cents" bson:"vat_cents"`
}
