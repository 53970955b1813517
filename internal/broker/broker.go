// Package broker owns Kafka: the topics of internal/event, publishing with a producer span, and consuming with a consumer span
// that continues the trace through the record header traceparent. Only this package uses franz-go's client.
//
// Guarantees: a published event is acknowledged by all in-sync replicas; events of one subject keep their order; a consumer sees
// every event at least once and commits only after its handler returned. It does not guarantee once: handlers are idempotent.
// A record that cannot be read, or that a handler calls Permanent, goes to the dead-letter topic with the reason; any other handler
// error is retried with back-off for as long as the process lives, which holds up that partition and nothing else.
package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"kreislauf/internal/event"
	"kreislauf/internal/telemetry"
)

// PublishTimeout bounds one publish; what it could not deliver stays in the outbox.
const PublishTimeout = 10 * time.Second

// Producer publishes events. Safe for concurrent use.
type Producer struct {
	client *kgo.Client
	tracer trace.Tracer
}

// NewProducer connects lazily.
func NewProducer(brokers []string, clientID string, tracer trace.Tracer) (*Producer, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ClientID(clientID), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(0), kgo.RecordDeliveryTimeout(PublishTimeout), kgo.MetadataMinAge(250*time.Millisecond),
		kgo.RetryBackoffFn(backoff))
	if err != nil {
		return nil, fmt.Errorf("open Kafka producer: %w", err)
	}
	return &Producer{client: c, tracer: tracer}, nil
}

// backoff is short: the brokers of a deployment are near, and an order waits for its event.
func backoff(try int) time.Duration { return min(time.Duration(try)*100*time.Millisecond, time.Second) }

// Ping is the readiness check.
func (p *Producer) Ping(ctx context.Context) error { return p.client.Ping(ctx) }

// Close ends the connections.
func (p *Producer) Close() { p.client.Close() }

// Publish writes events of one topic in their order and waits for the acknowledgement of all. Each gets a producer span below the
// span that caused it (Event.Traceparent); the record carries the producer span.
func (p *Producer) Publish(ctx context.Context, topic string, events ...event.Event) error {
	recs := make([]*kgo.Record, len(events))
	spans := make([]trace.Span, len(events))
	for i, e := range events {
		value, err := marshal(e)
		if err != nil {
			return err
		}
		ectx, span := p.tracer.Start(telemetry.WithRemote(ctx, e.Traceparent), "publish "+e.Type, trace.WithSpanKind(trace.SpanKindProducer),
			trace.WithAttributes(attribute.String("messaging.system", "kafka"), attribute.String("messaging.destination.name", topic),
				attribute.String("messaging.message.id", e.ID), attribute.String("messaging.kafka.message.key", e.Subject)))
		spans[i] = span
		recs[i] = &kgo.Record{
			Topic: topic, Key: []byte(e.Subject), Value: value,
			Headers: []kgo.RecordHeader{{Key: telemetry.Header, Value: []byte(telemetry.Traceparent(ectx))}, {Key: "ce_type", Value: []byte(e.Type)}},
		}
	}
	err := p.client.ProduceSync(ctx, recs...).FirstErr()
	for i, span := range spans {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		} else {
			span.SetAttributes(attribute.Int64("messaging.kafka.offset", recs[i].Offset), attribute.Int("messaging.destination.partition.id", int(recs[i].Partition)))
		}
		span.End()
	}
	if err != nil {
		return fmt.Errorf("publish to %s: %w", topic, err)
	}
	return nil
}
