package load

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"kreislauf/internal/catalog"
	"kreislauf/internal/catalog/postcodes"
)

// Shares of the behaviour within a visit.
const (
	orderShare   = 0.45 // of the visits press the order button
	mistakeShare = 0.02 // of the quotes are first asked for wrongly
	publicShare  = 0.15 // of the orders stand on public ground
	meanDays     = 6    // from the earliest possible date to the wished one
)

// share is a value and how often it comes, relative to the others of its list.
type share[T any] struct {
	value  T
	weight float64
}

func pick[T any](r *rand.Rand, of []share[T]) T {
	var total float64
	for _, s := range of {
		total += s.weight
	}
	x := r.Float64() * total
	for _, s := range of {
		if x -= s.weight; x < 0 {
			return s.value
		}
	}
	return of[len(of)-1].value // reached only by rounding
}

// wasteShares is the demand of German container hire in percent (recyclingmagazin.de, 2015): construction 59.5, bulky 16.9, wood
// 10.4, garden 9.5, municipal 2.7, mixed packaging 0.8, paper 0.2. How construction splits over its codes is an assumption.
// The catalogue has no code of its own for packaging and paper; both go into mixed municipal waste, 200301.
func wasteShares() []share[string] {
	const construction = 59.5
	return []share[string]{
		{"170904", 0.40 * construction},
		{"170107", 0.30 * construction},
		{"170504", 0.12 * construction},
		{"170101", 0.10 * construction},
		{"170802", 0.08 * construction},
		{"200307", 16.9},
		{"170201", 10.4},
		{"200201", 9.5},
		{"200301", 2.7 + 0.8 + 0.2},
	}
}

// sizeShares is the demand in percent by m³ for a waste that fits into every size; 7 and 5 m³ are from the same source as the
// wastes, the rest is shared between 3 and 10 m³. Sizes too heavy for the waste are left out and the others keep their proportion.
func sizeShares(w catalog.Waste) []share[int] {
	all := []share[int]{{7, 37}, {5, 24}, {10, 20}, {3, 19}}
	return slices.DeleteFunc(all, func(s share[int]) bool { return w.CheckSize(s.value) != nil })
}

// prefixShares weights the postcode zones: a big city counts about as many times as it has hundred thousands of inhabitants.
func prefixShares() []share[string] {
	cities := map[string]float64{
		"10": 12, "12": 12, "13": 12, "20": 9, "22": 9, "80": 7, "81": 7, "50": 5, "51": 5, "60": 7, "70": 6, "40": 6, "04": 6,
		"44": 6, "45": 6, "28": 5, "01": 5, "30": 5, "90": 5, "47": 5,
	}
	prefixes := catalog.Prefixes()
	slices.Sort(prefixes) // the catalogue gives them in no order
	var list []share[string]
	for _, p := range prefixes {
		list = append(list, share[string]{p, max(1, cities[p])})
	}
	return list
}

// mix holds the distributions of one run; it does not change.
type mix struct {
	wastes   []share[string]
	sizes    map[string][]share[int]
	prefixes []share[string]
	agents   []string
	reserved []netip.Prefix
}

func newMix() *mix {
	m := &mix{wastes: wasteShares(), sizes: map[string][]share[int]{}, prefixes: prefixShares(), agents: agents(), reserved: reserved()}
	for _, w := range catalog.Wastes() {
		m.sizes[w.Code] = sizeShares(w)
	}
	return m
}

// mistake is a request that the platform must refuse.
type mistake uint8

const (
	noMistake mistake = iota
	unknownPostcode
	tooHeavy // 10 m³ of soil
	pastDate
	mistakes // how many there are, noMistake included
)

// ask is one wish for a price.
type ask struct {
	waste   string
	sizeM3  int
	days    int // from the earliest possible date on, at least 1
	mistake mistake
}

// plan is everything random about a visit, drawn before it starts.
type plan struct {
	number   int
	from     netip.Addr
	agent    string
	postcode string
	asks     []ask // 1 to 3: one waste, several sizes and dates
	order    bool
	customer int // index
	house    int
	public   bool
}

// visit draws the next plan. The number of draws depends on nothing but r.
func (m *mix) visit(r *rand.Rand, number, customers int) plan {
	p := plan{number: number, from: m.address(r), agent: m.agents[r.IntN(len(m.agents))], postcode: m.postcode(r)}
	waste := pick(r, m.wastes)
	for range 1 + r.IntN(3) {
		// One day after the earliest at least: the answer may be from before midnight.
		a := ask{waste: waste, sizeM3: pick(r, m.sizes[waste]), days: 1 + int(r.ExpFloat64()*meanDays)}
		if r.Float64() < mistakeShare {
			a.mistake = 1 + mistake(r.IntN(int(mistakes)-1))
		}
		p.asks = append(p.asks, a)
	}
	p.order = r.Float64() < orderShare
	p.customer, p.house, p.public = r.IntN(customers), 1+r.IntN(120), r.Float64() < publicShare
	return p
}

func (m *mix) postcode(r *rand.Rand) string {
	there := postcodes.Starting(pick(r, m.prefixes))
	return there[r.IntN(len(there))]
}

// address draws a public unicast IPv4 address.
func (m *mix) address(r *rand.Rand) netip.Addr {
	for {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], r.Uint32())
		a := netip.AddrFrom4(b)
		if !slices.ContainsFunc(m.reserved, func(p netip.Prefix) bool { return p.Contains(a) }) {
			return a
		}
	}
}

// reserved lists the IPv4 ranges that no client on the internet can have (IANA special-purpose registry, multicast, class E).
func reserved() []netip.Prefix {
	var list []netip.Prefix
	for _, p := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
		"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
	} {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}

func agents() []string {
	return []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
	}
}

// window is the platform's answer to when a container can be placed.
type window struct{ earliest, latest time.Time }

// date is a day about days after the earliest one on which a container can be placed at a postcode, within the window.
func (w window) date(postcode string, days int) string {
	open := func(d time.Time) bool { return d.Weekday() != time.Sunday && catalog.Holiday(postcode, d) == "" }
	d := w.earliest.AddDate(0, 0, days)
	for !d.After(w.latest) && !open(d) {
		d = d.AddDate(0, 0, 1)
	}
	if d.After(w.latest) {
		for d = w.latest; !open(d); {
			d = d.AddDate(0, 0, -1)
		}
	}
	return d.Format(catalog.DateFormat)
}
