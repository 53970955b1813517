package load

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestHistogramPrecision(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	values := []uint64{0, 1, 31, 32, 63, 64, 65, 127, 128, 1<<topBit - 1}
	for range 10_000 {
		values = append(values, r.Uint64N(1<<(1+r.IntN(topBit))))
	}
	for _, us := range values {
		top := upper(bucket(us))
		exact := time.Duration(us) * time.Microsecond
		if top < exact || top > exact+exact/sub {
			t.Fatalf("%v is reported as %v", exact, top)
		}
	}
	for i := range len(histogram{}.counts) - 1 {
		if low := uint64(upper(i)/time.Microsecond) + 1; bucket(low) != i+1 {
			t.Fatalf("gap after bucket %d", i)
		}
	}
}

func TestQuantiles(t *testing.T) {
	var h histogram
	if h.quantile(0.99) != 0 {
		t.Errorf("empty: %v", h.quantile(0.99))
	}
	for i := range 100 {
		h.observe(time.Duration(i+1) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.50: 50, 0.90: 90, 0.99: 99, 1: 100} {
		want *= time.Millisecond
		if got := h.quantile(q); got < want || got > want+want/sub {
			t.Errorf("quantile %v: %v, want about %v", q, got, want)
		}
	}
	h.observe(100 * time.Hour)
	if got := h.latency("x"); got.Max != 100*time.Hour || got.Count != 101 {
		t.Errorf("longer than the last bucket: %+v", got)
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 µs", 420 * time.Microsecond: "420 µs", 8300 * time.Microsecond: "8 ms", 1500 * time.Millisecond: "1500 ms", 12340 * time.Millisecond: "12.3 s",
	} {
		if got := short(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
