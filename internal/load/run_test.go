package load

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/client"
)

// inBubble runs o against p in memory; the caller is in a synctest bubble.
func inBubble(t *testing.T, ctx context.Context, p http.Handler, o Options) (Summary, error) {
	t.Helper()
	m, stop := serve(p)
	defer stop()
	o.Entry, o.dial = "http://entry", m.dial
	return Run(ctx, o)
}

// TestSlowPlatformSeesTheSameArrivals is the open-loop property.
func TestSlowPlatformSeesTheSameArrivals(t *testing.T) {
	arrivals := func(delay time.Duration) (seen map[string]time.Duration, sum Summary) {
		synctest.Test(t, func(t *testing.T) {
			p := newPeer()
			p.delay = delay
			var err error
			if sum, err = inBubble(t, t.Context(), p, Options{Rate: 5, Duration: 90 * time.Second, Customers: 1, Seed: 11}); err != nil {
				t.Fatal(err)
			}
			seen = p.firstSeen
		})
		return seen, sum
	}
	fast, quick := arrivals(0)
	slow, late := arrivals(1500 * time.Millisecond)
	if len(fast) < 400 {
		t.Errorf("only %d arrivals", len(fast))
	}
	// The sign-up of the slow platform ends with a delayed answer; its clock starts at the same event.
	if d := cmp.Diff(fast, slow); d != "" {
		t.Errorf("a slow platform saw other arrivals (-fast +slow):\n%s", d)
	}
	if quick.Visits != late.Visits || quick.Skipped+late.Skipped != 0 || quick.Visits != len(fast) {
		t.Errorf("visits %d and %d, seen %d", quick.Visits, late.Visits, len(fast))
	}
	for _, l := range late.Latency {
		if l.Step == stepQuote && (l.P50 < 1500*time.Millisecond || l.Max > 1501*time.Millisecond) {
			t.Errorf("quote latency %+v, want 1.5 s", l)
		}
	}
}

func TestLatencyRunsFromTheSchedule(t *testing.T) {
	const delay = 1500 * time.Millisecond // the bubble's clock is exact
	synctest.Test(t, func(t *testing.T) {
		p := newPeer()
		p.delay = delay
		sum, err := inBubble(t, t.Context(), p, Options{Rate: 0.2, Duration: 10 * time.Minute, Customers: 1, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range sum.Latency {
			if l.Step == "visit" && (l.Count != sum.Visits || l.P50 < delay || l.P99 > 6*delay+delay/sub) {
				t.Errorf("%+v, want %d visits of 1 to 6 steps of %v", l, sum.Visits, delay)
			}
			if l.Step != "visit" && (l.P50 != delay || l.Max != delay) {
				t.Errorf("%+v, want %v", l, delay)
			}
		}
	})
}

func TestTooManyUnderWayAreSkippedLoudly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer()
		p.delay = 2 * time.Second
		var out strings.Builder
		sum, err := inBubble(t, t.Context(), p, Options{Rate: 10, Duration: time.Minute, Customers: 1, Seed: 1, MaxInFlight: 5, Out: &out})
		if err != nil {
			t.Fatal(err)
		}
		if sum.Skipped < 400 || sum.Visits < 20 {
			t.Errorf("%d visits, %d skipped of about 600", sum.Visits, sum.Skipped)
		}
		if n := strings.Count(out.String(), "SKIPPING from now on: 5 are under way already"); n != 1 {
			t.Errorf("%d warnings in:\n%s", n, &out)
		}
		for _, l := range sum.Latency {
			if l.Step == "visit" && l.Count != sum.Visits {
				t.Errorf("%d visits measured of %d", l.Count, sum.Visits)
			}
		}
	})
}

