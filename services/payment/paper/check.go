package paper

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"

	"kreislauf/internal/money"
)

// titles are the words that the law or custom want above each type.
func titles() map[string]string {
	return map[string]string{Invoice: "Rechnung", Correction: "Rechnungskorrektur", SelfBilled: "Gutschrift"}
}

// Check lists what would make the document wrong, as one error. Validators of electronic invoices let most of it pass.
func (p Paper) Check() error {
	var errs []error
	need := func(good bool, what string, args ...any) {
		if !good {
			errs = append(errs, fmt.Errorf(what, args...))
		}
	}
	need(titles()[p.TypeCode] == p.Title && p.Title != "", "the type %q has the title %q", p.TypeCode, p.Title)
	need(p.SelfBilled == (p.TypeCode == SelfBilled), `a self-billed one, and no other, is a "Gutschrift"`)
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
	need(p.IBAN == "" || ValidIBAN(p.IBAN), "the IBAN %q is wrong", p.IBAN)
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
		errs = append(errs, errors.New("only a correction names the invoice that it corrects"))
	}
	if p.Corrects != nil {
		if _, err := time.Parse(time.DateOnly, p.Corrects.IssuedOn); err != nil || p.Corrects.IssuedOn > p.IssuedOn {
			errs = append(errs, fmt.Errorf("it corrects something of %q", p.Corrects.IssuedOn))
		}
	}
	return errors.Join(errs...)
}

// checkAmounts adds up again. There is one rate, so there is one tax, calculated once on the sum of the lines.
func (p Paper) checkAmounts() error {
	var errs []error
	var net money.Cents
	for _, l := range p.Lines {
		net += l.NetCents
		known := l.Unit == Piece || l.Unit == Day || l.Unit == Tonne
		if l.Text == "" || l.Quantity == 0 || l.UnitCents < 0 || l.NetCents != l.Quantity.Times(l.UnitCents) || !known {
			errs = append(errs, fmt.Errorf("the line %s is not right", l.Item))
		}
		if l.Category != StandardRate || l.Percent != money.VATPercent {
			errs = append(errs, fmt.Errorf("the line %s is taxed with %s %d %%", l.Item, l.Category, l.Percent))
		}
	}
	sum := money.FromNet(net)
	if p.Total != sum {
		errs = append(errs, errors.New("the lines do not add up to the total"))
	}
	if len(p.Taxes) != 1 || p.Taxes[0] != (Tax{StandardRate, money.VATPercent, sum.NetCents, sum.VATCents}) {
		errs = append(errs, errors.New("the tax is not that of the lines"))
	}
	if p.Total.GrossCents == 0 || (p.Total.GrossCents < 0) != (p.TypeCode == Correction) {
		errs = append(errs, fmt.Errorf("its total is %s", p.Total.GrossCents))
	}
	return errors.Join(errs...)
}

var (
	ibanPattern = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$`)
	germanVATID = regexp.MustCompile(`^DE[0-9]{9}$`)
)

// ValidIBAN checks the form and the check digits (ISO 13616, modulo 97); a German one has 22 characters.
func ValidIBAN(s string) bool {
	if !ibanPattern.MatchString(s) || strings.HasPrefix(s, "DE") && len(s) != 22 {
		return false
	}
	var digits strings.Builder
	for _, r := range s[4:] + s[:4] {
		if r >= 'A' {
			fmt.Fprint(&digits, r-'A'+10)
		} else {
			digits.WriteRune(r)
		}
	}
	n, ok := new(big.Int).SetString(digits.String(), 10)
	return ok && n.Mod(n, big.NewInt(97)).Int64() == 1
}

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
