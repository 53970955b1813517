package load

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/catalog"
)

const draws = 100_000

func drawn(seed uint64, n int) []plan {
	m, r := newMix(), rand.New(rand.NewPCG(seed, streamVisits))
	var list []plan
	for i := range n {
		list = append(list, m.visit(r, i, 20))
	}
	return list
}

// near compares a share in percent with what it should be; the seed is fixed, so the result is always the same.
func near(t *testing.T, what string, count, of int, want, tolerance float64) {
	t.Helper()
	if got := 100 * float64(count) / float64(of); math.Abs(got-want) > tolerance {
		t.Errorf("%s: %.2f %%, want %.2f ± %.2f", what, got, want, tolerance)
	}
}

func TestDemandMix(t *testing.T) {
	group := map[string]string{
		"170904": "construction", "170107": "construction", "170504": "construction", "170101": "construction", "170802": "construction",
		"200307": "bulky", "170201": "wood", "200201": "garden", "200301": "municipal, packaging and paper",
	}
	groups, sizes := map[string]int{}, map[int]int{}
	var asks, free, mistakes, orders, berlin, suhl int
	for _, p := range drawn(7, draws) {
		groups[group[p.asks[0].waste]]++
		if p.order {
			orders++
		}
		switch p.postcode[:2] {
		case "10", "12", "13":
			berlin++
		case "98":
			suhl++
		}
		for _, a := range p.asks {
			asks++
			if a.mistake != noMistake {
				mistakes++
			}
			if a.waste == "170904" || a.waste == "200307" { // light: every size fits
				free++
				sizes[a.sizeM3]++
			}
		}
	}
	near(t, "construction", groups["construction"], draws, 59.5, 0.4)
	near(t, "bulky", groups["bulky"], draws, 16.9, 0.4)
	near(t, "wood", groups["wood"], draws, 10.4, 0.3)
	near(t, "garden", groups["garden"], draws, 9.5, 0.3)
	near(t, "municipal, packaging and paper", groups["municipal, packaging and paper"], draws, 3.7, 0.2)
	near(t, "7 m³", sizes[7], free, 37, 0.5)
	near(t, "5 m³", sizes[5], free, 24, 0.5)
	near(t, "orders", orders, draws, 45, 0.5)
	near(t, "mistakes", mistakes, asks, 2, 0.15)
	if asks < 2*draws*98/100 || asks > 2*draws*102/100 {
		t.Errorf("%d quotes in %d visits, want two on average", asks, draws)
	}
	if berlin < 20*suhl {
		t.Errorf("Berlin %d times, Suhl %d times: big cities should come far more often", berlin, suhl)
	}
}

func TestEveryVisitIsPossible(t *testing.T) {
	private := []string{"10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "203.0.113.0/24", "240.0.0.0/4", "0.0.0.0/8"}
	for _, p := range drawn(3, draws/4) {
		if !p.from.Is4() || !p.from.IsGlobalUnicast() {
			t.Fatalf("address %v", p.from)
		}
		for _, s := range private {
			if netip.MustParsePrefix(s).Contains(p.from) {
				t.Fatalf("address %v is in %s", p.from, s)
			}
		}
		if _, err := catalog.FindPlace(p.postcode); err != nil {
			t.Fatal(err)
		}
		if n := len(p.asks); n < 1 || n > 3 {
			t.Fatalf("%d quotes", n)
		}
		for _, a := range p.asks {
			w, err := catalog.FindWaste(a.waste)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.CheckSize(a.sizeM3); err != nil {
				t.Fatal(err)
			}
			if a.days < 1 {
				t.Fatalf("%d days after the earliest date", a.days)
			}
		}
	}
}

func TestVisitsRepeatWithTheSeed(t *testing.T) {
	opts := []cmp.Option{cmp.AllowUnexported(plan{}, ask{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}
	if d := cmp.Diff(drawn(5, 200), drawn(5, 200), opts...); d != "" {
		t.Errorf("same seed, other visits:\n%s", d)
	}
	if cmp.Equal(drawn(5, 200), drawn(6, 200), opts...) {
		t.Error("another seed gives the same visits")
	}
}

func TestWindowDate(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(catalog.DateFormat, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		name, postcode   string
		earliest, latest string
		days             int
		want             string
	}{
		{"working day", "50667", "2025-11-24", "2026-02-20", 2, "2025-11-26"},
		{"Sunday moves on", "50667", "2025-11-24", "2026-02-20", 6, "2025-12-01"},
		{"a holiday there", "50667", "2026-05-22", "2026-08-20", 13, "2026-06-05"},
		{"none here", "10115", "2026-05-22", "2026-08-20", 13, "2026-06-04"},
		{"the end is a holiday", "10115", "2026-10-01", "2026-12-26", 400, "2026-12-24"},
		{"beyond the end", "50667", "2025-11-24", "2026-02-20", 400, "2026-02-20"},
		{"the end is a Sunday", "50667", "2025-11-24", "2026-02-22", 400, "2026-02-21"},
		{"Sunday just before the end", "50667", "2025-11-24", "2025-11-30", 6, "2025-11-29"},
	} {
		if got := (window{day(c.earliest), day(c.latest)}).date(c.postcode, c.days); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
