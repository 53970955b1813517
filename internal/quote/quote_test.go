package quote

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/money"
	"kreislauf/internal/signed"
)

var (
	key = []byte("0123456789abcdef0123456789abcdef")
	end = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
)

func sample() Quote {
	return Quote{
		ID: "q-1", Postcode: "44137", Waste: "170904", SizeM3: 7, Date: "2026-11-09", Price: money.FromNet(483_00), IncludedDays: 10,
		IncludedKg: 1700, ExtraDayNetCents: 300, ExtraTonneNetCents: 208_00, Tariff: "2026-12", ValidUntil: end,
	}
}

func TestVerify(t *testing.T) {
	token, err := Sign(key, sample())
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name  string
		token string
		now   time.Time
		want  Quote
		err   error
	}{
		{"valid", token, end.Add(-time.Hour), sample(), nil},
		{"the last instant", token, end, sample(), nil},
		{"another time zone", token, end.In(time.FixedZone("CET", 3600)), sample(), nil},
		{"ended", token, end.Add(time.Nanosecond), sample(), ErrExpired},
		{"forged", strings.Replace(token, "q1.", "q1.A", 1), end, Quote{}, signed.ErrForged},
		{"empty", "", end, Quote{}, signed.ErrForged},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Verify(key, tc.token, tc.now)
			if !errors.Is(err, tc.err) {
				t.Errorf("error %v, want %v", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("quote (-want +got):\n%s", diff)
			}
		})
	}
}

// TestQuoteOfAnEarlierVersion: a customer may hold one while the platform is updated. What it does not say is not charged.
func TestQuoteOfAnEarlierVersion(t *testing.T) {
	token, err := signed.Seal(key, kind, map[string]any{
		"id": "q-1", "postcode": "44137", "waste_code": "170904", "size_m3": 7, "date": "2026-11-09", "price": money.FromNet(483_00),
		"included_days": 10, "extra_day_cents": 357, "tariff": "2026-11", "valid_until": end,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := sample()
	want.Tariff, want.IncludedKg, want.ExtraDayNetCents, want.ExtraTonneNetCents = "2026-11", 0, 0, 0
	got, err := Verify(key, token, end)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("quote (-want +got), %v:\n%s", err, diff)
	}
}

func TestInvitationIsNoQuote(t *testing.T) {
	token, err := signed.Seal(key, "invite", sample())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(key, token, end); !errors.Is(err, signed.ErrForged) {
		t.Errorf("a token of another kind gives %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	token, err := Sign(key, sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("q1.eyJpZCI6IngifQ.AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		if q, err := Verify(key, s, end); err == nil && s != token {
			t.Errorf("%q was accepted as %+v", s, q)
		}
	})
}
