// Package outbox owns the way of an event from the aggregate's document to Kafka: events are written into the array "outbox" of
// the document in the same single-document write that changes its state, then published in order and taken out.
//
// Invariants: an event whose document was written is published at least once, whatever process dies when; events of one document
// are first published in the order in which they were written. Documents embed aggregate.Root, and every write increments its version.
// It does not guarantee that an event is published once.
//
// Two ways lead out: the instance that wrote publishes at once (Kick), and every instance sweeps up what has waited
// longer than Grace, because its writer died, its queue was full or Kafka was away.
//
// A document whose events Kafka refuses for good (too large, for example) is stuck: its events stay in it, it is tried again less and
// less often, and the others go on. It is logged as outbox.stuck when it becomes that, and counted for as long as it is.
package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/broker"
	"kreislauf/internal/event"
	"kreislauf/internal/health"
	"kreislauf/internal/mongodb"
)

const (
	// Grace is how long the writer may take before another instance sweeps; SweepEvery is how often one looks.
	Grace      = 2 * time.Second
	SweepEvery = time.Second
	// StuckRetry bounds the time between two attempts at a stuck document, which doubles from SweepEvery.
	StuckRetry = time.Minute
	sweepBatch = 100
	workers    = 4
	queue      = 1024
)

// Relay publishes the outboxes of one collection to one topic. As a prometheus.Collector it tells how old the oldest outbox is, how many
// documents are stuck, and how many attempts failed.
type Relay struct {
	coll     *mongo.Collection
	topic    string
	producer *broker.Producer
	log      zerolog.Logger
	kicks    chan string // closed by nobody; Run drains it at its end
	failures prometheus.Counter
	gauges   []prometheus.Collector

	mu      sync.Mutex
	pending map[string]bool   // ids queued in kicks, so that one document is queued once
	stuck   map[string]*stuck // documents whose events Kafka refuses
	oldest  time.Time         // since when the oldest outbox waits, as of the last sweep; zero: none waits longer than Grace
}

// stuck is the account of a document whose events Kafka refuses.
type stuck struct {
	since time.Time
	tries int
	next  time.Time // no attempt before
}

// New makes a relay; call EnsureIndex once and Run for as long as the service lives.
func New(coll *mongo.Collection, topic string, p *broker.Producer, log zerolog.Logger) *Relay {
	r := &Relay{
		coll: coll, topic: topic, producer: p, log: log.With().Str("kafka.topic", topic).Logger(),
		kicks: make(chan string, queue), pending: map[string]bool{}, stuck: map[string]*stuck{},
	}
	opts := func(name, help string) prometheus.Opts {
		labels := prometheus.Labels{"topic": topic, "collection": coll.Name()}
		return prometheus.Opts{Namespace: "kreislauf", Subsystem: "outbox", Name: name, Help: help, ConstLabels: labels}
	}
	r.failures = prometheus.NewCounter(prometheus.CounterOpts(opts("publish_failures_total", "Attempts to publish an outbox that failed.")))
	r.gauges = []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(
			opts("oldest_seconds", "Age of the oldest outbox that waits; 0 when none waits longer than the grace.")), r.oldestSeconds),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("stuck_documents", "Documents whose events Kafka refuses.")), r.stuckDocuments),
	}
	return r
}

func (r *Relay) oldestSeconds() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.oldest.IsZero() {
		return 0
	}
	return time.Since(r.oldest).Seconds()
}

func (r *Relay) stuckDocuments() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return float64(len(r.stuck))
}

// Describe implements prometheus.Collector.
func (r *Relay) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(r, to) }

// Collect implements prometheus.Collector.
func (r *Relay) Collect(to chan<- prometheus.Metric) {
	r.failures.Collect(to)
	for _, g := range r.gauges {
		g.Collect(to)
	}
}

// EnsureIndex creates the index that the sweep uses.
func (r *Relay) EnsureIndex(ctx context.Context) error {
	return mongodb.EnsureIndex(ctx, r.coll, "outbox_at", bson.D{{Key: "outbox_at", Value: 1}}, options.Index().SetSparse(true))
}

// Kick asks for the document's outbox to be published now. It never blocks: when the queue is full the sweep takes over.
func (r *Relay) Kick(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending[id] {
		return
	}
	select {
	case r.kicks <- id:
		r.pending[id] = true
	default:
	}
}

