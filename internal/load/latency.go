package load

import (
	"fmt"
	"math"
	"math/bits"
	"time"
)

const (
	subBits = 5 // 32 buckets for each doubling
	sub     = 1 << subBits
	topBit  = 36 // 2^36 µs are 19 hours; longer counts as that
)

// histogram counts durations; see the package comment for its precision. The zero value is empty.
type histogram struct {
	counts [(topBit - subBits + 1) * sub]int
	n      int
	max    time.Duration
}

func (h *histogram) observe(d time.Duration) {
	d = max(d, 0)
	us := min(uint64((d+time.Microsecond-1)/time.Microsecond), 1<<topBit-1)
	h.counts[bucket(us)]++
	h.n++
	h.max = max(h.max, d)
}

// bucket is the position of a duration in µs: one per µs below 64, then 32 for each doubling.
func bucket(us uint64) int {
	if us < sub {
		return int(us)
	}
	shift := bits.Len64(us) - subBits - 1
	return shift*sub + int(us>>shift)
}

// upper is the longest duration in a bucket.
func upper(i int) time.Duration {
	if i < 2*sub {
		return time.Duration(i) * time.Microsecond
	}
	shift := i/sub - 1
	return time.Duration((uint64(i%sub+sub+1)<<shift)-1) * time.Microsecond
}

// quantile is the duration that the share q (0 to 1) of all stays within; 0 without any.
func (h *histogram) quantile(q float64) time.Duration {
	rank := max(1, int(math.Ceil(q*float64(h.n))))
	seen := 0
	for i, c := range h.counts {
		if seen += c; seen >= rank {
			return min(upper(i), h.max)
		}
	}
	return h.max
}

// Latency describes the durations of one step, each from its scheduled start.
type Latency struct {
	Step               string
	Count              int
	P50, P90, P99, Max time.Duration
}

func (h *histogram) latency(step string) Latency {
	return Latency{step, h.n, h.quantile(0.50), h.quantile(0.90), h.quantile(0.99), h.max}
}

// short prints a duration for people: "420 µs", "41 ms", "12.3 s".
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	default:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
}
