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

// Tracer records every span and hands it on when it ends. It does for the platform what the SDK's tracer does, without samplers,
// limits, events and snapshots; StartServer and StartClient are short cuts for the two kinds that every request has.
// What that saves is measured by test/bench/observability. Safe for concurrent use.
type Tracer struct {
	embedded.Tracer
	end func(*span)
}

// Start implements trace.Tracer. The new span continues the trace in ctx, if there is one.
func (t *Tracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	c := trace.NewSpanStartConfig(opts...)
	var parent trace.SpanContext
	if !c.NewRoot() {
		parent = trace.SpanContextFromContext(ctx)
	}
	s := t.begin(parent, name, c.SpanKind(), c.Timestamp())
	s.attrs, s.links = c.Attributes(), c.Links()
	return trace.ContextWithSpan(ctx, s), s
}

// StartServer starts the span of a request that came with a traceparent, empty when it had none.
func (t *Tracer) StartServer(ctx context.Context, traceparent, name string, start time.Time) (context.Context, trace.Span) {
	s := t.begin(Parse(traceparent), name, trace.SpanKindServer, start)
	return trace.ContextWithSpan(ctx, s), s
}

// StartClient starts the span of a call to a backend below the span in ctx. attrs are not copied: they must never change, and may be
// shared between spans.
func (t *Tracer) StartClient(ctx context.Context, name string, attrs []attribute.KeyValue) (context.Context, trace.Span) {
	s := t.begin(trace.SpanContextFromContext(ctx), name, trace.SpanKindClient, time.Time{})
	s.attrs = slices.Clip(attrs)
	return trace.ContextWithSpan(ctx, s), s
}

// begin makes a span below parent, or a root when that is not valid. A zero start is now.
func (t *Tracer) begin(parent trace.SpanContext, name string, kind trace.SpanKind, start time.Time) *span {
	s := &span{tracer: t, name: name, kind: kind, start: start}
	if start.IsZero() {
		s.start = time.Now()
	}
	sc := trace.SpanContextConfig{SpanID: newSpanID(), TraceFlags: trace.FlagsSampled}
	if parent.IsValid() {
		s.parent = parent
		sc.TraceID, sc.TraceState = parent.TraceID(), parent.TraceState()
	} else {
		sc.TraceID = newTraceID()
	}
	s.sc = trace.NewSpanContext(sc)
	return s
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
	tracer *Tracer
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

// EndWith ends a span with more attributes. attrs are not copied and belong to the span from now on.
func EndWith(s trace.Span, attrs []attribute.KeyValue) {
	if own, ok := s.(*span); ok && len(own.attrs) == 0 {
		own.mu.Lock()
		own.attrs = attrs
		own.mu.Unlock()
	} else {
		s.SetAttributes(attrs...)
	}
	s.End()
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended.IsZero() {
		s.attrs = append(s.attrs, kv...)
	}
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
	tracer *Tracer
}

// Tracer implements trace.TracerProvider.
func (p provider) Tracer(string, ...trace.TracerOption) trace.Tracer { return p.tracer }

// distinct keeps the last value of each key, because a JSON object with a key twice is refused by Elasticsearch. Spans have few
// attributes, so looking at all pairs is the fastest.
func distinct(attrs []attribute.KeyValue) []attribute.KeyValue {
	owned := false
	for i := 0; i < len(attrs); i++ {
		for j := i + 1; j < len(attrs); j++ {
			if attrs[i].Key != attrs[j].Key {
				continue
			}
			if !owned { // the array may be shared between spans
				attrs, owned = slices.Clone(attrs), true
			}
			attrs[i] = attrs[j]
			attrs = slices.Delete(attrs, j, j+1)
			j--
		}
	}
	return attrs
}
