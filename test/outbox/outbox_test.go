// Package outbox_test drives the outbox over the wire: embedded MongoDB and Kafka, several relays at once.
package outbox_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/broker"
	"kreislauf/internal/config"
	"kreislauf/internal/event"
	"kreislauf/internal/logging"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/outbox"
	"kreislauf/internal/telemetry"
	"kreislauf/test/asked"
	"kreislauf/test/embedded"
)

func TestMain(m *testing.M) { os.Exit(asked.By(m, "outbox").Run()) }

type doc struct {
	aggregate.Root `bson:",inline"`
	N              int `bson:"n"`
}

type bench struct {
	t        *testing.T
	coll     *mongo.Collection
	producer *broker.Producer
	mu       sync.Mutex // guards got
	got      map[string][]int
}

func start(t *testing.T) *bench {
	t.Helper()
	b := embedded.Start(t)
	tel, err := telemetry.New(t.Context(), config.Process{}, logging.NewSink(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	tracer := tel.Tracer
	db, err := mongodb.Open(b.MongoURI, "outboxtest", "t-1", tracer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })
	p, err := broker.NewProducer([]string{b.Kafka}, "t-1", zerolog.Nop(), tracer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	if err := broker.EnsureTopics(t.Context(), []string{b.Kafka}); err != nil {
		t.Fatal(err)
	}
	x := &bench{t: t, coll: db.Collection("docs"), producer: p, got: map[string][]int{}}
	c, err := broker.NewConsumer([]string{b.Kafka}, "statistics", "t-1", zerolog.Nop(), tracer, func(_ context.Context, e event.Event) error {
		v, err := event.Decode[event.Placed](e)
		x.mu.Lock()
		defer x.mu.Unlock()
		x.got[e.Subject] = append(x.got[e.Subject], v.SizeM3)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		c.Close()
	})
	return x
}

func (x *bench) relay() *outbox.Relay {
	r := outbox.New(x.coll, event.TopicOrder, x.producer, zerolog.Nop())
	if err := r.EnsureIndex(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
	return r
}

func (x *bench) event(id string, n int) event.Event {
	e, err := event.New(event.Meta{Source: "t", Subject: id, At: time.Now()}, event.Placed{SizeM3: n})
	if err != nil {
		x.t.Fatal(err)
	}
	return e
}

// written is a document with events that were written at a time.
func written(id string, at time.Time, events ...event.Event) doc {
	d := doc{Root: aggregate.New(id)}
	d.Outbox, d.OutboxAt = events, &at
	return d
}

// firsts is the order in which the events of a subject were first seen.
func (x *bench) firsts(id string) []int {
	x.mu.Lock()
	defer x.mu.Unlock()
	seen := map[int]bool{}
	var list []int
	for _, n := range x.got[id] {
		if !seen[n] {
			seen[n] = true
			list = append(list, n)
		}
	}
	return list
}

func (x *bench) await(what string, ok func() bool) {
	x.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			x.t.Fatalf("%s never happened", what)
		}
	}
}

// TestSweepTakesOver: the writer died between its write and the publication; another instance publishes.
func TestSweepTakesOver(t *testing.T) {
	x := start(t)
	r := x.relay()
	old := time.Now().Add(-2 * outbox.Grace)
	for i := range 5 {
		id := fmt.Sprintf("d-%d", i)
		if _, err := x.coll.InsertOne(t.Context(), written(id, old, x.event(id, 1), x.event(id, 2))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.coll.InsertOne(t.Context(), written("young", time.Now(), x.event("young", 1))); err != nil {
		t.Fatal(err)
	}
	n, err := r.Sweep(t.Context())
	if err != nil || n != 5 {
		t.Fatalf("Sweep = %d, %v; the young document belongs to its writer", n, err)
	}
	x.await("delivery", func() bool { return len(x.firsts("d-4")) == 2 && len(x.firsts("d-0")) == 2 })
	if n, err := r.Sweep(t.Context()); err != nil || n != 0 {
		t.Errorf("a second Sweep = %d, %v; the outboxes should be empty", n, err)
	}
	if left, err := x.coll.CountDocuments(t.Context(), bson.D{{Key: "outbox_at", Value: bson.D{{Key: "$exists", Value: true}}}}); err != nil || left != 1 {
		t.Errorf("%d documents wait, %v; want the young one", left, err)
	}
}

// TestManyWritersKeepOrder: several instances change and publish the same documents; nothing is lost and first sights are in order.
func TestManyWritersKeepOrder(t *testing.T) {
	x := start(t)
	const docs, changes, instances = 4, 15, 3
	for d := range docs {
		if _, err := x.coll.InsertOne(t.Context(), doc{Root: aggregate.New(fmt.Sprintf("d-%d", d))}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running, writing sync.WaitGroup
	for range instances {
		r := x.relay()
		running.Go(func() { _ = r.Run(ctx) }) // Run ends with ctx and returns nil
		writing.Go(func() {
			for i := 0; i < docs*changes; i++ {
				x.change(r, fmt.Sprintf("d-%d", i%docs))
			}
		})
	}
	writing.Wait()
	total := changes * instances
	for d := range docs {
		id := fmt.Sprintf("d-%d", d)
		x.await("delivery of "+id, func() bool { return len(x.firsts(id)) == total })
		for i, n := range x.firsts(id) {
			if n != i+1 {
				t.Fatalf("%s: event %d was seen first at place %d: %v", id, n, i+1, x.firsts(id))
			}
		}
	}
	cancel()
	running.Wait()
}

// change adds one to n with the event n, retrying when another instance was faster.
func (x *bench) change(r *outbox.Relay, id string) {
	for {
		var d doc
		if err := x.coll.FindOne(x.t.Context(), bson.D{{Key: "_id", Value: id}}).Decode(&d); err != nil {
			x.t.Error(err)
			return
		}
		now := time.Now()
		res, err := x.coll.UpdateOne(x.t.Context(), bson.D{{Key: "_id", Value: id}, {Key: "version", Value: d.Version}},
			bson.D{
				{Key: "$inc", Value: bson.D{{Key: "version", Value: int64(1)}, {Key: "n", Value: 1}}},
				{Key: "$push", Value: bson.D{{Key: "outbox", Value: x.event(id, d.N+1)}}},
				{Key: "$min", Value: bson.D{{Key: "outbox_at", Value: now}}},
			})
		if err != nil {
			x.t.Error(err)
			return
		}
		if res.MatchedCount == 1 {
			r.Kick(id)
			return
		}
	}
}
