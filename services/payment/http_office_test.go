package payment

import "testing"

func TestNumberOf(t *testing.T) {
	for typed, want := range map[string]string{
		"R-2026-000017": "R-2026-000017", "r 2026 0000": "R-2026-0000", "G2026": "G-2026-", "k.2026/000001": "K-2026-000001", "R-20": "", "Müller": "", "R-2026-00000x": "",
	} {
		if got := numberOf(typed); got != want {
			t.Errorf("numberOf(%q) = %q, want %q", typed, got, want)
		}
	}
}
