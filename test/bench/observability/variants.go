package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"kreislauf/internal/config"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/logging"
	"kreislauf/internal/telemetry"
)

func baseline() http.Handler {
	r := mux.NewRouter()
	r.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		if err := serve(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}).Methods(http.MethodPost)
	return r
}

// observed is the handler as the order service runs it, without its stores.
func observed(dir string) (_ http.Handler, end func(), err error) {
	p := config.Process{Service: "order", Env: "local", Customer: "kreislauf", Instance: "order-1", PlatformVersion: "dev", LogDir: dir}
	sink, err := logging.Open(p)
	if err != nil {
		return nil, nil, err
	}
	tel, err := telemetry.New(context.Background(), p, sink)
	if err != nil {
		return nil, nil, err
	}
	srv := httpserver.New(httpserver.Options{Log: logging.New(sink, p), Tracer: tel.Tracer, Registry: prometheus.NewRegistry()})
	db := ours{tracer: tel.Tracer, redisAttrs: redisAttributes(), mongoAttrs: mongoAttributes()}
	srv.Handle(http.MethodPost, path, func(w http.ResponseWriter, r *http.Request) error {
		ctx := r.Context()
		db.redis(ctx)
		httpserver.Annotate(ctx, "user.id", userID)
		db.mongodb(ctx)
		httpserver.Annotate(ctx, "order.id", orderID)
		httpserver.Action(ctx, "order.placed")
		return serve(w, r)
	})
	return srv, func() { _ = errors.Join(tel.Stop(context.Background()), sink.Close()) }, nil
}

// ours makes the client spans of internal/session and internal/mongodb around no call: shared attributes, spans kept by request id.
type ours struct {
	tracer                 *telemetry.Tracer
	redisAttrs, mongoAttrs []attribute.KeyValue
	open                   sync.Map // request id -> trace.Span, as the driver's monitor keeps them
	id                     int64
}

func (c *ours) redis(ctx context.Context) {
	_, span := c.tracer.StartClient(ctx, "redis getex", c.redisAttrs)
	span.End()
}

func (c *ours) mongodb(ctx context.Context) {
	_, span := c.tracer.StartClient(ctx, "mongodb insert orders", c.mongoAttrs)
	c.id++
	c.open.Store(c.id, span)
	if v, ok := c.open.LoadAndDelete(c.id); ok {
		v.(trace.Span).End()
	}
}

func redisAttributes() []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("db.system.name", "redis"), attribute.String("db.operation.name", "getex")}
}

func mongoAttributes() []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("db.system.name", "mongodb"), attribute.String("db.operation.name", "insert"),
		attribute.String("db.collection.name", "orders"), attribute.String("db.namespace", "kreislauf_order"),
	}
}

// calls makes the same client spans as the SDK's manual shows it.
type calls struct{ tracer trace.Tracer }

func (c calls) redis(ctx context.Context) {
	_, span := c.tracer.Start(ctx, "redis getex", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(redisAttributes()...))
	span.End()
}

func (c calls) mongodb(ctx context.Context) {
	_, span := c.tracer.Start(ctx, "mongodb insert orders", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(mongoAttributes()...))
	span.End()
}

// nowhere is an exporter that forgets.
type nowhere struct{}

func (nowhere) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }

func (nowhere) Shutdown(context.Context) error { return nil }

// stock observes the same handler with the SDK's and the standard library's own means.
func stock(dir string) (_ http.Handler, end func(), err error) {
	f, err := os.Create(filepath.Join(dir, "stock.log"))
	if err != nil {
		return nil, nil, err
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(nowhere{}, sdktrace.WithBlocking()))
	db := calls{tracer: tp.Tracer("stock")}
	log := slog.New(slog.NewJSONHandler(f, nil)).With("ecs.version", "8.11.0", "service_name", "order", "env", "local", "customer", "kreislauf",
		"instance", "order-1", "platform_version", "dev")
	r := mux.NewRouter()
	r.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := db.tracer.Start(ctx, "POST "+path, trace.WithSpanKind(trace.SpanKindServer))
		db.redis(ctx)
		db.mongodb(ctx)
		err := serve(w, r.WithContext(ctx))
		span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.String("http.route", path),
			attribute.Int("http.response.status_code", http.StatusCreated), attribute.String("user.id", userID), attribute.String("order.id", orderID))
		span.End()
		sc := span.SpanContext()
		log.LogAttrs(ctx, slog.LevelInfo, "POST "+path+" 201", slog.String("trace.id", sc.TraceID().String()), slog.String("span.id", sc.SpanID().String()),
			slog.String("event.action", "order.placed"), slog.String("event.outcome", "success"), slog.Duration("event.duration", time.Since(start)),
			slog.String("http.request.method", r.Method), slog.String("url.path", r.URL.Path), slog.Int("http.response.status_code", http.StatusCreated),
			slog.String("http.route", path), slog.String("request_id", r.Header.Get("X-Request-Id")), slog.String("user.id", userID),
			slog.String("order.id", orderID), slog.Any("error", err))
	}).Methods(http.MethodPost)
	return r, func() { _ = errors.Join(tp.Shutdown(context.Background()), f.Close()) }, nil
}
