package mongodb

import (
	"context"
	"sync"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"kreislauf/internal/telemetry"
)

// tracing makes a client span of each command that belongs to a trace. Commands without one (heartbeats, sweeps) give none.
// No statement and no document is recorded.
type tracing struct {
	tracer *telemetry.Tracer
	calls  sync.Map // target -> call, what the spans of one kind of call have in common
	spans  sync.Map // request id -> trace.Span, from started to finished
}

type target struct{ command, collection, database string }

type call struct {
	name  string
	attrs []attribute.KeyValue
}

func monitor(tracer *telemetry.Tracer) *event.CommandMonitor {
	t := &tracing{tracer: tracer}
	return &event.CommandMonitor{
		Started:   t.started,
		Succeeded: func(_ context.Context, e *event.CommandSucceededEvent) { t.finished(e.RequestID, nil) },
		Failed:    func(_ context.Context, e *event.CommandFailedEvent) { t.finished(e.RequestID, e.Failure) },
	}
}

func (t *tracing) started(ctx context.Context, e *event.CommandStartedEvent) {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return
	}
	coll, _ := e.Command.Lookup(e.CommandName).StringValueOK()
	c := t.call(target{e.CommandName, coll, e.DatabaseName})
	_, span := t.tracer.StartClient(ctx, c.name, c.attrs)
	t.spans.Store(e.RequestID, span)
}

// call finds or makes what all spans of a target share. A service has a handful of targets.
func (t *tracing) call(k target) call {
	if v, ok := t.calls.Load(k); ok {
		return v.(call)
	}
	c := call{"mongodb " + k.command + " " + k.collection, []attribute.KeyValue{
		attribute.String("db.system.name", "mongodb"), attribute.String("db.operation.name", k.command),
		attribute.String("db.collection.name", k.collection), attribute.String("db.namespace", k.database),
	}}
	t.calls.Store(k, c)
	return c
}

func (t *tracing) finished(id int64, failure error) {
	v, ok := t.spans.LoadAndDelete(id)
	if !ok {
		return
	}
	span := v.(trace.Span)
	if failure != nil {
		span.SetStatus(codes.Error, failure.Error())
	}
	span.End()
}
