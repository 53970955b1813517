// Package broker owns Kafka: the topics of internal/event, publishing with a producer span, and consuming with a consumer span
// that continues the trace through the record header traceparent. Only this package uses franz-go's client.
//
// Guarantees: a published event is acknowledged by all in-sync replicas; events of one subject keep their order; a consumer sees
// every event at least once and commits only after its handler returned. It does not guarantee once: handlers are idempotent.
// A record that cannot be read, or that a handler calls Permanent, goes to the dead-letter topic with the reason (package deadletter);
// any other handler error is retried with back-off for as long as the process lives, which holds up that partition and nothing else.
//
// A topic that is deleted, or made anew under its name, is created where it is missing and gone on with by a new client. A group that
// finds its offset gone goes on at the start of the log, which is logged as kafka.offset-lost and counted.
package broker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kerr"
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
	client *renewable
	log    zerolog.Logger
	tracer trace.Tracer
	lost   atomic.Bool // the topic was gone at the last attempt; it is logged when this changes
}

// NewProducer connects lazily.
func NewProducer(brokers []string, clientID string, log zerolog.Logger, tracer trace.Tracer) (*Producer, error) {
	c, err := newRenewable(brokers, kgo.ClientID(clientID), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(0), kgo.RecordDeliveryTimeout(PublishTimeout), kgo.MetadataMinAge(250*time.Millisecond),
		kgo.RetryBackoffFn(backoff))
	if err != nil {
		return nil, fmt.Errorf("open Kafka producer: %w", err)
	}
	return &Producer{client: c, log: log, tracer: tracer}, nil
}

// backoff is short: the brokers of a deployment are near, and an order waits for its event.
func backoff(try int) time.Duration { return min(time.Duration(try)*100*time.Millisecond, time.Second) }

// Ping is the readiness check.
func (p *Producer) Ping(ctx context.Context) error { return p.client.get().Ping(ctx) }

// Close ends the connections.
func (p *Producer) Close() { p.client.close() }

// Publish writes events of one topic in their order and waits for the acknowledgement of all. Each gets a producer span below the
// span that caused it (Event.Traceparent); the record carries the producer span. Events that together are too large for a batch of the
// topic are written one by one; some of them may be there twice then. The error is permanent (IsPermanent) when Kafka will never take an
// event as it is; those before it may have been written.
func (p *Producer) Publish(ctx context.Context, topic string, events ...event.Event) error {
	recs := make([]*kgo.Record, len(events))
	spans := make([]trace.Span, len(events))
	for i, e := range events {
		value, err := marshal(e)
		if err != nil {
			return Permanent(err)
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
	err := p.produce(ctx, recs...)
	if errors.Is(err, kerr.MessageTooLarge) && len(recs) > 1 {
		err = nil
		for i := 0; i < len(recs) && err == nil; i++ {
			err = p.produce(ctx, recs[i])
		}
	}
	if refused(err) {
		err = Permanent(err)
	}
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

// refused says that Kafka will never take a record as it is.
func refused(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge) || errors.Is(err, kerr.InvalidRecord) ||
		errors.Is(err, kerr.InvalidTimestamp)
}

// produce sends records. Where their topic was made anew it sends them once more, with a new client.
func (p *Producer) produce(ctx context.Context, recs ...*kgo.Record) error {
	c := p.client.get()
	err := sendAll(ctx, c, recs)
	if madeAnew(err) || errors.Is(err, kgo.ErrClientClosed) { // closed: another call renews the client
		if madeAnew(err) && !p.lost.Swap(true) {
			p.log.Warn().Err(err).Str("event.action", "kafka.renewed").Str("kafka.topic", recs[0].Topic).
				Msg("a topic is gone or was made anew; publishing with a new client")
		}
		if err := p.client.renew(ctx, c); err != nil {
			return err
		}
		err = sendAll(ctx, p.client.get(), recs)
	}
	if err == nil && p.lost.Swap(false) {
		p.log.Info().Str("event.action", "kafka.healed").Str("kafka.topic", recs[0].Topic).Msg("publishing again")
	}
	return err
}

// sendAll sends records and waits for their acknowledgements until ctx ends. ProduceSync alone would wait on for records that the client has
// begun to send; these may arrive after the error.
func sendAll(ctx context.Context, c *kgo.Client, recs []*kgo.Record) error {
	done := make(chan error, 1)
	go func() { done <- c.ProduceSync(ctx, recs...).FirstErr() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
