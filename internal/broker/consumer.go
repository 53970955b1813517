package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"kreislauf/internal/event"
	"kreislauf/internal/telemetry"
)

// Handler works on one event; ctx carries its consumer span. It must be idempotent.
type Handler func(ctx context.Context, e event.Event) error

// permanent marks an error that no retry can mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent says that retrying is useless: the event goes to the dead-letter topic.
func Permanent(err error) error { return permanent{err} }

// Consumer reads a service's topics as one consumer group named after the service.
type Consumer struct {
	client  *kgo.Client
	service string
	handler Handler
	log     zerolog.Logger
	tracer  trace.Tracer
	tries   map[lane]int // failed attempts at a partition's next record; Run writes it while no partition is worked on
}

// lane is a partition of a topic.
type lane struct {
	topic     string
	partition int32
}

// NewConsumer joins the group of the service for the topics that the event table gives it.
// A new group starts at the oldest event, so a projection can be rebuilt.
func NewConsumer(brokers []string, service, instance string, log zerolog.Logger, tracer trace.Tracer, h Handler) (*Consumer, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ClientID(instance), kgo.ConsumerGroup(service),
		kgo.ConsumeTopics(event.ConsumedBy(service)...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(), kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(time.Second),
		kgo.RebalanceTimeout(10*time.Second), kgo.FetchMaxWait(time.Second), kgo.MetadataMinAge(250*time.Millisecond),
		kgo.RetryBackoffFn(backoff), kgo.RequiredAcks(kgo.AllISRAcks()))
	if err != nil {
		return nil, fmt.Errorf("open Kafka consumer: %w", err)
	}
	return &Consumer{client: c, service: service, handler: h, log: log, tracer: tracer, tries: map[lane]int{}}, nil
}

// Close leaves the group.
func (c *Consumer) Close() { c.client.CloseAllowingRebalance() }

// Run consumes until ctx ends. Partitions are worked on side by side, each in order. A partition whose record failed pauses and then
// gives that record again; the others go on.
func (c *Consumer) Run(ctx context.Context) error {
	for {
		fetches := c.client.PollRecords(ctx, 300)
		if ctx.Err() != nil || fetches.IsClientClosed() {
			return nil
		}
		fetches.EachError(func(topic string, part int32, err error) {
			c.log.Warn().Err(err).Str("event.action", "kafka.fetch").Str("kafka.topic", topic).Int32("kafka.partition", part).Msg("fetch")
		})
		var wg sync.WaitGroup
		done, failed := make(chan *kgo.Record, fetches.NumRecords()), make(chan *kgo.Record, fetches.NumRecords()) // closed below, after the last partition
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			wg.Go(func() { c.partition(ctx, p.Records, done, failed) })
		})
		wg.Wait()
		close(done)
		close(failed)
		c.commit(context.WithoutCancel(ctx), done)
		c.setBack(failed)
		c.client.AllowRebalance()
	}
}

// inPlace is how many attempts a record gets before its partition steps aside: most failures pass within a moment, and a partition
// that pauses waits up to a second for its next fetch.
const inPlace = 3

// partition works on records in order until one fails, and sends which are done and which failed.
func (c *Consumer) partition(ctx context.Context, recs []*kgo.Record, done, failed chan<- *kgo.Record) {
	for _, r := range recs {
		for try := c.tries[lane{r.Topic, r.Partition}] + 1; !c.record(ctx, r, try); try++ {
			if try >= inPlace || !sleep(ctx, backoff(try)) {
				failed <- r
				return
			}
		}
		done <- r
	}
}

// sleep waits; false means that ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// setBack makes the partitions of failed records give them again after a back-off.
func (c *Consumer) setBack(failed <-chan *kgo.Record) {
	for r := range failed {
		l := lane{r.Topic, r.Partition}
		c.tries[l] = max(c.tries[l]+1, inPlace)
		one := map[string][]int32{r.Topic: {r.Partition}}
		c.client.PauseFetchPartitions(one)
		c.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{r.Topic: {r.Partition: {Epoch: r.LeaderEpoch, Offset: r.Offset}}})
		time.AfterFunc(backoff(c.tries[l]), func() { c.client.ResumeFetchPartitions(one) })
	}
}

