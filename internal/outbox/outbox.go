// Package outbox owns the way of an event from the aggregate's document to Kafka: events are written into the array "outbox" of
// the document in the same single-document write that changes its state, then published in order and taken out.
//
// Invariants: an event whose document was written is published at least once, whatever process dies when; events of one document
// are first published in the order in which they were written. Documents embed aggregate.Root, and every write increments its version.
// It does not guarantee that an event is published once.
//
// Two ways lead out: the instance that wrote publishes at once (Kick), and every instance sweeps up what has waited
// longer than Grace, because its writer died or Kafka was away.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/broker"
	"kreislauf/internal/event"
	"kreislauf/internal/mongodb"
)

const (
	// Grace is how long the writer may take before another instance sweeps; SweepEvery is how often one looks.
	Grace      = 2 * time.Second
	SweepEvery = time.Second
	sweepBatch = 100
	workers    = 4
	queue      = 1024
)

// Relay publishes the outboxes of one collection to one topic.
type Relay struct {
	coll     *mongo.Collection
	topic    string
	producer *broker.Producer
	log      zerolog.Logger
	kicks    chan string // closed by nobody; Run drains it at its end

	mu      sync.Mutex
	pending map[string]bool // ids queued in kicks, so that one document is queued once
}

// New makes a relay; call EnsureIndex once and Run for as long as the service lives.
func New(coll *mongo.Collection, topic string, p *broker.Producer, log zerolog.Logger) *Relay {
	return &Relay{coll: coll, topic: topic, producer: p, log: log, kicks: make(chan string, queue), pending: map[string]bool{}}
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

// Run publishes until ctx ends, then what is still queued, each within its publish timeout.
func (r *Relay) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { r.work(ctx) })
	}
	wg.Go(func() { r.sweep(ctx) })
	wg.Wait()
	return nil
}

func (r *Relay) work(ctx context.Context) {
	for {
		select {
		case id := <-r.kicks:
			r.kicked(context.WithoutCancel(ctx), id)
		case <-ctx.Done():
			for {
				select {
				case id := <-r.kicks:
					r.kicked(context.WithoutCancel(ctx), id)
				default:
					return
				}
			}
		}
	}
}

func (r *Relay) kicked(ctx context.Context, id string) {
	r.mu.Lock()
	delete(r.pending, id)
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, broker.PublishTimeout)
	defer cancel()
	if err := r.publish(ctx, id); err != nil {
		r.log.Warn().Err(err).Str("event.action", "outbox.publish").Str("subject", id).Msg("publish outbox; the sweep tries again")
	}
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
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n, err := r.Sweep(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn().Err(err).Str("event.action", "outbox.sweep").Msg("sweep outboxes; trying again")
		} else if n > 0 {
			r.log.Info().Str("event.action", "outbox.swept").Int("documents", n).Msg("swept outboxes that their writer left")
		}
	}
}

// Sweep publishes what has waited longer than Grace, oldest first, at most a batch; it returns how many documents it published.
func (r *Relay) Sweep(ctx context.Context) (int, error) {
	cur, err := r.coll.Find(ctx, bson.D{{Key: "outbox_at", Value: bson.D{{Key: "$lt", Value: time.Now().Add(-Grace)}}}},
		options.Find().SetSort(bson.D{{Key: "outbox_at", Value: 1}}).SetLimit(sweepBatch).SetProjection(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return 0, fmt.Errorf("find waiting outboxes: %w", err)
	}
	var docs []struct {
		ID string `bson:"_id"`
	}
	if err := cur.All(ctx, &docs); err != nil {
		return 0, fmt.Errorf("read waiting outboxes: %w", err)
	}
	for i, d := range docs {
		if err := r.publish(ctx, d.ID); err != nil {
			return i, err
		}
	}
	return len(docs), nil
}
