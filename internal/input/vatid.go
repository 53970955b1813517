package input

import (
	"regexp"
	"strings"
)

// vatForms are the forms of VAT ids by country, as the EU's VIES lists them. Greece is EL, Northern Ireland XI.
var vatForms = regexp.MustCompile(`^(ATU\d{8}|BE[01]\d{9}|BG\d{9,10}|CY\d{8}[A-Z]|CZ\d{8,10}|DE\d{9}|DK\d{8}|EE\d{9}|EL\d{9}|ES[A-Z0-9]\d{7}[A-Z0-9]|FI\d{8}|` +
	`FR[A-HJ-NP-Z0-9]{2}\d{9}|HR\d{11}|HU\d{8}|IE\d[A-Z0-9+*]\d{5}[A-Z]{1,2}|IT\d{11}|LT(\d{9}|\d{12})|LU\d{8}|LV\d{11}|MT\d{8}|NL[A-Z0-9+*]{12}|` +
	`PL\d{10}|PT\d{9}|RO\d{2,10}|SE\d{12}|SI\d{8}|SK\d{10}|XI(\d{9}|\d{12}|(GD|HA)\d{3}))$`)

// VATID brings a VAT id into the form in which it is stored: capital letters, without spaces, dots and hyphens. fault is empty for one that has
// the form of its country, and the right check digit where that is Germany. Nobody is asked whether it was given to somebody.
func VATID(s string) (id, fault string) {
	id = strings.NewReplacer(" ", "", ".", "", "-", "").Replace(strings.ToUpper(s))
	if !vatForms.MatchString(id) {
		return id, "a VAT id is the letters of the country and what follows them there, for example DE123456788"
	}
	if strings.HasPrefix(id, "DE") && !germanVATID(id[2:]) {
		return id, "the check digit is wrong; look at the number again"
	}
	return id, ""
}

// germanVATID checks nine digits (ISO 7064, modulo 11,10).
func germanVATID(digits string) bool {
	product := 10
	for _, r := range digits[:8] {
		sum := (int(r-'0') + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = 2 * sum % 11
	}
	return (11-product)%10 == int(digits[8]-'0')
}
