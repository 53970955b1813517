package telemetry

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
)

// tracer records every span and hands it to end when it ends. It does for the platform what the SDK's tracer does, without samplers,
// limits, events and snapshots; that saves about a quarter of what observability adds to a request (test/bench/observability).
type tracer struct {
	embedded.Tracer
	end func(*span)
}

// Start implements trace.Tracer. The new span continues the trace in ctx, if there is one.
func (t *tracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	c := trace.NewSpanStartConfig(opts...)
	s := &span{tracer: t, name: name, kind: c.SpanKind(), start: c.Timestamp(), attrs: c.Attributes(), links: c.Links()}
	if !c.NewRoot() {
		s.parent = trace.SpanContextFromContext(ctx)
	}
	if s.start.IsZero() {
		s.start = time.Now()
	}
	sc := trace.SpanContextConfig{TraceID: s.parent.TraceID(), SpanID: newSpanID(), TraceFlags: trace.FlagsSampled, TraceState: s.parent.TraceState()}
	if !s.parent.IsValid() {
		s.parent = trace.SpanContext{}
		sc.TraceID, sc.TraceState = newTraceID(), trace.TraceState{}
	}
	s.sc = trace.NewSpanContext(sc)
	return trace.ContextWithSpan(ctx, s), s
}

func newTraceID() (id trace.TraceID) {
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64()|1) // all zero is not valid
	return id
}

func newSpanID() (id trace.SpanID) {
	binary.NativeEndian.PutUint64(id[:], rand.Uint64()|1)
	return id
}

// span is one recorded span. What is above mu never changes; nothing changes after End.
type span struct {
	embedded.Span
	tracer *tracer
	sc     trace.SpanContext
	parent trace.SpanContext // invalid on a root
	kind   trace.SpanKind
	start  time.Time

	mu     sync.Mutex // guards all below
	name   string
	attrs  []attribute.KeyValue // may hold a key twice until End
	links  []trace.Link
	failed bool
	reason string
	ended  time.Time // zero while it runs
}

// End implements trace.Span; a second call does nothing.
func (s *span) End(opts ...trace.SpanEndOption) {
	at := time.Time{}
	if len(opts) > 0 {
		c := trace.NewSpanEndConfig(opts...)
		at = c.Timestamp()
	}
	if at.IsZero() {
		at = s.start.Add(time.Since(s.start)) // monotonic
	}
	s.mu.Lock()
	first := s.ended.IsZero()
	if first {
		s.ended = at
		s.attrs = distinct(s.attrs)
	}
	s.mu.Unlock()
	if first {
		s.tracer.end(s)
	}
}

// change runs f unless the span has ended.
func (s *span) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended.IsZero() {
		f()
	}
}

// SetAttributes implements trace.Span.
func (s *span) SetAttributes(kv ...attribute.KeyValue) {
	s.change(func() { s.attrs = append(s.attrs, kv...) })
}

// SetStatus implements trace.Span. Only errors are told apart; a later Ok takes an error back.
func (s *span) SetStatus(code codes.Code, description string) {
	s.change(func() {
		switch code {
		case codes.Error:
			s.failed, s.reason = true, description
		case codes.Ok:
			s.failed, s.reason = false, ""
		}
	})
}

// SetName implements trace.Span.
func (s *span) SetName(name string) { s.change(func() { s.name = name }) }

// AddLink implements trace.Span.
func (s *span) AddLink(l trace.Link) { s.change(func() { s.links = append(s.links, l) }) }

// AddEvent implements trace.Span. Events are log lines on this platform; a span line holds none.
func (*span) AddEvent(string, ...trace.EventOption) {}

// RecordError implements trace.Span. The log line holds the error; SetStatus puts it on the span.
func (*span) RecordError(error, ...trace.EventOption) {}

// IsRecording implements trace.Span.
func (s *span) IsRecording() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended.IsZero()
}

// SpanContext implements trace.Span.
func (s *span) SpanContext() trace.SpanContext { return s.sc }

// TracerProvider implements trace.Span.
func (s *span) TracerProvider() trace.TracerProvider { return provider{tracer: s.tracer} }

// provider implements trace.TracerProvider: there is one tracer, whatever its name.
type provider struct {
	embedded.TracerProvider
	tracer *tracer
}

// Tracer implements trace.TracerProvider.
func (p provider) Tracer(string, ...trace.TracerOption) trace.Tracer { return p.tracer }

// distinct keeps the last value of each key, because a JSON object with a key twice is refused by Elasticsearch. Spans have few
// attributes, so looking at all pairs is the fastest.
func distinct(attrs []attribute.KeyValue) []attribute.KeyValue {
	for i := 0; i < len(attrs); i++ {
		for j := i + 1; j < len(attrs); j++ {
			if attrs[i].Key == attrs[j].Key {
				attrs[i] = attrs[j]
				attrs = slices.Delete(attrs, j, j+1)
				j--
			}
		}
	}
	return attrs
}
