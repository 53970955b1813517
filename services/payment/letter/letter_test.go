package letter

import (
	"strings"
	"testing"
	"time"

	"kreislauf/internal/money"
)

func TestGiroCodeKeepsItsLimits(t *testing.T) {
	const iban, number = "DE89370400440532013000", "R-2026-000001"
	if code, err := giroCode("COBADEFFXXX", strings.Repeat("ä", 70), iban, number, 1); err != nil || len(code) > 4*giroVersion+17 || !code[0][0] || code[7][7] {
		t.Errorf("the longest name: %d rows, %v", len(code), err)
	}
	for name, tc := range map[string]struct {
		name   string
		amount money.Cents
	}{"too long": {strings.Repeat("x", 300), 1}, "nothing to pay": {"A", 0}, "too much": {"A", 1_000_000_000_00}} {
		if _, err := giroCode("", tc.name, iban, number, tc.amount); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestEuros(t *testing.T) {
	for c, want := range map[money.Cents]string{0: "0,00 €", 5: "0,05 €", 999_99: "999,99 €", 1_234_567_89: "1.234.567,89 €", -1_000_00: "−1.000,00 €"} {
		if got := euros(c); got != want {
			t.Errorf("%d prints as %s, want %s", c, got, want)
		}
	}
}

func TestAttachRefusesWhatItDoesNotKnow(t *testing.T) {
	if _, err := attach([]byte("%PDF-1.7\n"), nil, time.Time{}); err == nil {
		t.Error("no error")
	}
}
