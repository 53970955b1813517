package telemetry

import (
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// snapshot is an ended span in the form that the SDK's processors and exporters take. Its stub is the only public way to make one.
func (s *span) snapshot(res *resource.Resource) sdktrace.ReadOnlySpan {
	st := sdktrace.Status{}
	if s.failed {
		st = sdktrace.Status{Code: codes.Error, Description: s.reason}
	}
	links := make([]sdktrace.Link, len(s.links))
	for i, l := range s.links {
		links[i] = sdktrace.Link{SpanContext: l.SpanContext, Attributes: l.Attributes}
	}
	return tracetest.SpanStub{
		Name: s.name, SpanContext: s.sc, Parent: s.parent, SpanKind: s.kind, StartTime: s.start, EndTime: s.ended, Attributes: s.attrs,
		Links: links, Status: st, Resource: res, InstrumentationScope: instrumentation.Scope{Name: "kreislauf"},
	}.Snapshot()
}
