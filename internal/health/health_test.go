package health

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func get(h *Health, path string) *httptest.ResponseRecorder {
	reg := prometheus.NewRegistry()
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "kreislauf_test_total", Help: "x"})
	reg.MustRegister(c)
	c.Inc()
	w := httptest.NewRecorder()
	h.Handler(reg).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func TestHealthzNeverAsks(t *testing.T) {
	var h Health
	h.Add("mongodb", func(context.Context) error { t.Error("a liveness probe asked a dependency"); return nil })
	if w := get(&h, "/healthz"); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// TestStalledPart: a part that stops giving signs of life makes the process one that must be replaced; one that has given none yet does
// not.
func TestStalledPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Health
		relay, consumer := h.Part(t.Context(), "outbox relay"), h.Part(t.Context(), "consumer")
		Tick(t.Context()) // of no part
		time.Sleep(10 * Stalled)
		if w := get(&h, "/healthz"); w.Code != 200 {
			t.Errorf("before the first sign of life: %d %q", w.Code, w.Body)
		}
		Tick(relay)
		Tick(consumer)
		time.Sleep(Stalled)
		Tick(context.WithoutCancel(consumer))
		if w := get(&h, "/healthz"); w.Code != 200 || w.Body.String() != "ok\n" {
			t.Errorf("after Stalled: %d %q", w.Code, w.Body)
		}
		time.Sleep(time.Second)
		if w := get(&h, "/healthz"); w.Code != 503 || w.Body.String() != "outbox relay has not moved for 31 s\n\n" {
			t.Errorf("a second later: %d %q", w.Code, w.Body)
		}
		if w := get(&h, "/metrics"); !strings.Contains(w.Body.String(), `kreislauf_part_quiet_seconds{part="outbox relay"} 31`) {
			t.Errorf("%s", w.Body)
		}
		Tick(relay)
		if w := get(&h, "/healthz"); w.Code != 200 {
			t.Errorf("after another sign of life: %d %q", w.Code, w.Body)
		}
	})
}

func TestReadyz(t *testing.T) {
	fails := map[string]error{}
	var h Health
	for _, name := range []string{"mongodb", "redis", "kafka"} {
		h.Add(name, func(context.Context) error { return fails[name] })
	}
	if w := get(&h, "/readyz"); w.Code != 503 || !strings.Contains(w.Body.String(), "starting or draining") {
		t.Errorf("before serving: %d %q", w.Code, w.Body)
	}
	h.Serving(true)
	if w := get(&h, "/readyz"); w.Code != 200 || w.Body.String() != "ready\n" {
		t.Errorf("all well: %d %q", w.Code, w.Body)
	}
	fails["mongodb"], fails["kafka"] = errors.New("no primary"), errors.New("no broker")
	if w := get(&h, "/readyz"); w.Code != 503 || w.Body.String() != "mongodb: no primary\nkafka: no broker\n\n" {
		t.Errorf("two down: %d %q", w.Code, w.Body)
	}
	clear(fails)
	h.Serving(false)
	if w := get(&h, "/readyz"); w.Code != 503 {
		t.Errorf("draining: %d", w.Code)
	}
}

func TestReadyzIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Health
		h.Serving(true)
		for _, name := range []string{"a", "b", "c"} {
			h.Add(name, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		}
		start := time.Now()
		w := get(&h, "/readyz")
		if took := time.Since(start); took != Timeout { // the bubble's clock: exact
			t.Errorf("hanging checks took %v together, want %v", took, Timeout)
		}
		if w.Code != 503 || strings.Count(w.Body.String(), "deadline exceeded") != 3 {
			t.Errorf("%d %q", w.Code, w.Body)
		}
	})
}

func TestMetrics(t *testing.T) {
	var h Health
	if w := get(&h, "/metrics"); w.Code != 200 || !strings.Contains(w.Body.String(), "kreislauf_test_total 1") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
