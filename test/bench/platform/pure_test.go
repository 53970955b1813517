package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestNoCoordinatedOmission: a server that answers one request at a time stalls for a second. Everybody who would have come meanwhile
// is charged for the wait, which a client that waits for its answers would not have noticed.
func TestNoCoordinatedOmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := make(chan struct{}, 1)
		tr := &trial{}
		err := open(t.Context(), arrivals(10, 2*time.Second, false, 1), func(i int, due time.Time) {
			_, _ = tr.step(stepOrder, due, func() error {
				server <- struct{}{}
				defer func() { <-server }()
				if i == 0 {
					time.Sleep(time.Second)
				}
				time.Sleep(time.Millisecond)
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		took := tookOf(tr.samples, stepOrder)
		slices.Sort(took)
		if len(took) != 20 {
			t.Fatalf("%d visits, want 20", len(took))
		}
		// The stall is over 1001 ms after the first start; those who came after 100, 200 … 1000 ms waited for the rest of it.
		var slow int
		for _, d := range took {
			if d > time.Millisecond {
				slow++
			}
		}
		if slow != 11 {
			t.Errorf("%d visits were slow, want the one that stalled and the 10 that came meanwhile: %v", slow, took)
		}
		if got, want := took[len(took)-1], 1001*time.Millisecond; got != want {
			t.Errorf("the longest took %v, want %v", got, want)
		}
	})
}

// TestLateClientIsCharged: what the client itself is late by is in the latency.
func TestLateClientIsCharged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &trial{}
		due := time.Now().Add(-70 * time.Millisecond)
		next, err := tr.step(stepQuote, due, func() error { time.Sleep(30 * time.Millisecond); return errors.New("refused") })
		if err == nil || tr.failed != 1 || next != time.Now() {
			t.Errorf("err %v, %d failed, next due %v", err, tr.failed, next)
		}
		if got := tr.samples[0].took(); got != 100*time.Millisecond {
			t.Errorf("took %v, want 100ms", got)
		}
		if n := len(tookOf(tr.samples, stepQuote)); n != 0 {
			t.Errorf("%d failed requests are in the latencies", n)
		}
	})
}

func TestQuantile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100-i) * time.Millisecond
	}
	for _, c := range []struct {
		list []time.Duration
		q    float64
		want time.Duration
	}{
		{nil, 0.5, 0},
		{[]time.Duration{7}, 0.01, 7},
		{[]time.Duration{7}, 1, 7},
		{[]time.Duration{4, 2, 3, 1}, 0.5, 2},
		{[]time.Duration{4, 2, 3, 1}, 0.51, 3},
		{hundred, 0, time.Millisecond},
		{hundred, 0.5, 50 * time.Millisecond},
		{hundred, 0.99, 99 * time.Millisecond},
		{hundred, 1, 100 * time.Millisecond},
	} {
		if got := quantile(slices.Clone(c.list), c.q); got != c.want {
			t.Errorf("quantile %v of %d values is %v, want %v", c.q, len(c.list), got, c.want)
		}
	}
}

func TestArrivals(t *testing.T) {
	even := arrivals(4, time.Second, false, 1)
	want := []time.Duration{0, 250, 500, 750}
	for i := range want {
		want[i] *= time.Millisecond
	}
	if d := cmp.Diff(want, even); d != "" {
		t.Errorf("even (-want +got):\n%s", d)
	}
	random := arrivals(100, 100*time.Second, true, 1)
	if n := len(random); n < 9500 || n > 10500 { // five standard deviations
		t.Errorf("%d arrivals of a Poisson process of 100/s in 100 s", n)
	}
	if !slices.IsSorted(random) || !slices.Equal(random, arrivals(100, 100*time.Second, true, 1)) {
		t.Error("arrivals go back or differ for the same seed")
	}
	if slices.Equal(random, arrivals(100, 100*time.Second, true, 2)) {
		t.Error("another seed gives the same arrivals")
	}
}

func TestExponent(t *testing.T) {
	for _, c := range []struct {
		x, y []float64
		want float64
	}{
		{[]float64{1000, 10000, 100000}, []float64{5, 5, 5}, 0},
		{[]float64{1000, 10000, 100000}, []float64{1, 10, 100}, 1},
		{[]float64{1, 4, 16}, []float64{3, 6, 12}, 0.5},
		{[]float64{1}, []float64{1}, math.NaN()},
	} {
		got := exponent(c.x, c.y)
		if math.IsNaN(got) != math.IsNaN(c.want) || math.Abs(got-c.want) > 1e-9 {
			t.Errorf("exponent of %v over %v is %v, want %v", c.y, c.x, got, c.want)
		}
	}
}

