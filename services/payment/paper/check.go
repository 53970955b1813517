package paper

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"kreislauf/internal/input"
)

// title is the word that the law or custom want above the document.
func (p Paper) title() string {
	if p.SelfBilled && p.TypeCode == Correction {
		return "Gutschriftkorrektur"
	}
	return map[string]string{Invoice: "Rechnung", Correction: "Rechnungskorrektur", SelfBilled: "Gutschrift"}[p.TypeCode]
}

// Check lists what would make the document wrong, as one error. Validators of electronic invoices let most of it pass.
func (p Paper) Check() error {
	var errs []error
	need := func(good bool, what string, args ...any) {
		if !good {
			errs = append(errs, fmt.Errorf(what, args...))
		}
	}
	need(p.title() == p.Title && p.Title != "", "the type %q has the title %q", p.TypeCode, p.Title)
	need(p.SelfBilled == (p.TypeCode == SelfBilled) || p.TypeCode == Correction, `a self-billed one, and no other, is a "Gutschrift"`)
	need(p.Seller.complete(), "the seller's name or address is missing")
	need(p.Buyer.complete(), "the buyer's name or address is missing")
	need(p.Seller != p.Buyer, "seller and buyer are the same")
	need(p.Seller.VATID != "" || p.Seller.TaxNumber != "", "the seller's VAT id or tax number is missing")
	need(p.Seller.VATID != "" || p.Seller.SellerID != "" || p.Seller.Register != "",
		"a tax number alone does not identify the seller: a VAT id, the register or its number at the buyer is missing")
	for _, id := range []string{p.Seller.VATID, p.Buyer.VATID} {
		need(id == "" || ValidVATID(id), "the VAT id %q is wrong", id)
	}
	need(p.IBAN != "" || p.TypeCode != Invoice, "the account to pay to is missing")
	need(p.IBAN == "" || input.ValidIBAN(p.IBAN), "the IBAN %q is wrong", p.IBAN)
	errs = append(errs, p.checkDates(), p.checkAmounts())
	return errors.Join(errs...)
}

func (p Party) complete() bool {
	return p.Name != "" && p.Street != "" && p.Postcode != "" && p.City != "" && p.Country == "DE"
}

func (p Paper) checkDates() error {
	var errs []error
	for _, date := range []string{p.IssuedOn, p.SuppliedFrom, p.SuppliedTo, p.DueOn} {
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			errs = append(errs, fmt.Errorf("%q is no date", date))
		}
	}
	if p.DueOn < p.IssuedOn {
		errs = append(errs, errors.New("it is due before it is issued"))
	}
	if p.SuppliedTo < p.SuppliedFrom {
		errs = append(errs, errors.New("the supply ends before it begins"))
	}
	if (p.TypeCode == Correction) != (p.Corrects != nil && p.Corrects.Number != "") {
		errs = append(errs, errors.New("only a correction names the document that it corrects"))
	}
	if p.Replaces != nil && (p.TypeCode == Correction || p.Replaces.Number == "") {
		errs = append(errs, errors.New("only an invoice or credit note names the one that it replaces"))
	}
	for _, r := range []*Reference{p.Corrects, p.Replaces} {
		if r == nil {
			continue
		}
		if _, err := time.Parse(time.DateOnly, r.IssuedOn); err != nil || r.IssuedOn > p.IssuedOn {
			errs = append(errs, fmt.Errorf("it refers to something of %q", r.IssuedOn))
		}
	}
	return errors.Join(errs...)
}

// checkAmounts adds up again, and holds the categories against who sells to whom.
func (p Paper) checkAmounts() error {
	var errs []error
	used := map[string]bool{}
	for _, l := range p.Lines {
		used[l.Category] = true
		known := l.Unit == Piece || l.Unit == Day || l.Unit == Tonne
		if l.Text == "" || l.Quantity == 0 || l.UnitCents < 0 || l.NetCents != l.Quantity.Times(l.UnitCents) || !known {
			errs = append(errs, fmt.Errorf("the line %s is not right", l.Item))
		}
		if !slices.Contains([]string{StandardRate, ReverseCharge, Exempt}, l.Category) || l.Percent != Percent(l.Category) {
			errs = append(errs, fmt.Errorf("the line %s is taxed with %s %d %%", l.Item, l.Category, l.Percent))
		}
	}
	if used[Exempt] && len(used) > 1 {
		errs = append(errs, errors.New("a small trader sells all without tax, or nothing"))
	}
	if used[ReverseCharge] && (p.Buyer.VATID == "" || p.SelfBilled) {
		errs = append(errs, errors.New("who owes the tax of an invoice needs a VAT id"))
	}
	for category := range used {
		if _, reason, _ := Exemption(category); reason != "" && !slices.Contains(p.Notes, reason) {
			errs = append(errs, fmt.Errorf("the note about the category %s is missing", category))
		}
	}
	taxes, sum := Total(p.Lines)
	if p.Total != sum {
		errs = append(errs, errors.New("the lines do not add up to the total"))
	}
	if !slices.Equal(p.Taxes, taxes) {
		errs = append(errs, errors.New("the tax is not that of the lines"))
	}
	if p.Total.GrossCents == 0 || (p.Total.GrossCents < 0) != (p.TypeCode == Correction) {
		errs = append(errs, fmt.Errorf("its total is %s", p.Total.GrossCents))
	}
	return errors.Join(errs...)
}

var germanVATID = regexp.MustCompile(`^DE[0-9]{9}$`)

// ValidVATID checks a German VAT id and its check digit (ISO 7064, modulo 11,10).
func ValidVATID(s string) bool {
	if !germanVATID.MatchString(s) {
		return false
	}
	product := 10
	for _, r := range s[2:10] {
		sum := (int(r-'0') + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = 2 * sum % 11
	}
	return (11-product)%10 == int(s[10]-'0')
}
