// Package repository owns how aggregates are stored, changed and told about: one loop reads, decides, writes if nobody else has written
// meanwhile, and has the events published. Timed work on aggregates runs through the same loop.
//
// Invariants: state and events of one change are in one write, so neither is there without the other; of two changes at once, by any
// number of instances, the second decides again on what the first left; a change that changes nothing writes nothing.
// It does not guarantee that decide is called once, or that an event is published once.
package repository

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.opentelemetry.io/otel/trace"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/broker"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/outbox"
)

// Document is a pointer to an aggregate's document, which embeds aggregate.Root.
type Document[T any] interface {
	*T
	Aggregate() *aggregate.Root
}

// Parts are what repositories of one process share.
type Parts struct {
	DB       *mongodb.Database
	Producer *broker.Producer
	Log      zerolog.Logger
	Tracer   trace.Tracer
}

// Repository holds the aggregates of one collection; P is always *T. Safe for concurrent use.
type Repository[T any, P Document[T]] struct {
	mongodb.Collection[T]
	coll   *mongo.Collection
	noun   string
	relay  *outbox.Relay
	log    zerolog.Logger
	tracer trace.Tracer
}

// Open makes the repository of a collection whose events go to topic; noun is what one aggregate is ("order"), for errors.
// Call Indexes once, and Run for as long as the service lives.
func Open[T any, P Document[T]](p Parts, collection, noun, topic string) *Repository[T, P] {
	coll := p.DB.Collection(collection)
	return &Repository[T, P]{
		Collection: mongodb.OpenCollection[T](p.DB, collection, noun), coll: coll, noun: noun,
		relay: outbox.New(coll, topic, p.Producer, p.Log), log: p.Log, tracer: p.Tracer,
	}
}

// Indexes creates what publishing and timed work need.
func (r *Repository[T, P]) Indexes(ctx context.Context) error { return r.relay.EnsureIndex(ctx) }

// Metrics tells about outboxes: how old the oldest is, how many are stuck.
func (r *Repository[T, P]) Metrics() prometheus.Collector { return r.relay }

// Run publishes events until ctx ends.
func (r *Repository[T, P]) Run(ctx context.Context) error { return r.relay.Run(ctx) }

// Insert stores a new aggregate and has its events published. duplicate says that its id, or another unique member, is there already;
// then nothing is stored.
func (r *Repository[T, P]) Insert(ctx context.Context, doc T) (duplicate bool, err error) {
	root := P(&doc).Aggregate()
	if len(root.Outbox) > 0 {
		now := time.Now() // of this machine, whatever the clock of the business says: the relay compares it with its own
		root.OutboxAt = &now
	}
	if duplicate, err = r.Collection.Insert(ctx, doc); err == nil && !duplicate {
		r.kick(root)
	}
	return duplicate, err
}

// Add stores a new aggregate, or finds the one that has its id; replayed says which.
func (r *Repository[T, P]) Add(ctx context.Context, doc T) (stored T, replayed bool, err error) {
	duplicate, err := r.Insert(ctx, doc)
	if err != nil || !duplicate {
		return doc, false, err
	}
	stored, err = r.Get(ctx, P(&doc).Aggregate().ID)
	return stored, true, err
}

// Change reads an aggregate, lets decide change it, and writes it. It begins again when somebody else has written it meanwhile, so decide
// must depend on nothing but the document. An error of decide ends it with that error and nothing written. changed is false when decide
// left the document as it was. The answer is the document as it is now.
func (r *Repository[T, P]) Change(ctx context.Context, id string, decide func(P) error) (doc T, changed bool, err error) {
	for {
		if doc, err = r.Get(ctx, id); err != nil {
			return doc, false, err
		}
		root := P(&doc).Aggregate()
		version, known := root.Version, len(root.Outbox)
		before, err := encode(doc)
		if err != nil {
			return doc, false, fmt.Errorf("encode %s %s: %w", r.noun, id, err)
		}
		if err := decide(&doc); err != nil {
			return doc, false, err
		}
		if len(root.Outbox) < known {
			return doc, false, fmt.Errorf("change %s %s: an event that waits was taken out of the outbox", r.noun, id)
		}
		after, err := encode(doc)
		if err != nil {
			return doc, false, fmt.Errorf("encode %s %s: %w", r.noun, id, err)
		}
		u := update(before, after, root.Outbox[known:], time.Now())
		if u == nil {
			return doc, false, nil
		}
		res, err := r.coll.UpdateOne(ctx, bson.D{{Key: "_id", Value: id}, {Key: "version", Value: version}}, u)
		if err != nil {
			return doc, false, mongodb.Problem("change "+r.noun, err)
		}
		if res.MatchedCount == 1 {
			root.Version = version + 1
			r.kick(root)
			return doc, true, nil
		}
	}
}

// kick has the events of an aggregate published that was just written.
func (r *Repository[T, P]) kick(root *aggregate.Root) {
	if len(root.Outbox) > 0 {
		r.relay.Kick(root.ID)
	}
}
