package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"kreislauf/internal/broker/deadletter"
	"kreislauf/internal/event"
	"kreislauf/internal/health"
	"kreislauf/internal/telemetry"
)

// Handler works on one event; ctx carries its consumer span. It must be idempotent.
type Handler func(ctx context.Context, e event.Event) error

// permanent marks an error that no retry can mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent says that retrying is useless: the event goes to the dead-letter topic.
func Permanent(err error) error { return permanent{err} }

// IsPermanent says whether an error was marked so: by Permanent, or by Publish because Kafka refuses the events as they are.
func IsPermanent(err error) bool {
	_, ok := errors.AsType[permanent](err)
	return ok
}

const (
	rebalanceTimeout = 10 * time.Second // how long the group waits for a member that works while others join or leave
	// workTime is how long the work on one poll may take before no further event of it is begun. The rest of rebalanceTimeout is for
	// the event that is being handled then, and for the commit.
	workTime = 3 * time.Second
	// letterTime bounds one attempt to write a dead letter: without it a Kafka that is away would be waited for without a sign of life.
	letterTime = 4 * time.Second
	// forgotten is how long after its last occurrence a fault counts as healed, so that it is logged when it comes again.
	forgotten = time.Minute
)

// Consumer reads a service's topics as one consumer group named after the service. As a prometheus.Collector it tells how many
// dead letters it wrote, how often it found events lost, and how often it had to build its client anew.
type Consumer struct {
	client   *renewable
	service  string
	handler  Handler
	log      zerolog.Logger
	tracer   trace.Tracer
	workTime time.Duration
	anew     atomic.Bool // the dead-letter topic was made anew, so the client must be too

	// Run alone uses these, while no partition is worked on.
	tries  map[lane]int       // failed attempts at a partition's next record
	faults map[lane]time.Time // when a partition last gave an error instead of records

	mu   sync.Mutex     // guards next, which the group sets too
	next map[lane]int64 // the record that a partition should give next

	dead, lost *prometheus.CounterVec
	renewals   prometheus.Counter
}

// lane is a partition of a topic.
type lane struct {
	topic     string
	partition int32
}

// NewConsumer joins the group of the service for the topics that the event table gives it.
// A new group starts at the oldest event, so a projection can be rebuilt.
func NewConsumer(brokers []string, service, instance string, log zerolog.Logger, tracer trace.Tracer, h Handler) (*Consumer, error) {
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "kreislauf", Subsystem: "consumer", Name: name, Help: help}
	}
	c := &Consumer{
		service: service, handler: h, log: log, tracer: tracer, workTime: workTime,
		tries: map[lane]int{}, faults: map[lane]time.Time{}, next: map[lane]int64{},
		dead: prometheus.NewCounterVec(
			counter("dead_letters_total", "Records that went to the dead-letter topic, by their own topic."), []string{"topic"}),
		lost: prometheus.NewCounterVec(
			counter("lost_offsets_total", "How often a partition did not go on where the group had come to."), []string{"topic"}),
		renewals: prometheus.NewCounter(
			counter("clients_renewed_total", "How often a topic was made anew, and the Kafka client with it.")),
	}
	var err error
	c.client, err = newRenewable(brokers, kgo.ClientID(instance), kgo.ConsumerGroup(service),
		kgo.ConsumeTopics(event.ConsumedBy(service)...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.AdjustFetchOffsetsFn(c.assigned),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(), kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(time.Second),
		kgo.RebalanceTimeout(rebalanceTimeout), kgo.FetchMaxWait(time.Second), kgo.MetadataMinAge(250*time.Millisecond),
		kgo.RetryBackoffFn(backoff), kgo.RequiredAcks(kgo.AllISRAcks()))
	if err != nil {
		return nil, fmt.Errorf("open Kafka consumer: %w", err)
	}
	return c, nil
}

// Describe implements prometheus.Collector.
func (c *Consumer) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, to) }

// Collect implements prometheus.Collector.
func (c *Consumer) Collect(to chan<- prometheus.Metric) {
	c.dead.Collect(to)
	c.lost.Collect(to)
	c.renewals.Collect(to)
}

// Close leaves the group. What Run did is committed; what it polled and did not begin comes again, to another instance.
func (c *Consumer) Close() { c.client.close() }

