// Package input owns what text that people type must be: one visible line, an e-mail address that is one account's and no other's, an account at a bank. It is
// pure. Two texts that look the same to their reader shall be the same, so characters that show nothing are refused, never dropped.
//
// Not guaranteed: that letters of different scripts are told apart in a name (a Cyrillic а looks like a Latin a).
package input

import (
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxEmail is the longest e-mail address in bytes (RFC 5321).
const maxEmail = 254

// Line cuts surrounding space off. fault says to the author what is wrong; it is empty when there are least to most characters, all of
// them to be seen.
func Line(s string, least, most int) (line, fault string) {
	s = strings.TrimSpace(s)
	if n := utf8.RuneCountInString(s); n < least || n > most {
		return s, fmt.Sprintf("%d to %d characters are needed", least, most)
	}
	return s, invisible(s)
}

// Email brings an address into the form in which it is stored and compared: lower case, without surrounding space. fault is empty for an
// address, and says to the author what is wrong with anything else.
func Email(s string) (email, fault string) {
	s = strings.ToLower(strings.TrimSpace(s))
	if fault := invisible(s); fault != "" {
		return s, fault
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) {
		return s, "only the letters a to z, digits and signs such as - are possible in an e-mail address; write a domain with ä, ö, ü as xn--…"
	}
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s || len(s) > maxEmail {
		return s, "an e-mail address is needed, for example name@example.org"
	}
	return s, ""
}

var ibanPattern = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$`)

// IBAN brings an account number into the form in which it is stored and sent to banks: capital letters and digits without spaces. fault is
// empty for one whose check digits are right, and says to the author what is wrong with anything else.
func IBAN(s string) (iban, fault string) {
	iban = strings.ToUpper(strings.Join(strings.Fields(s), ""))
	if !ValidIBAN(iban) {
		return iban, "an IBAN is needed whose check digits fit, for example DE89 3704 0044 0532 0130 00; compare it with the account's papers"
	}
	return iban, ""
}

// ValidIBAN checks the form and the check digits (ISO 13616, modulo 97) of an IBAN without spaces; a German one has 22 characters. That the
// account exists is not known.
func ValidIBAN(s string) bool {
	if !ibanPattern.MatchString(s) || strings.HasPrefix(s, "DE") && len(s) != 22 {
		return false
	}
	rest := 0
	for _, r := range s[4:] + s[:4] {
		if r >= 'A' {
			rest = (rest*100 + int(r-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(r-'0')) % 97
		}
	}
	return rest == 1
}

// invisible names the first character that shows nothing: control and format characters (zero width space, marks of direction), line
// separators, and what fonts leave out.
func invisible(s string) (fault string) {
	n := 0
	for _, r := range s {
		n++
		if unicode.In(r, unicode.C, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			return fmt.Sprintf("character %d (%U) cannot be seen; type the text again instead of pasting it", n, r)
		}
	}
	return ""
}
