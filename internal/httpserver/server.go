// Package httpserver owns the HTTP edge of a service: routing, one server span, one log line and one metric a request, problem
// answers, limits of size and time, panics and the drain on stop.
//
// Invariants: every request of a known route, and every unknown one, gives exactly one log line with its trace id; a handler's
// error is logged there and nowhere else; a body over the limit is never read to its end; nothing of a request's body, cookies or
// query string is logged; a request that the entry has given up is not begun (MaxAge), and one that it waits for is answered before it
// gives up (RequestBudget).
package httpserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"kreislauf/internal/problem"
	"kreislauf/internal/telemetry"
)

// BodyLimit is the largest request body in bytes, but for routes of HandleUpload.
const BodyLimit = 64 << 10

// Handler answers a request or returns an error, which becomes a problem answer.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Options are the parts a Server works with.
type Options struct {
	Addr     string
	Log      zerolog.Logger
	Tracer   *telemetry.Tracer
	Registry *prometheus.Registry
}

// Server is one public listener. Register all routes before Start.
type Server struct {
	opts    Options
	router  *mux.Router
	seconds *prometheus.HistogramVec
	http    *http.Server
	lis     net.Listener
	routes  int
}

// New makes a server without routes.
func New(o Options) *Server {
	// SkipClean: without it the router answers //x with a redirect of its own, past the log line.
	s := &Server{opts: o, router: mux.NewRouter().SkipClean(true)}
	s.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "kreislauf_http_request_duration_seconds", Help: "Time from the first byte read to the answer written.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
	}, []string{"route", "class"})
	o.Registry.MustRegister(s.seconds)
	s.router.NotFoundHandler = s.instrument("", "", BodyLimit, func(_ http.ResponseWriter, r *http.Request) error {
		return problem.New(problem.NotFound, "There is no resource at %s. The routes are in docs/architecture.md.", r.URL.Path)
	})
	s.router.MethodNotAllowedHandler = s.instrument("", "", BodyLimit, func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Allow", strings.Join(s.allowed(r), ", "))
		problem.Write(w, problem.New(problem.BadMethod, "%s is not possible here. The routes are in docs/architecture.md.", r.Method), r.URL.Path, traceID(r.Context()))
		return nil
	})
	s.http = &http.Server{
		Handler: s.router, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: nil,
	}
	return s
}

// Handle registers a route; path is a gorilla/mux template.
func (s *Server) Handle(method, path string, h Handler) { s.HandleUpload(method, path, BodyLimit, h) }

// HandleUpload registers a route that takes bodies of up to limit bytes.
func (s *Server) HandleUpload(method, path string, limit int64, h Handler) {
	s.routes++
	s.router.Handle(path, s.instrument(method, path, limit, h)).Methods(method)
}

// allowed lists the methods that the path of a request knows.
func (s *Server) allowed(r *http.Request) []string {
	var list []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := *r
		other.Method = method
		if m := (mux.RouteMatch{}); s.router.Match(&other, &m) && m.MatchErr == nil {
			list = append(list, method)
		}
	}
	return list
}

// HasRoutes says whether there is anything to serve.
func (s *Server) HasRoutes() bool { return s.routes > 0 }

// ServeHTTP serves one request without a listener, for benchmarks and tests in the same process.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.router.ServeHTTP(w, r) }

// Start listens and serves until Stop. failed is told when serving ends for another reason.
func (s *Server) Start(failed func(error)) error {
	lis, err := net.Listen("tcp", s.opts.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s (KREISLAUF_HTTP_ADDR): %w", s.opts.Addr, err)
	}
	s.lis = lis
	go func() {
		if err := s.http.Serve(lis); !errors.Is(err, http.ErrServerClosed) {
			failed(fmt.Errorf("serve HTTP: %w", err))
		}
	}()
	return nil
}

// Addr is the address listened on, after Start.
func (s *Server) Addr() string { return s.lis.Addr().String() }

// Stop refuses new connections and waits for running requests within ctx.
func (s *Server) Stop(ctx context.Context) error { return s.http.Shutdown(ctx) }