func TestRunOverTCP(t *testing.T) {
	p := newPeer()
	srv := httptest.NewServer(p)
	defer srv.Close()
	sum, err := Run(t.Context(), Options{Entry: srv.URL, Rate: 400, Duration: time.Second, Customers: 6, Seed: 42, MaxInFlight: 5000})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.complaints) > 0 {
		t.Errorf("the peer complains: %q", p.complaints)
	}
	if sum.Visits < 300 || sum.Customers != 6 || len(sum.OrderIDs) < 100 || sum.OrdersFailed != 0 || sum.Skipped != 0 {
		t.Errorf("%+v", sum)
	}
	if d := cmp.Diff(slices.Sorted(maps.Values(p.orders)), slices.Sorted(slices.Values(sum.OrderIDs))); d != "" {
		t.Errorf("orders (-peer +summary):\n%s", d)
	}
	if d := cmp.Diff(p.visits, p.attempts); d != "" || sum.Attempts != len(p.attempts) {
		t.Errorf("visit ids of orders and attempts differ, or %d attempts:\n%s", sum.Attempts, d)
	}
	if sum.Quotes != p.quotes || p.catalogs != 1 || sum.RefusedAsExpected == 0 || sum.WronglyAccepted != 0 || len(sum.Failures) != 0 {
		t.Errorf("quotes %d of %d, catalogue %d times, %d refused, %d accepted, failures %v",
			sum.Quotes, p.quotes, p.catalogs, sum.RefusedAsExpected, sum.WronglyAccepted, sum.Failures)
	}
	for from, n := range p.signUps {
		if n != 1 {
			t.Errorf("%d sign-ups from %s", n, from)
		}
	}
}

func TestCatalogueIsReadOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer()
		sum, err := inBubble(t, t.Context(), p, Options{Rate: 2, Duration: 5*time.Minute + 30*time.Second, Customers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if p.catalogs != 6 {
			t.Errorf("%d times in 5.5 minutes and %d visits, want 6", p.catalogs, sum.Visits)
		}
	})
}

func TestLostAnswersCostNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer()
		broken := map[int]bool{}
		p.orderFault = func(http.ResponseWriter) int { // every order's first answer is lost after it was stored
			if n := len(p.orders); !broken[n] {
				broken[n] = true
				panic(http.ErrAbortHandler)
			}
			return 0
		}
		sum, err := inBubble(t, t.Context(), p, Options{Rate: 1, Duration: 2 * time.Minute, Customers: 2, Seed: 2})
		if err != nil {
			t.Fatal(err)
		}
		if len(sum.OrderIDs) < 30 || len(sum.OrderIDs) != len(p.orders) || sum.Replayed != len(p.orders) || sum.Retries != len(p.orders) || len(sum.UnknownOrders) != 0 {
			t.Errorf("%d placed, %d stored, %d replayed, %d retries, unknown %q", len(sum.OrderIDs), len(p.orders), sum.Replayed, sum.Retries, sum.UnknownOrders)
		}
	})
}

func TestOrdersWithoutAnAnswerAreUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer()
		p.orderFault = func(http.ResponseWriter) int { return 503 }
		sum, err := inBubble(t, t.Context(), p, Options{Rate: 1, Duration: time.Minute, Customers: 2, Seed: 2})
		if !errors.Is(err, ErrOrdersFailed) {
			t.Fatalf("err %v", err)
		}
		n := len(p.orders)
		if n == 0 || sum.OrdersFailed != n || len(sum.OrderIDs) != 0 || sum.Attempts != n || len(sum.UnknownOrders) != n {
			t.Errorf("%d stored, %d failed, unknown %q", n, sum.OrdersFailed, sum.UnknownOrders)
		}
		if d := cmp.Diff(map[string]int{"order: HTTP 503": n}, sum.Failures); d != "" {
			t.Errorf("failures (-want +got):\n%s", d)
		}
		for key, tries := range p.tries {
			if tries != 1+maxRetries {
				t.Errorf("%s was tried %d times", key, tries)
			}
		}
	})
}

func TestRefusedOrdersAreNotUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer()
		p.orderFault = func(http.ResponseWriter) int { return 409 }
		sum, err := inBubble(t, t.Context(), p, Options{Rate: 1, Duration: time.Minute, Customers: 2, Seed: 2})
		if !errors.Is(err, ErrOrdersFailed) || sum.OrdersFailed == 0 || len(sum.UnknownOrders) != 0 || sum.Retries != 0 {
			t.Errorf("err %v, %d failed, unknown %q, %d retries", err, sum.OrdersFailed, sum.UnknownOrders, sum.Retries)
		}
	})
}

func TestNoQuoteIsAFailedOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer()
		p.quoteFails = true
		sum, err := inBubble(t, t.Context(), p, Options{Rate: 1, Duration: time.Minute, Customers: 2, Seed: 2})
		if !errors.Is(err, ErrOrdersFailed) || len(p.orders) != 0 || sum.Failures["order: no quote"] != sum.OrdersFailed || sum.Failures["quote: HTTP 503"] == 0 {
			t.Errorf("err %v, failures %v", err, sum.Failures)
		}
	})
}

func TestWronglyAcceptedMistakesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer()
		p.careless = true
		sum, err := inBubble(t, t.Context(), p, Options{Rate: 10, Duration: time.Minute, Customers: 1})
		if err != nil || sum.WronglyAccepted == 0 || sum.RefusedAsExpected != 0 {
			t.Errorf("err %v, %d accepted, %d refused", err, sum.WronglyAccepted, sum.RefusedAsExpected)
		}
	})
}

func TestEndOfContextLetsVisitsFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer()
		p.delay = time.Second
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var out strings.Builder
		sum, err := inBubble(t, ctx, p, Options{Rate: 5, Customers: 1, Out: &out})
		if err != nil {
			t.Fatal(err)
		}
		if sum.Visits < 50 || len(sum.Failures) != 0 || len(sum.OrderIDs) != len(p.orders) {
			t.Errorf("%d visits, %d of %d orders, failures %v", sum.Visits, len(sum.OrderIDs), len(p.orders), sum.Failures)
		}
		if !strings.Contains(out.String(), "stopping: waiting up to 15s for ") {
			t.Errorf("output:\n%s", &out)
		}
	})
}

func TestVisitsThatNeverEndAreCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer()
		hang := make(chan struct{})
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == client.OrdersPath {
				_, _ = io.Copy(io.Discard, r.Body)
				select {
				case <-hang:
				case <-r.Context().Done():
				}
				return
			}
			p.ServeHTTP(w, r)
		})
		sum, err := inBubble(t, t.Context(), h, Options{Rate: 1, Duration: 20 * time.Second, Customers: 1, Seed: 4})
		close(hang)
		if !errors.Is(err, ErrOrdersFailed) || sum.Failures["order: cut off at the end"] != sum.OrdersFailed || len(sum.UnknownOrders) != sum.OrdersFailed {
			t.Errorf("err %v, failures %v, unknown %q", err, sum.Failures, sum.UnknownOrders)
		}
		if sum.Elapsed != 20*time.Second+drainTimeout { // the bubble's clock is exact
			t.Errorf("elapsed %v", sum.Elapsed)
		}
	})
}

func TestSignUpRefusedEndsTheRun(t *testing.T) {
	h := http.NewServeMux()
	h.Handle("GET /", newPeer())
	h.HandleFunc("POST /", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 422, "no accounts today") })
	synctest.Test(t, func(t *testing.T) {
		sum, err := inBubble(t, t.Context(), h, Options{})
		if err == nil || !strings.Contains(err.Error(), "HTTP 422: no accounts today") || sum.Visits != 0 {
			t.Errorf("err %v, %d visits", err, sum.Visits)
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]Options{
		"rate": {Rate: -1}, "duration": {Duration: -1}, "customers": {Customers: -1}, "in flight": {MaxInFlight: -1}, "progress": {Progress: -1},
		"pace": {Pace: time.Millisecond}, "finish": {Finish: -1},
	} {
		if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: err %v", name, err)
		}
	}
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	if _, err := Run(t.Context(), Options{Entry: srv.URL}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody listens: err %v", err)
	}
}
