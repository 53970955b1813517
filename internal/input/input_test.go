package input_test

import (
	"strings"
	"testing"

	"kreislauf/internal/input"
)

func TestLine(t *testing.T) {
	for _, tc := range []struct{ text, want, fault string }{
		{" Anna Beispiel ", "Anna Beispiel", ""},
		{"Zoë O’Neill-Łącka 李", "Zoë O’Neill-Łącka 李", ""},
		{"An", "An", ""},
		{"A", "A", "2 to 20 characters"},
		{strings.Repeat("ä", 20), strings.Repeat("ä", 20), ""},
		{strings.Repeat("ä", 21), strings.Repeat("ä", 21), "2 to 20 characters"},
		{"An\u200bna", "An\u200bna", "character 3 (U+200B)"},
		{"\u202eannA", "\u202eannA", "character 1 (U+202E)"},
		{"Anna\nBeispiel", "Anna\nBeispiel", "character 5 (U+000A)"},
		{"An\u00adna", "An\u00adna", "U+00AD"},
		{"Anna\u2028Beispiel", "Anna\u2028Beispiel", "U+2028"},
		{"An\u3164na", "An\u3164na", "U+3164"},
		{"Anna\ufe0f", "Anna\ufe0f", "U+FE0F"},
	} {
		got, fault := input.Line(tc.text, 2, 20)
		if got != tc.want || (fault == "") != (tc.fault == "") || !strings.Contains(fault, tc.fault) {
			t.Errorf("Line(%q) = %q, %q; want %q, %q", tc.text, got, fault, tc.want, tc.fault)
		}
	}
}

func TestEmail(t *testing.T) {
	for _, tc := range []struct{ text, want, fault string }{
		{" Anna@Example.org ", "anna@example.org", ""},
		{"o'neill+a@xn--mller-kva.example", "o'neill+a@xn--mller-kva.example", ""},
		{"anna\u200b@example.org", "", "character 5 (U+200B)"},
		{"anna@example.org\u2069", "", "U+2069"},
		{"anna\x00@example.org", "", "U+0000"},
		{"аnna@example.org", "", "letters a to z"}, // a Cyrillic а
		{"anna@müller.example", "", "xn--"},
		{"Anna <anna@example.org>", "", "name@example.org"},
		{"anna", "", "name@example.org"},
		{"", "", "name@example.org"},
		{strings.Repeat("x", 250) + "@example.org", "", "name@example.org"},
	} {
		got, fault := input.Email(tc.text)
		if tc.fault == "" && (got != tc.want || fault != "") || tc.fault != "" && !strings.Contains(fault, tc.fault) {
			t.Errorf("Email(%q) = %q, %q; want %q, %q", tc.text, got, fault, tc.want, tc.fault)
		}
	}
}

func TestIBAN(t *testing.T) {
	for text, want := range map[string]string{
		"DE89 3704 0044 0532 0130 00": "DE89370400440532013000",
		"at61 1904 3002 3457 3201":    "AT611904300234573201",
		"GB82WEST12345698765432":      "GB82WEST12345698765432",
		"DE98370400440532013000":      "", // digits changed over
		"DE8937040044053201300":       "", // one is missing
		"DE89370400440532013000X":     "",
		"89370400440532013000":        "",
		"":                            "",
	} {
		got, fault := input.IBAN(text)
		if (fault == "") != (want != "") || want != "" && got != want {
			t.Errorf("IBAN(%q) = %q, %q; want %q", text, got, fault, want)
		}
	}
}

func TestVATID(t *testing.T) {
	for _, tc := range []struct{ text, want, fault string }{
		{"DE123456788", "DE123456788", ""},
		{" de 136.695-976 ", "DE136695976", ""},
		{"DE123456789", "", "check digit"},
		{"DE12345678", "", "letters of the country"},
		{"123456788", "", "letters of the country"},
		{"ATU12345678", "ATU12345678", ""},
		{"AT12345678", "", "letters of the country"},
		{"NL123456789B01", "NL123456789B01", ""},
		{"FRXX123456789", "FRXX123456789", ""},
		{"GB123456789", "", "letters of the country"},
		{"DE１２３４５６７８８", "", "letters of the country"}, // wide digits
		{"", "", "letters of the country"},
	} {
		got, fault := input.VATID(tc.text)
		if tc.fault == "" && (got != tc.want || fault != "") || tc.fault != "" && !strings.Contains(fault, tc.fault) {
			t.Errorf("VATID(%q) = %q, %q; want %q, %q", tc.text, got, fault, tc.want, tc.fault)
		}
	}
}
