package load

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Summary is the result of a Run. Counts are of intents, not of tries: a request that was retried counts once.
type Summary struct {
	Rate      float64       // visits per second asked for
	Elapsed   time.Duration // from the first scheduled moment to the end of the last visit
	Customers int           // signed up before
	Visits    int           // started
	Skipped   int           // due, but not started because MaxInFlight were under way
	Quotes    int           // prices given
	Attempts  int           // order-attempt events accepted

	OrderIDs      []string // distinct ids of placed orders, in the order of the answers
	OrdersFailed  int      // intended, but no id came; the platform was asked for a quote at least
	UnknownOrders []string // Idempotency-Keys of those failed orders that may exist nevertheless
	Replayed      int      // placed orders whose answer was the replay of an earlier try

	RefusedAsExpected int // deliberate mistakes answered with a 4xx problem
	WronglyAccepted   int // deliberate mistakes answered with a price

	Partners    int            // with a dispatcher who works; 0: customers alone were played, and the rest of the work is 0
	Accepted    int            // offers, by hand
	Declined    int            // offers
	FailedTrips int            // that were told of
	Receipts    int            // lines of the bank statement
	Overtaken   int            // steps that were refused because somebody was faster: the customer cancelled, the offer ended
	Stages      map[string]int // stage ("on_site") -> how many of the placed orders came to it
	Unfinished  int            // placed orders that were not at their end when the run ended

	Retries  int            // tries beyond the first, sign-ups included
	Failures map[string]int // "step: kind" -> intents that failed after all tries
	Latency  []Latency      // of the visit and each of its steps
}

// tally collects a Summary from many goroutines.
type tally struct {
	flights *flights

	mu     sync.Mutex // guards what follows
	sum    Summary
	ids    map[string]bool
	steps  map[string]*histogram
	mixed  histogram // all steps, for the progress line
	visits histogram
}

func newTally(rate float64, f *flights) *tally {
	return &tally{flights: f, sum: Summary{Rate: rate, Failures: map[string]int{}}, ids: map[string]bool{}, steps: map[string]*histogram{}}
}

func (t *tally) add(f func(*Summary)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.sum)
}

func (t *tally) fail(step, kind string) {
	t.add(func(s *Summary) { s.Failures[step+": "+kind]++ })
}

func (t *tally) step(name string, took time.Duration, o outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.steps[name]
	if h == nil {
		h = &histogram{}
		t.steps[name] = h
	}
	h.observe(took)
	t.mixed.observe(took)
	t.sum.Retries += o.retries
}

// worked counts a step of those who work on orders; it is not in the progress line, whose figures are of visits.
func (t *tally) worked(name string, took time.Duration, o outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.steps[name] == nil {
		t.steps[name] = &histogram{}
	}
	t.steps[name].observe(took)
	t.sum.Retries += o.retries
}

func (t *tally) visited(took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.visits.observe(took)
}

// placed counts an order; false means that another intent got this id before.
func (t *tally) placed(id string, replayed bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ids[id] {
		return false
	}
	t.ids[id] = true
	t.sum.OrderIDs = append(t.sum.OrderIDs, id)
	if replayed {
		t.sum.Replayed++
	}
	return true
}

// summary is a copy of the present state.
func (t *tally) summary() Summary {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.sum
	s.Visits, s.Skipped = int(t.flights.started.Load()), int(t.flights.skipped.Load())
	s.Stages = maps.Clone(s.Stages)
	s.OrderIDs, s.UnknownOrders, s.Failures = slices.Clone(s.OrderIDs), slices.Clone(s.UnknownOrders), maps.Clone(s.Failures)
	s.Latency = []Latency{t.visits.latency("visit")}
	for _, name := range slices.Concat([]string{stepCatalog, stepMistake, stepQuote, stepAttempt, stepOrder}, workSteps()) {
		if h := t.steps[name]; h != nil {
			s.Latency = append(s.Latency, h.latency(name))
		}
	}
	return s
}

// line is the progress line; minutes go on beyond 59.
func (t *tally) line(elapsed time.Duration) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("%s visits %d · orders %d (%d failed) · quotes %d · p50 %s p99 %s · in flight %d · skipped %d",
		clock(elapsed), t.flights.started.Load(), len(t.sum.OrderIDs), t.sum.OrdersFailed, t.sum.Quotes,
		short(t.mixed.quantile(0.50)), short(t.mixed.quantile(0.99)), t.flights.underWay(), t.flights.skipped.Load())
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// WriteText writes the summary for people, ending in a newline. It gives the first error of w.
func (s Summary) WriteText(w io.Writer) error {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-16s"+format+"\n", append([]any{name}, args...)...)
	}
	row("visits", "%d in %s (%.4g per second asked for) by %d customers", s.Visits, s.Elapsed.Round(100*time.Millisecond), s.Rate, s.Customers)
	if s.Skipped > 0 {
		row("SKIPPED", "%d visits were due but not started: too many were under way, so the platform saw less than was asked for", s.Skipped)
	}
	row("quotes", "%d", s.Quotes)
	row("order attempts", "%d", s.Attempts)
	row("orders", "%d placed (%d of them known from a repeated try), %d failed", len(s.OrderIDs), s.Replayed, s.OrdersFailed)
	if n := len(s.UnknownOrders); n > 0 {
		row("UNKNOWN", "%d of the failed orders may exist: no certain answer came; keys %s", n, firstOf(s.UnknownOrders, 5))
	}
	row("mistakes", "%d refused as expected, %d wrongly accepted", s.RefusedAsExpected, s.WronglyAccepted)
	if s.Partners > 0 {
		writeWork(row, s)
	}
	row("retries", "%d", s.Retries)
	writeFailures(&b, s.Failures)
	writeLatency(&b, s.Latency)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeWork writes what became of the orders.
func writeWork(row func(name, format string, args ...any), s Summary) {
	var came []string
	for _, stage := range stages() {
		came = append(came, fmt.Sprintf("%s %d", stage, s.Stages[stage]))
	}
	row("came to", "%s", strings.Join(came, ", "))
	row("work", "%d partners, %d offers accepted by hand, %d declined, %d failed trips, %d statement lines, %d steps overtaken",
		s.Partners, s.Accepted, s.Declined, s.FailedTrips, s.Receipts, s.Overtaken)
	if s.Unfinished > 0 {
		row("UNFINISHED", "%d orders were not at their end yet when the time was over", s.Unfinished)
	}
}

// firstOf joins up to n of the texts.
func firstOf(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:n], ", "), len(list)-n)
}

func writeFailures(b *strings.Builder, failures map[string]int) {
	if len(failures) == 0 {
		return
	}
	fmt.Fprintf(b, "failures\n")
	for _, kind := range slices.Sorted(maps.Keys(failures)) {
		fmt.Fprintf(b, "  %-32s%8d\n", kind, failures[kind])
	}
}

func writeLatency(b *strings.Builder, list []Latency) {
	fmt.Fprintf(b, "%-24s%8s%10s%10s%10s%10s\n", "latency from schedule", "count", "p50", "p90", "p99", "max")
	for _, l := range list {
		fmt.Fprintf(b, "  %-22s%8d%10s%10s%10s%10s\n", l.Step, l.Count, short(l.P50), short(l.P90), short(l.P99), short(l.Max))
	}
}
