// Package health owns the internal listener of a process: /healthz (the process runs), /readyz (it can do its work now)
// and /metrics (Prometheus text). It is never routed through nginx.
//
// Invariants: /healthz never asks a dependency, so a dead backend does not get every instance restarted;
// /readyz answers within Timeout and names each check that failed.
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

// Check reports why the process cannot work, nil when it can. It must honour its context.
type Check func(context.Context) error

// Health answers the probes. Add checks before serving.
type Health struct {
	serving atomic.Bool
	names   []string
	checks  []Check
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
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", h.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	return mux
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
