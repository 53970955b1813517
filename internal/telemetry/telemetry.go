// Package telemetry owns the process's tracer: OpenTelemetry spans that continue the trace which nginx began. Each ended span
// becomes one span line in the process's log sink, so spans travel the same at-least-once way as log lines into
// traces-kreislauf-<env>; with an OTLP endpoint they also go to that collector.
//
// Invariants: no global provider is set; every span is recorded (the platform samples nothing away); ending a span never waits
// for the network. Span lines may wait up to logging.FlushEvery in memory and are lost with a killed process until then;
// spans for the collector are best effort, as the OTLP batch processor documents. Span events are not kept.
package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"kreislauf/internal/config"
	"kreislauf/internal/logging"
)

// Telemetry is the tracer of one process. Tracer is safe for concurrent use.
type Telemetry struct {
	Tracer    *Tracer
	collector sdktrace.SpanProcessor // nil without an OTLP endpoint
}

// New makes the tracer. Span lines go to sink.
func New(ctx context.Context, p config.Process, sink *logging.Sink) (*Telemetry, error) {
	lines := newLineWriter(p, sink)
	if p.OTLPEndpoint == "" {
		return &Telemetry{Tracer: &Tracer{end: lines.write}}, nil
	}
	exp, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(p.OTLPEndpoint+"/v1/traces"))
	if err != nil {
		return nil, fmt.Errorf("open OTLP exporter: %w", err)
	}
	collector := sdktrace.NewBatchSpanProcessor(exp)
	res := resource.NewSchemaless(
		attribute.String("service.name", p.Service), attribute.String("service.version", cmp.Or(p.ServiceVersion, p.PlatformVersion)),
		attribute.String("platform_version", p.PlatformVersion),
		attribute.String("service.instance.id", p.Instance), attribute.String("deployment.environment.name", p.Env),
		attribute.String("customer", p.Customer))
	both := func(s *span) {
		lines.write(s)
		collector.OnEnd(s.snapshot(res))
	}
	return &Telemetry{Tracer: &Tracer{end: both}, collector: collector}, nil
}

// Stop sends what a collector still misses, within ctx. Span lines need no stop; the sink's Close writes them.
func (t *Telemetry) Stop(ctx context.Context) error {
	if t.collector == nil {
		return nil
	}
	if err := t.collector.Shutdown(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("stop tracer: %w", err)
	}
	return nil
}
