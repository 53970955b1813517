package httpserver

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"kreislauf/internal/problem"
	"kreislauf/internal/telemetry"
)

// request is all that the edge keeps of one request, in one allocation: it is the request's context, the writer that remembers the
// status, and what a handler wants on the log line and the span. One goroutine, the handler's, changes it.
type request struct {
	context.Context
	rec    recorder
	action string
	fields []field
	room   [4]field              // fields starts here
	attrs  [7]attribute.KeyValue // the span's attributes start here
}

type field struct{ key, value string }

type contextKey struct{}

// Value implements context.Context.
func (rq *request) Value(key any) any {
	if _, ok := key.(contextKey); ok {
		return rq
	}
	return rq.Context.Value(key)
}

// Annotate puts an id on the request's log line and span, for example "order.id". Never a secret or a person's data.
// A later value of a key replaces the earlier one: Elasticsearch refuses a line that has a key twice.
func Annotate(ctx context.Context, key, value string) {
	rq, ok := ctx.Value(contextKey{}).(*request)
	if !ok || value == "" {
		return
	}
	for i := range rq.fields {
		if rq.fields[i].key == key {
			rq.fields[i].value = value
			return
		}
	}
	rq.fields = append(rq.fields, field{key, value})
}

// Action names what happened, for example "order.placed"; the default is "http.request".
func Action(ctx context.Context, action string) {
	if rq, ok := ctx.Value(contextKey{}).(*request); ok {
		rq.action = action
	}
}

// recorder remembers the status that was sent.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// instrument wraps a handler with span, log line, metric, limit and panic guard.
func (s *Server) instrument(method, route string, limit int64, h Handler) http.Handler {
	spanName, label := method+" "+route, route
	if route == "" {
		spanName, label = "HTTP unmatched", "unmatched"
	}
	var classes [6]prometheus.Observer
	for i := range classes {
		classes[i] = s.seconds.WithLabelValues(label, fmt.Sprintf("%dxx", i))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		ctx, span := s.opts.Tracer.StartServer(r.Context(), r.Header.Get(telemetry.Header), spanName, start)
		ctx, cancel, tooOld := within(ctx, w, r, start)
		defer cancel()
		rq := &request{Context: ctx, rec: recorder{ResponseWriter: w}, action: "http.request"}
		rq.fields = rq.room[:0]
		rec := &rq.rec
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(w, r.Body, limit) // w itself: only it can answer without waiting for the rest
		}
		r = r.WithContext(rq)
		err := tooOld
		if err == nil {
			err = guarded(h, rec, r)
		} else {
			rq.action = "http.dropped"
		}
		if err != nil && rec.status == 0 {
			problem.Write(rec, err, r.URL.Path, traceID(rq))
		}
		if rec.status == 0 {
			rec.status = http.StatusOK
		}
		took := time.Since(start)
		endSpan(span, r.Method, route, rec.status, rq, err)
		s.line(r, span.SpanContext(), route, rec.status, rq, took, err)
		classes[min(rec.status/100, 5)].Observe(took.Seconds())
	})
}

// guarded turns a panic into an error with its stack, so that one bad request does not take the instance down.
func guarded(h Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return h(w, r)
}

func endSpan(span trace.Span, method, route string, status int, rq *request, err error) {
	attrs := append(rq.attrs[:0], attribute.String("http.request.method", method), attribute.String("http.route", route),
		attribute.Int("http.response.status_code", status))
	for _, f := range rq.fields {
		attrs = append(attrs, attribute.String(f.key, f.value))
	}
	if status >= http.StatusInternalServerError {
		msg := http.StatusText(status)
		if err != nil {
			msg = err.Error()
		}
		span.SetStatus(codes.Error, msg)
	}
	telemetry.EndWith(span, attrs)
}

// line writes the request's one log line: error for our faults, warn for a dependency away, info for the rest.
func (s *Server) line(r *http.Request, sc trace.SpanContext, route string, status int, rq *request, took time.Duration, err error) {
	e := s.opts.Log.Info()
	switch {
	case status == http.StatusServiceUnavailable:
		e = s.opts.Log.Warn()
	case status >= http.StatusInternalServerError:
		e = s.opts.Log.Error()
	}
	outcome := "success"
	if status >= http.StatusBadRequest {
		outcome = "failure"
	}
	tid, sid := sc.TraceID(), sc.SpanID()
	e = e.Hex("trace.id", tid[:]).Hex("span.id", sid[:]).
		Str("event.action", rq.action).Str("event.outcome", outcome).Int64("event.duration", took.Nanoseconds()).
		Str("http.request.method", r.Method).Str("url.path", r.URL.Path).Int("http.response.status_code", status)
	if route != "" {
		e = e.Str("http.route", route)
	}
	if id := r.Header.Get("X-Request-Id"); id != "" && len(id) <= 64 {
		e = e.Str("request_id", id)
	}
	for _, f := range rq.fields {
		e = e.Str(f.key, f.value)
	}
	if err != nil {
		e = e.Str("error.message", err.Error())
	}
	e.Msg(r.Method + " " + r.URL.Path + " " + statusText(status))
}

// statusText spares the conversion for the statuses that nearly all requests have.
func statusText(status int) string {
	switch status {
	case http.StatusOK:
		return "200"
	case http.StatusCreated:
		return "201"
	case http.StatusAccepted:
		return "202"
	}
	return fmt.Sprint(status)
}

func traceID(ctx context.Context) string {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		return sc.TraceID().String()
	}
	return ""
}
