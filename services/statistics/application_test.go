package statistics

import (
	"strings"
	"testing"
	"time"

	"kreislauf/internal/problem"
)

// keyOfERP is the SHA-256 of "key of the erp".
const keyOfERP = "c625b81a17aa1448875b597b20236f242cfdf206dd48258740401ed56219b6a3"

func TestReadApplications(t *testing.T) {
	one := `{"name":"erp","key_sha256":"` + keyOfERP + `"}`
	for text, want := range map[string]string{ // setting -> part of the error
		"":                          "",
		"[" + one + "]":             "",
		"{}":                        "JSON array",
		"[" + one + "," + one + "]": "each name once",
		"[" + strings.Replace(one, "erp", "ERP 1", 1) + "]":                      "no name",
		"[" + strings.Replace(one, keyOfERP, strings.ToUpper(keyOfERP), 1) + "]": "64 hexadecimal",
		"[" + one + "," + strings.Replace(one, "erp", "crm", 1) + "]":            "no other's",
		"[" + strings.Replace(one, "}", `,"per_minute":-1}`, 1) + "]":            "per_minute",
	} {
		byKey, err := readApplications(text)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if want == "" && text != "" && byKey[keyOfERP] != (application{"erp", keyOfERP, defaultPerMinute}) {
			t.Errorf("%s: %v", text, byKey)
		}
	}
}

// TestLimits: each sender has a limit of its own, a new minute begins anew, and so many addresses that nobody can remember them share one.
func TestLimits(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 15, 30, 0, time.UTC)
	var l limiter
	took := func(sender string, at time.Time) int {
		for n := range 10 {
			if err := l.take(sender, 3, at); err != nil {
				if problem.KindOf(err) != problem.TooMany {
					t.Fatal(err)
				}
				return n
			}
		}
		return 10
	}
	for _, c := range []struct {
		sender string
		at     time.Time
		want   int
	}{{"a", at, 3}, {"a", at.Add(20 * time.Second), 0}, {"b", at, 3}, {"a", at.Add(30 * time.Second), 3}} {
		if got := took(c.sender, c.at); got != c.want {
			t.Errorf("%s at %s posted %d events, want %d", c.sender, c.at, got, c.want)
		}
	}
	for i := range maxAddresses {
		_ = l.take(strings.Repeat("x", i%100)+string(rune(i)), 3, at)
	}
	if a, b := took("new-1", at), took("new-2", at); a != 3 || b != 0 {
		t.Errorf("beyond %d addresses two posted %d and %d events, want 3 and 0", maxAddresses, a, b)
	}
}
