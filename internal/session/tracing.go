package session

import (
	"context"
	"errors"
	"net"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"kreislauf/internal/telemetry"
)

// tracing gives each Redis command a client span. The statement is not recorded: keys are session tokens' hashes.
type tracing struct {
	tracer *telemetry.Tracer
	calls  map[string]call // by command; never changes
}

// call is what the spans of one command have in common.
type call struct {
	name  string
	attrs []attribute.KeyValue
}

func newTracing(tracer *telemetry.Tracer) tracing {
	t := tracing{tracer: tracer, calls: map[string]call{}}
	for _, command := range []string{"set", "getex", "del", "ping"} {
		t.calls[command] = newCall(command)
	}
	return t
}

func newCall(command string) call {
	return call{"redis " + command, []attribute.KeyValue{attribute.String("db.system.name", "redis"), attribute.String("db.operation.name", command)}}
}

func (t tracing) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (t tracing) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if !trace.SpanContextFromContext(ctx).IsValid() {
			return next(ctx, cmd)
		}
		c, ok := t.calls[cmd.Name()]
		if !ok {
			c = newCall(cmd.Name())
		}
		ctx, span := t.tracer.StartClient(ctx, c.name, c.attrs)
		err := next(ctx, cmd)
		if err != nil && !errors.Is(err, redis.Nil) {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
		return err
	}
}

func (t tracing) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if !trace.SpanContextFromContext(ctx).IsValid() {
			return next(ctx, cmds)
		}
		c := newCall("pipeline")
		ctx, span := t.tracer.StartClient(ctx, c.name, c.attrs)
		err := next(ctx, cmds)
		if err != nil && !errors.Is(err, redis.Nil) {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
		return err
	}
}