func TestStalledSeconds(t *testing.T) {
	from := time.Unix(1000, 0)
	at := func(ms int) time.Time { return from.Add(time.Duration(ms) * time.Millisecond) }
	p := &probe{stall: 10 * time.Millisecond, list: []syncing{
		{at(-500), 400 * time.Millisecond}, // over before it begins
		{at(200), 9 * time.Millisecond},
		{at(1900), 150 * time.Millisecond}, // seconds 1 and 2
		{at(4500), 10 * time.Millisecond},  // second 4
		{at(6100), time.Second},            // begins after the end
	}}
	s := p.between(from, at(6000))
	if d := cmp.Diff(map[int]bool{1: true, 2: true, 4: true}, s.stalled()); d != "" {
		t.Errorf("stalled seconds (-want +got):\n%s", d)
	}
	if n := len(s.durations()); n != 3 {
		t.Errorf("%d syncs, want 3", n)
	}
	samples := []sample{
		{step: "in second 0", due: at(100), ended: at(110)},
		{step: "into second 1", due: at(990), ended: at(1001)},
		{step: "in second 3", due: at(3000), ended: at(3999)},
		{step: "over second 4", due: at(3900), ended: at(5100)},
		{step: "in second 5", due: at(5000), ended: at(5001)},
	}
	var well []string
	for _, one := range s.well(samples) {
		well = append(well, one.step)
	}
	if d := cmp.Diff([]string{"in second 0", "in second 3", "in second 5"}, well); d != "" {
		t.Errorf("samples while the disk was well (-want +got):\n%s", d)
	}
}

// TestNoNumber: where every second had a stalled disk, there is no ratio of the others.
func TestNoNumber(t *testing.T) {
	p := &probe{stall: time.Millisecond, list: []syncing{{time.Unix(0, 0), time.Minute}}}
	o := outcome{trial: &trial{s: &session{probe: p}, samples: []sample{
		{step: stepQuote, due: time.Unix(1, 0), began: time.Unix(1, 0), ended: time.Unix(2, 0)},
		{step: stepOrder, due: time.Unix(2, 0), began: time.Unix(2, 0), ended: time.Unix(3, 0)},
	}}}
	o.before.at, o.settled.at = time.Unix(0, 0), time.Unix(10, 0)
	o.tail("open")
	want := []measure{{"open", "order p99/p50", "", 1}, {"open", "this client late, p99", "ms", 0}}
	if d := cmp.Diff(want, o.s.list); d != "" {
		t.Errorf("figures (-want +got):\n%s", d)
	}
}

func TestCheckpoints(t *testing.T) {
	for end, want := range map[int][]int{
		1000:  {1000},
		1500:  {1000, 1500},
		50000: {1000, 2000, 5000, 10000, 20000, 50000},
	} {
		if d := cmp.Diff(want, checkpoints(end)); d != "" {
			t.Errorf("up to %d (-want +got):\n%s", end, d)
		}
	}
}

func TestFlags(t *testing.T) {
	o, err := parse([]string{"-base", "295f0ef", "-rates", "1,2.5", "-concurrency", "8", "-grow", "2000"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal([]float64{1, 2.5}, o.rates) || !slices.Equal([]int{8}, o.concurrency) {
		t.Errorf("rates %v, concurrency %v", o.rates, o.concurrency)
	}
	if o.rounds != 2 || !slices.Contains(o.only, "grow") {
		t.Errorf("%d rounds, scenarios %v", o.rounds, o.only)
	}
	for _, args := range [][]string{
		{"-rates", "0"}, {"-rates", "x"}, {"-only", "sleep"}, {"-only", "grow"}, {"-rounds", "-1"}, {"more"}, {"-closed", "0"}, {"-concurrency", "4,0"},
	} {
		if _, err := parse(args); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}

func TestTable(t *testing.T) {
	round := func(p50, cpu, failed float64, more ...measure) []measure {
		return append([]measure{
			{"open, 2/s for 10s", "order p50", "ms", p50},
			{"open, 2/s for 10s", "CPU per order, whole", "ms", cpu},
			{"open, 2/s for 10s", "failed requests", "", failed},
		}, more...)
	}
	resident := measure{"memory at the end", "resident", "MB", 475}
	r := report{Began: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Host: host{CPUs: 2, Kernel: "6.1", Load: "0.10 0.20 0.30"}}
	r.Builds = []build{
		{Name: "295f0ef", Rounds: [][]measure{
			round(2.4, 14.3, 0, measure{"memory at the end", "resident", "MB", 949}),
			round(2.6, 14.1, 0, measure{"memory at the end", "resident", "MB", 951}),
		}},
		{Name: "abcdef0+", Rounds: [][]measure{
			round(1.2, 7.1, 3, resident, measure{"open, 2/s for 10s", "new in this build", "1/s", 12.34}),
			round(1.3, 0.005, 0, resident, measure{"open, 2/s for 10s", otherCPU, "cores", 0.26}),
		}},
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
	for name, one := range map[string]report{
		"two.txt": r, "one.txt": {Began: r.Began, Host: r.Host, Builds: r.Builds[1:]},
	} {
		var b bytes.Buffer
		if err := one.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), b.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