// lastWords is how long a relay that ends goes on with what is queued. While Kafka answers that is plenty; when it does not, the rest stays
// in the documents, and another instance's sweep publishes it.
const lastWords = 2 * time.Second

// Run publishes until ctx ends, then for lastWords what is still queued.
func (r *Relay) Run(ctx context.Context) error {
	publishing, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() {
		end := time.NewTimer(lastWords)
		defer end.Stop()
		select {
		case <-end.C:
			cut()
		case <-publishing.Done():
		}
	})()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { r.work(ctx, publishing) })
	}
	wg.Go(func() { r.sweep(ctx) })
	wg.Wait()
	return nil
}

// work publishes what is kicked until ctx ends, then what is queued until publishing ends too.
func (r *Relay) work(ctx, publishing context.Context) {
	for {
		select {
		case id := <-r.kicks:
			r.kicked(publishing, id)
		case <-ctx.Done():
			for publishing.Err() == nil {
				select {
				case id := <-r.kicks:
					r.kicked(publishing, id)
				default:
					return
				}
			}
			return
		}
	}
}

func (r *Relay) kicked(ctx context.Context, id string) {
	r.mu.Lock()
	delete(r.pending, id)
	r.mu.Unlock()
	_, _ = r.try(ctx, id) // what it did not publish waits, and the sweep tells about that
}

// try makes one attempt at a document, and keeps account of whether it is stuck, which is no error.
func (r *Relay) try(ctx context.Context, id string) (published bool, err error) {
	pctx, cancel := context.WithTimeout(ctx, broker.PublishTimeout)
	defer cancel()
	err = r.publish(pctx, id)
	if err != nil && ctx.Err() != nil {
		return false, nil // the relay ends: this says nothing about the document
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.stuck[id]
	if err == nil {
		if was != nil {
			delete(r.stuck, id)
			r.log.Info().Str("event.action", "outbox.unstuck").Str("subject", id).Msg("published an outbox that was stuck")
		}
		return true, nil
	}
	r.failures.Inc()
	if !broker.IsPermanent(err) {
		return false, err
	}
	if was == nil {
		was = &stuck{since: time.Now()}
		r.stuck[id] = was
		r.log.Error().Err(err).Str("event.action", "outbox.stuck").Str("subject", id).
			Msg("Kafka refuses the events of this document; its outbox is stuck")
	}
	was.next = time.Now().Add(min(SweepEvery<<min(was.tries, 10), StuckRetry))
	was.tries++
	return false, nil
}

// ask says whether a document is stuck, and whether it is time for an attempt.
func (r *Relay) ask(id string) (isStuck, due bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stuck[id]
	return s != nil, s == nil || !time.Now().Before(s.next)
}

// publish sends the whole outbox of a document in order and takes it out if nothing was added meanwhile.
func (r *Relay) publish(ctx context.Context, id string) error {
	for {
		var doc struct {
			Version int64         `bson:"version"`
			Outbox  []event.Event `bson:"outbox"`
		}
		err := r.coll.FindOne(ctx, bson.D{{Key: "_id", Value: id}},
			options.FindOne().SetProjection(bson.D{{Key: "version", Value: 1}, {Key: "outbox", Value: 1}})).Decode(&doc)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read outbox: %w", err)
		}
		if len(doc.Outbox) == 0 {
			return nil
		}
		if err := r.producer.Publish(ctx, r.topic, doc.Outbox...); err != nil {
			return err
		}
		res, err := r.coll.UpdateOne(ctx, bson.D{{Key: "_id", Value: id}, {Key: "version", Value: doc.Version}},
			bson.D{{Key: "$set", Value: bson.D{{Key: "outbox", Value: bson.A{}}}}, {Key: "$unset", Value: bson.D{{Key: "outbox_at", Value: ""}}}})
		if err != nil {
			return fmt.Errorf("clear outbox: %w", err)
		}
		if res.MatchedCount == 1 {
			return nil
		}
		// A newer write added to the outbox: go round again, from the start, to keep the order.
	}
}

