package money

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestString(t *testing.T) {
	for c, want := range map[Cents]string{0: "0.00", 5: "0.05", 100: "1.00", 25400: "254.00", -1: "-0.01", -12345: "-123.45"} {
		if got := c.String(); got != want {
			t.Errorf("Cents(%d) = %q, want %q", int64(c), got, want)
		}
	}
}

func TestFromNet(t *testing.T) {
	for _, tc := range []struct{ net, vat Cents }{
		{0, 0},
		{1, 0},        // 0.19 of a cent
		{2, 0},        // 0.38
		{3, 1},        // 0.57
		{50, 10},      // exactly 9.5: half up
		{150, 29},     // exactly 28.5
		{100, 19},     //
		{25400, 4826}, //
		{-100, -19},   // a refund mirrors its charge
		{-50, -10},    //
		{-3, -1},      //
		{1 << 50, (1<<50*19 + 50) / 100},
	} {
		want := Price{NetCents: tc.net, VATCents: tc.vat, GrossCents: tc.net + tc.vat, Currency: "EUR"}
		if diff := cmp.Diff(want, FromNet(tc.net)); diff != "" {
			t.Errorf("FromNet(%d) (-want +got):\n%s", int64(tc.net), diff)
		}
	}
}

func FuzzFromNet(f *testing.F) {
	f.Add(int32(50))
	f.Add(int32(-50))
	f.Fuzz(func(t *testing.T, n int32) {
		p, back := FromNet(Cents(n)), FromNet(-Cents(n))
		if p.GrossCents != p.NetCents+p.VATCents {
			t.Errorf("gross is not net + VAT: %+v", p)
		}
		if p.VATCents != -back.VATCents {
			t.Errorf("a refund of %d does not mirror its charge: %+v, %+v", n, p, back)
		}
		if off := p.VATCents*100 - p.NetCents*VATPercent; off > 50 || off < -50 {
			t.Errorf("VAT of %d is more than half a cent off: %+v", n, p)
		}
	})
}

func TestPriceJSON(t *testing.T) {
	b, err := json.Marshal(FromNet(10000))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"net_cents":10000,"vat_cents":1900,"gross_cents":11900,"currency":"EUR"}`; string(b) != want {
		t.Errorf("JSON %s, want %s", b, want)
	}
}
