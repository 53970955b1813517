package httpserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kreislauf/internal/problem"
)

func startedAt(at time.Time) string { return fmt.Sprintf("%.3f", float64(at.UnixMilli())/1000) }

// TestWorkThatWasGivenUpIsDropped: what waited in the socket of a stopped instance must not be carried out when it is continued.
func TestWorkThatWasGivenUpIsDropped(t *testing.T) {
	for name, tc := range map[string]struct {
		header  string
		dropped bool
	}{
		"fresh": {startedAt(time.Now()), false}, "given up": {startedAt(time.Now().Add(-MaxAge - time.Second)), true},
		"an hour old":  {startedAt(time.Now().Add(-time.Hour)), true},
		"clock behind": {startedAt(time.Now().Add(time.Minute)), false}, "not through the entry": {"", false}, "no number": {"yesterday", false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			r := httptest.NewRequest("POST", "/api/order/v1/orders", strings.NewReader(`{"name":"a","size":1}`))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set(RequestStart, tc.header)
			r.Header.Set(RequestBudget, "10")
			w, logs, _ := f.serve(t, r)
			if !tc.dropped {
				if w.Code != http.StatusCreated {
					t.Errorf("answer %d %s", w.Code, w.Body)
				}
				return
			}
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" ||
				w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("answer %d %v %s", w.Code, w.Header(), w.Body)
			}
			if len(logs) != 1 || logs[0]["event.action"] != "http.dropped" || logs[0]["order.id"] != nil {
				t.Errorf("lines %v", logs)
			}
		})
	}
}

// TestBudget: a handler whose backend does not answer is told to stop before the entry gives up, and only when the entry waits.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.Handle("GET", "/backend", func(w http.ResponseWriter, r *http.Request) error {
			select {
			case <-r.Context().Done():
				return problem.Wrap(problem.Unavailable, r.Context().Err(), "The store does not answer.")
			case <-time.After(time.Minute):
				return JSON(w, http.StatusOK, 1)
			}
		})
		for name, tc := range map[string]struct {
			age    time.Duration
			budget string
			took   time.Duration
			status int
		}{
			"first try":              {0, "0.7", 700 * time.Millisecond, 503},
			"second try":             {950 * time.Millisecond, "0.7", 700 * time.Millisecond, 503},
			"late second try":        {1500 * time.Millisecond, "1.6", 300 * time.Millisecond, 503},
			"not through the entry":  {0, "", time.Minute, 200},
			"an entry without a say": {0, "much", time.Minute, 200},
		} {
			r := httptest.NewRequest("GET", "/backend", nil)
			r.Header.Set(RequestStart, startedAt(time.Now().Add(-tc.age)))
			r.Header.Set(RequestBudget, tc.budget)
			began := time.Now()
			w, _, _ := f.serve(t, r)
			if took := time.Since(began); took.Round(time.Millisecond) != tc.took || w.Code != tc.status { // the bubble's clock: exact
				t.Errorf("%s: %d after %v, want %d after %v", name, w.Code, took, tc.status, tc.took)
			}
		}
	})
}

// TestAnswerIsWrittenInTime: a body that nobody reads does not hold the handler for ever.
func TestAnswerIsWrittenInTime(t *testing.T) {
	f := newFixture(t)
	ended := make(chan error, 1) // gets why the handler stopped writing
	f.Handle("GET", "/endless", func(w http.ResponseWriter, _ *http.Request) error {
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				ended <- err
				return nil
			}
		}
	})
	srv := httptest.NewServer(f.Server)
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+"/endless", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(RequestStart, startedAt(time.Now()))
	req.Header.Set(RequestBudget, "0.7")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) && !strings.Contains(err.Error(), "timeout") {
		t.Errorf("the handler stopped for another reason: %v", err)
	}
}
