// Package health owns the internal listener of a process: /healthz (the process runs, and so does each of its background parts),
// /readyz (it can do its work now) and /metrics (Prometheus text). It is never routed through nginx.
//
// Invariants: /healthz never asks a dependency, so a dead backend does not get every instance restarted: a part gives a sign of life
// (Tick) whether or not its work succeeds, and every call that it makes ends long before Stalled; /readyz answers within Timeout and names
// each check that failed.
package health

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Timeout bounds one readiness answer.
const Timeout = 2 * time.Second

// Stalled is how long a part may give no sign of life. The longest call of a part is a publish, which ends after 10 s.
const Stalled = 30 * time.Second

// Check reports why the process cannot work, nil when it can. It must honour its context.
type Check func(context.Context) error

// Health answers the probes. Add checks before serving.
type Health struct {
	serving atomic.Bool
	names   []string
	checks  []Check

	mu    sync.Mutex // guards parts
	parts []*part
}

// part is a background part that has a pulse.
type part struct {
	name  string
	began time.Time
	last  atomic.Int64 // sign of life, in nanoseconds after began; 0 before the first
}

// quiet is how long the part has given no sign of life; 0 before its first one, so that it may wait for its backends.
func (p *part) quiet() time.Duration {
	if last := p.last.Load(); last != 0 {
		return time.Since(p.began) - time.Duration(last)
	}
	return 0
}

type partKey struct{}

// Part gives a background part a pulse: work below the context says with Tick that it goes on.
func (h *Health) Part(ctx context.Context, name string) context.Context {
	p := &part{name: name, began: time.Now()}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.parts = append(h.parts, p)
	return context.WithValue(ctx, partKey{}, p)
}

// Tick is a sign of life of the part to which ctx belongs; without one it does nothing. From its first one on, a part that gives none for
// Stalled makes /healthz fail, and the process is replaced.
func Tick(ctx context.Context) {
	if p, ok := ctx.Value(partKey{}).(*part); ok {
		p.last.Store(max(1, int64(time.Since(p.began))))
	}
}

var quietSeconds = prometheus.NewDesc("kreislauf_part_quiet_seconds", "Time since a background part gave a sign of life.",
	[]string{"part"}, nil)

// Describe implements prometheus.Collector.
func (h *Health) Describe(out chan<- *prometheus.Desc) { out <- quietSeconds }

// Collect implements prometheus.Collector.
func (h *Health) Collect(out chan<- prometheus.Metric) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.parts {
		out <- prometheus.MustNewConstMetric(quietSeconds, prometheus.GaugeValue, p.quiet().Seconds(), p.name)
	}
}

// Add registers a readiness check.
func (h *Health) Add(name string, c Check) {
	h.names = append(h.names, name)
	h.checks = append(h.checks, c)
}

// Serving says whether the instance takes requests: false (as at first) makes /readyz fail, so that balancers leave the
// instance out before it is up and before it stops.
func (h *Health) Serving(yes bool) { h.serving.Store(yes) }

// Handler serves the three paths.
func (h *Health) Handler(reg *prometheus.Registry) http.Handler {
	reg.MustRegister(h)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", h.healthy)
	mux.HandleFunc("GET /readyz", h.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	return mux
}

func (h *Health) healthy(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	bad := ""
	for _, p := range h.parts {
		if quiet := p.quiet(); quiet > Stalled {
			bad += fmt.Sprintf("%s has not moved for %.0f s\n", p.name, quiet.Seconds())
		}
	}
	if bad != "" {
		http.Error(w, bad, http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (h *Health) ready(w http.ResponseWriter, r *http.Request) {
	if !h.serving.Load() {
		http.Error(w, "starting or draining", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), Timeout)
	defer cancel()
	errs := make([]error, len(h.checks))
	var wg sync.WaitGroup
	for i, c := range h.checks {
		wg.Go(func() { errs[i] = c(ctx) })
	}
	wg.Wait()
	bad := ""
	for i, err := range errs {
		if err != nil {
			bad += fmt.Sprintf("%s: %v\n", h.names[i], err)
		}
	}
	if bad != "" {
		http.Error(w, bad, http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}