// Run consumes until ctx ends. Partitions are worked on side by side, each in order. A partition whose record failed pauses and then
// gives that record again; the others go on. Polls that bring nothing but errors are followed by a pause.
func (c *Consumer) Run(ctx context.Context) error {
	for bad := 0; ; { // polls without a record, one after another
		health.Tick(ctx)
		client := c.client.get()
		pctx, cancel := context.WithTimeout(ctx, pollFor)
		fetches := client.PollRecords(pctx, 300)
		idle := pctx.Err() != nil
		cancel()
		if ctx.Err() != nil || fetches.IsClientClosed() {
			return nil
		}
		anew := c.sortErrors(fetches)
		c.work(ctx, client, fetches)
		client.AllowRebalance()
		if bad++; idle || fetches.NumRecords() > 0 {
			bad = 0
		}
		if anew || c.anew.Swap(false) {
			if err := c.renew(ctx, client, bad <= 1); err != nil && ctx.Err() == nil {
				c.log.Warn().Err(err).Str("event.action", "kafka.renewed").Msg("build the Kafka client anew; trying again")
			}
		}
		if bad > 0 {
			sleep(ctx, backoff(bad))
		}
	}
}

func (c *Consumer) renew(ctx context.Context, client *kgo.Client, first bool) error {
	if first {
		c.log.Warn().Str("event.action", "kafka.renewed").Msg("a topic was made anew; consuming with a new client")
	}
	c.renewals.Inc()
	clear(c.tries)
	ctx, cancel := context.WithTimeout(ctx, PublishTimeout)
	defer cancel()
	return c.client.renew(ctx, client)
}

// sortErrors logs what partitions say instead of giving records: each fault when it begins and when it ends. True means that a topic
// was made anew.
func (c *Consumer) sortErrors(fetches kgo.Fetches) (anew bool) {
	fault := func(ev *zerolog.Event, l lane) *zerolog.Event {
		return ev.Str("event.action", "kafka.fetch").Str("kafka.topic", l.topic).Int32("kafka.partition", l.partition)
	}
	fetches.EachError(func(topic string, part int32, err error) {
		if topic == "" && errors.Is(err, context.DeadlineExceeded) {
			return // the poll has waited long enough
		}
		l := lane{topic, part}
		if loss, ok := errors.AsType[*kgo.ErrDataLoss](err); ok {
			c.move(l, loss.ConsumedTo, loss.ResetTo)
			return
		}
		anew = anew || madeAnew(err)
		if time.Since(c.faults[l]) > forgotten {
			fault(c.log.Warn().Err(err), l).Msg("no events come from this partition; trying again")
		}
		c.faults[l] = time.Now()
	})
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		l := lane{p.Topic, p.Partition}
		if _, had := c.faults[l]; had && len(p.Records) > 0 {
			fault(c.log.Info(), l).Msg("events come again")
			delete(c.faults, l)
		}
	})
	return anew
}

// assigned notes where the group says that new partitions go on; those that it knows nothing about begin at 0.
func (c *Consumer) assigned(_ context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic, partitions := range offsets {
		for partition, o := range partitions {
			c.next[lane{topic, partition}] = max(o.EpochOffset().Offset, 0)
		}
	}
	return offsets, nil
}

// follow compares where a partition goes on with where it should, and notes where it should next. Events may be gone because the log
// was cut at its start before the group read them, or because the log is a new one.
func (c *Consumer) follow(p kgo.FetchTopicPartition) {
	l, first := lane{p.Topic, p.Partition}, p.Records[0].Offset
	c.mu.Lock()
	should, known := c.next[l]
	c.next[l] = p.Records[len(p.Records)-1].Offset + 1
	c.mu.Unlock()
	if known && (first < should || p.LogStartOffset > should) {
		c.lostOffset(l, should, first)
	}
}

// move notes that a partition goes on elsewhere.
func (c *Consumer) move(l lane, from, to int64) {
	c.mu.Lock()
	c.next[l] = to
	c.mu.Unlock()
	c.lostOffset(l, from, to)
}

func (c *Consumer) lostOffset(l lane, from, to int64) {
	c.lost.WithLabelValues(l.topic).Inc()
	c.log.Error().Str("event.action", "kafka.offset-lost").Str("kafka.topic", l.topic).Int32("kafka.partition", l.partition).
		Int64("kafka.offset", from).Int64("kafka.continued_at", to).
		Msg("the log does not have the offset that the group had come to: events are lost, or come again")
}

