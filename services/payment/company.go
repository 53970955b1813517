package payment

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"kreislauf/internal/input"
	"kreislauf/services/payment/bank"
	"kreislauf/services/payment/paper"
)

// Company is the platform's own master data: who issues invoices and receives the partners' services.
type Company struct {
	Name      string `json:"name"` // with the legal form
	Street    string `json:"street"`
	Postcode  string `json:"postcode"`
	City      string `json:"city"`
	VATID     string `json:"vat_id"`     // "DE" and nine digits; this or the tax number is needed
	TaxNumber string `json:"tax_number"` // of the local tax office: "143/123/45678"
	Register  string `json:"register"`   // court and number: "Amtsgericht Köln, HRB 12345"
	IBAN      string `json:"iban"`       // where customers pay; stored without spaces
	BIC       string `json:"bic"`
	Email     string `json:"email"`
	Phone     string `json:"phone"`

	CreditorID string  `json:"creditor_id"` // of the German central bank, for direct debits; empty: there are none
	Reminders  []Level `json:"reminders"`   // of invoices that are not paid in time; without any: usualLevels
}

var (
	postcodePattern  = regexp.MustCompile(`^[0-9]{5}$`)
	taxNumberPattern = regexp.MustCompile(`^[0-9]{2,5}[/ ]?[0-9]{3,4}[/ ]?[0-9]{4,5}$`)
	bicPattern       = regexp.MustCompile(`^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$`)
	phonePattern     = regexp.MustCompile(`^\+?[0-9][0-9 ()/-]{4,29}$`)
)

// readCompany reads the file of master data, a JSON object. The mistakes are all there are; each says what is allowed.
func readCompany(path string) (c Company, mistakes []error) {
	if path == "" {
		return c, []error{fmt.Errorf("is missing; name a JSON file with the company that issues invoices (see docs/architecture.md)")}
	}
	f, err := os.Open(path)
	if err != nil {
		return c, []error{fmt.Errorf("read company: %w", err)}
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, []error{fmt.Errorf("read company in %s: %w", path, err)}
	}
	c.IBAN = strings.ReplaceAll(c.IBAN, " ", "")
	if c.Reminders == nil {
		c.Reminders = usualLevels()
	}
	return c, c.check()
}

// check lists what the law, a transfer or an electronic invoice would miss.
func (c Company) check() (mistakes []error) {
	bad := func(member, value, allowed string) {
		mistakes = append(mistakes, fmt.Errorf("%s: %q is not allowed; use %s", member, value, allowed))
	}
	for _, f := range []struct{ member, value string }{{"name", c.Name}, {"street", c.Street}, {"city", c.City}} {
		if n := utf8.RuneCountInString(strings.TrimSpace(f.value)); n < 2 || n > 70 { // a transfer takes no more
			bad(f.member, f.value, "2 to 70 characters")
		}
	}
	if !postcodePattern.MatchString(c.Postcode) {
		bad("postcode", c.Postcode, "five digits")
	}
	if c.VATID == "" && c.TaxNumber == "" {
		bad("vat_id", "", "a VAT id such as DE123456788, or give a tax_number")
	}
	if c.VATID == "" && c.Register == "" {
		bad("register", "", "court and number such as Amtsgericht Köln, HRB 12345, or give a vat_id: an electronic invoice needs one of them")
	}
	if c.VATID != "" && !paper.ValidVATID(c.VATID) {
		bad("vat_id", c.VATID, "DE and nine digits, of which the last one is the right check digit")
	}
	if c.TaxNumber != "" && !taxNumberPattern.MatchString(c.TaxNumber) {
		bad("tax_number", c.TaxNumber, "10 to 13 digits such as 143/123/45678")
	}
	if utf8.RuneCountInString(c.Register) > 100 {
		bad("register", c.Register, "at most 100 characters")
	}
	if !input.ValidIBAN(c.IBAN) {
		bad("iban", c.IBAN, "an IBAN; its check digits must be right")
	}
	if c.CreditorID != "" && !bank.ValidCreditorID(c.CreditorID) {
		bad("creditor_id", c.CreditorID, "a creditor id such as DE98ZZZ09999999999, or leave it out; its check digits must be right")
	}
	if c.BIC != "" && !bicPattern.MatchString(c.BIC) {
		bad("bic", c.BIC, "8 or 11 capital letters and digits, or leave it out")
	}
	if a, err := mail.ParseAddress(c.Email); err != nil || a.Address != c.Email || len(c.Email) > 254 {
		bad("email", c.Email, "an address such as rechnung@example.org")
	}
	if !phonePattern.MatchString(c.Phone) {
		bad("phone", c.Phone, "digits such as +49 221 123456")
	}
	return append(mistakes, checkLevels(c.Reminders)...)
}