func (r *Relay) sweep(ctx context.Context) {
	tick := time.NewTicker(SweepEvery)
	defer tick.Stop()
	for failing := false; ; {
		health.Tick(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n, err := r.Sweep(ctx)
		if ctx.Err() != nil {
			return
		}
		if failing != (err != nil) {
			if failing = err != nil; failing {
				r.log.Warn().Err(err).Str("event.action", "outbox.sweep").Msg("outboxes wait; trying again each second")
			} else {
				r.log.Info().Str("event.action", "outbox.sweep").Msg("no outbox waits any more because of an error")
			}
		}
		if n > 0 {
			r.log.Info().Str("event.action", "outbox.swept").Int("documents", n).Msg("swept outboxes that their writer left")
		}
	}
}

// Waiting is a document whose outbox was not published yet.
type Waiting struct {
	ID    string    `bson:"_id"`
	Since time.Time `bson:"outbox_at"`
}

// OlderThan lists the documents of a collection whose outbox waits since before a time, the oldest first, for people who look for stuck ones.
func OlderThan(ctx context.Context, db *mongodb.Database, collection string, before time.Time) ([]Waiting, error) {
	cur, err := db.Collection(collection).Find(ctx, bson.D{{Key: "outbox_at", Value: bson.D{{Key: "$lt", Value: before}}}},
		options.Find().SetSort(bson.D{{Key: "outbox_at", Value: 1}}).SetProjection(bson.D{{Key: "_id", Value: 1}, {Key: "outbox_at", Value: 1}}))
	if err != nil {
		return nil, mongodb.Problem("find waiting outboxes of "+collection, err)
	}
	var list []Waiting
	return list, mongodb.Problem("find waiting outboxes of "+collection, cur.All(ctx, &list))
}

// Sweep publishes all that has waited longer than Grace, oldest first; it returns how many documents it published. After an error it goes
// on with the next document and returns the first error in the end. Stuck documents are no error.
func (r *Relay) Sweep(ctx context.Context) (published int, err error) {
	before := time.Now().Add(-Grace)
	cur, err := r.coll.Find(ctx, bson.D{{Key: "outbox_at", Value: bson.D{{Key: "$lt", Value: before}}}},
		options.Find().SetSort(bson.D{{Key: "outbox_at", Value: 1}}).SetBatchSize(sweepBatch).
			SetProjection(bson.D{{Key: "_id", Value: 1}, {Key: "outbox_at", Value: 1}}))
	if err != nil {
		return 0, fmt.Errorf("find waiting outboxes: %w", err)
	}
	defer func() { _ = cur.Close(context.WithoutCancel(ctx)) }()
	var oldest time.Time
	stillStuck := map[string]bool{}
	var batch []string
	flush := func() {
		n, e := r.publishAll(ctx, batch)
		published, batch = published+n, batch[:0]
		err = cmp.Or(err, e)
	}
	for cur.Next(ctx) {
		var doc struct {
			ID string    `bson:"_id"`
			At time.Time `bson:"outbox_at"`
		}
		if err := cur.Decode(&doc); err != nil {
			return published, fmt.Errorf("read waiting outboxes: %w", err)
		}
		if oldest.IsZero() {
			oldest = doc.At
			r.note(oldest)
		}
		isStuck, due := r.ask(doc.ID)
		if isStuck {
			stillStuck[doc.ID] = true
		}
		if due {
			batch = append(batch, doc.ID)
		}
		if len(batch) == sweepBatch {
			flush()
		}
	}
	flush()
	if e := cur.Err(); e != nil {
		return published, fmt.Errorf("read waiting outboxes: %w", e)
	}
	r.note(oldest)
	r.forget(stillStuck, before)
	return published, err
}

// note keeps since when the oldest outbox waits.
func (r *Relay) note(oldest time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.oldest = oldest
}

// forget drops the accounts of stuck documents that wait no longer: another instance published them, or they were deleted. waiting are
// those that a sweep met which looked for documents older than before; one that got stuck later may have been too young for it.
func (r *Relay) forget(waiting map[string]bool, before time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.stuck, func(id string, s *stuck) bool { return !waiting[id] && s.since.Before(before) })
}

// publishAll tries documents side by side. Their order is shuffled, so that instances that sweep at the same time meet less often.
func (r *Relay) publishAll(ctx context.Context, ids []string) (published int, first error) {
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	todo := make(chan string, len(ids))
	for _, id := range ids {
		todo <- id
	}
	close(todo)
	var wg sync.WaitGroup
	var mu sync.Mutex // guards published and first
	for range min(workers, len(ids)) {
		wg.Go(func() {
			for id := range todo {
				health.Tick(ctx)
				done, err := r.try(ctx, id)
				mu.Lock()
				if done {
					published++
				}
				first = cmp.Or(first, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return published, first
}