func (c *Consumer) commit(ctx context.Context, done <-chan *kgo.Record) {
	recs := make([]*kgo.Record, 0, len(done))
	for r := range done {
		recs = append(recs, r)
		delete(c.tries, lane{r.Topic, r.Partition})
	}
	if len(recs) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := c.client.CommitRecords(ctx, recs...); err != nil {
		c.log.Warn().Err(err).Str("event.action", "kafka.commit").Msg("commit; the events will come again")
	}
}

// record makes one attempt at a record; true means that it is done or dead-lettered.
func (c *Consumer) record(ctx context.Context, r *kgo.Record, try int) bool {
	start := time.Now()
	e, unreadable := event.Parse(r.Value)
	rctx, span := c.tracer.Start(telemetry.WithRemote(ctx, header(r, telemetry.Header)), "consume "+nameOf(e, r), trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attribute.String("messaging.system", "kafka"), attribute.String("messaging.destination.name", r.Topic),
			attribute.Int64("messaging.kafka.offset", r.Offset), attribute.Int("messaging.destination.partition.id", int(r.Partition)),
			attribute.String("messaging.consumer.group.name", c.service), attribute.String("messaging.message.id", e.ID)))
	defer span.End()
	err := unreadable
	if err == nil {
		err = c.handler(rctx, e)
	}
	if _, dead := errors.AsType[permanent](err); dead || unreadable != nil {
		if err = c.deadLetter(rctx, r, err); err == nil {
			span.SetStatus(codes.Error, "dead-lettered")
			return true
		}
	}
	if err == nil {
		c.line(c.log.Info(), span, e, r, start).Msg("consumed " + e.Type)
		return true
	}
	span.SetStatus(codes.Error, err.Error())
	if ctx.Err() == nil { // a consumer that ends has not failed
		c.line(c.log.Warn(), span, e, r, start).Err(err).Int("try", try).Msg("consume " + nameOf(e, r) + "; trying again")
	}
	return false
}

func (c *Consumer) line(ev *zerolog.Event, span trace.Span, e event.Event, r *kgo.Record, start time.Time) *zerolog.Event {
	sc := span.SpanContext()
	return ev.Stringer("trace.id", sc.TraceID()).Stringer("span.id", sc.SpanID()).Str("event.action", "event.consumed").
		Int64("event.duration", time.Since(start).Nanoseconds()).Str("event.id", e.ID).Str("ce.type", e.Type).
		Str("kafka.topic", r.Topic).Int32("kafka.partition", r.Partition).Int64("kafka.offset", r.Offset).
		Str("subject", string(r.Key)).Int64("kafka.lag_ms", start.Sub(r.Timestamp).Milliseconds())
}

// deadLetter keeps the record as it came, with the reason in its headers.
func (c *Consumer) deadLetter(ctx context.Context, r *kgo.Record, reason error) error {
	d := &kgo.Record{Topic: event.TopicDeadLetter, Key: r.Key, Value: r.Value, Headers: append([]kgo.RecordHeader{
		{Key: "reason", Value: []byte(reason.Error())},
		{Key: "consumer", Value: []byte(c.service)},
		{Key: "topic", Value: []byte(r.Topic)},
		{Key: "position", Value: fmt.Appendf(nil, "%d:%d", r.Partition, r.Offset)},
	}, r.Headers...)}
	if err := c.client.ProduceSync(ctx, d).FirstErr(); err != nil {
		return fmt.Errorf("write dead letter: %w", err)
	}
	sc := trace.SpanContextFromContext(ctx)
	c.log.Error().Err(reason).Stringer("trace.id", sc.TraceID()).Stringer("span.id", sc.SpanID()).Str("event.action", "event.dead-lettered").
		Str("kafka.topic", r.Topic).Int32("kafka.partition", r.Partition).Int64("kafka.offset", r.Offset).Msg("dead letter")
	return nil
}

func nameOf(e event.Event, r *kgo.Record) string {
	if e.Type != "" {
		return e.Type
	}
	return r.Topic
}

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

func marshal(e event.Event) ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	return b, nil
}