// outcome is how far the work on one partition came.
type outcome struct {
	last   *kgo.Record // it and all before it are done; nil: none
	rest   *kgo.Record // the first that is not done; nil: none
	failed bool        // rest failed; otherwise there was no time for it
}

// work handles what a poll brought, commits what is done and sets back the rest.
func (c *Consumer) work(ctx context.Context, client *kgo.Client, fetches kgo.Fetches) {
	until := time.Now().Add(c.workTime)
	var wg sync.WaitGroup
	outcomes := make(chan outcome, fetches.NumRecords()) // closed below, after the last partition
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) > 0 {
			c.follow(p)
			wg.Go(func() { outcomes <- c.partition(ctx, until, p.Records) })
		}
	})
	wg.Wait()
	close(outcomes)
	var done []*kgo.Record
	var undone []outcome
	for o := range outcomes {
		if o.last != nil {
			done = append(done, o.last)
			delete(c.tries, lane{o.last.Topic, o.last.Partition})
		}
		if o.rest != nil {
			undone = append(undone, o)
		}
	}
	c.commit(context.WithoutCancel(ctx), client, done)
	for _, o := range undone {
		c.setBack(client, o)
	}
}

// pollFor is how long a poll waits for records: a consumer without work gives a sign of life, too.
const pollFor = 2 * time.Second

// inPlace is how many attempts a record gets before its partition steps aside: most failures pass within a moment, and a partition
// that pauses waits up to a second for its next fetch.
const inPlace = 3

// partition works on records in order until one fails or the time is up.
func (c *Consumer) partition(ctx context.Context, until time.Time, recs []*kgo.Record) (o outcome) {
	for _, r := range recs {
		health.Tick(ctx)
		if ctx.Err() != nil || time.Now().After(until) {
			o.rest = r
			return o
		}
		for try := c.tries[lane{r.Topic, r.Partition}] + 1; !c.record(ctx, r, try); try++ {
			if try >= inPlace || time.Now().After(until) || !sleep(ctx, backoff(try)) {
				o.rest, o.failed = r, true
				return o
			}
		}
		o.last = r
	}
	return o
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

// setBack makes a partition give the rest again, after a back-off when it failed.
func (c *Consumer) setBack(client *kgo.Client, o outcome) {
	l := lane{o.rest.Topic, o.rest.Partition}
	c.mu.Lock()
	c.next[l] = o.rest.Offset
	c.mu.Unlock()
	one := map[string][]int32{l.topic: {l.partition}}
	if o.failed {
		c.tries[l] = max(c.tries[l]+1, inPlace)
		client.PauseFetchPartitions(one)
		time.AfterFunc(backoff(c.tries[l]), func() { client.ResumeFetchPartitions(one) })
	}
	client.SetOffsets(map[string]map[int32]kgo.EpochOffset{l.topic: {l.partition: {Epoch: o.rest.LeaderEpoch, Offset: o.rest.Offset}}})
}

func (c *Consumer) commit(ctx context.Context, client *kgo.Client, done []*kgo.Record) {
	if len(done) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := client.CommitRecords(ctx, done...); err != nil {
		c.log.Warn().Err(err).Str("event.action", "kafka.commit").Msg("commit; the events will come again")
	}
}

// record makes one attempt at a record; true means that it is done, dead-lettered, or a replay for another consumer.
func (c *Consumer) record(ctx context.Context, r *kgo.Record, try int) bool {
	if deadletter.ForOther(r.Headers, c.service) {
		return true
	}
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
	if IsPermanent(err) || unreadable != nil {
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
	ctx, cancel := context.WithTimeout(ctx, letterTime)
	defer cancel()
	if err := deadletter.Write(ctx, c.client.get(), r, c.service, reason); err != nil {
		if madeAnew(err) {
			c.anew.Store(true)
		}
		return err
	}
	c.dead.WithLabelValues(r.Topic).Inc()
	sc := trace.SpanContextFromContext(ctx)
	c.log.Error().Str("error.message", deadletter.Reason(reason)).Stringer("trace.id", sc.TraceID()).Stringer("span.id", sc.SpanID()).
		Str("event.action", "event.dead-lettered").
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
