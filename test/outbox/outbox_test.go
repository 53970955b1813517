// Package outbox_test drives the outbox over the wire: embedded MongoDB and Kafka, several relays at once.
package outbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
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
	b        *embedded.Backends
	coll     *mongo.Collection
	producer *broker.Producer
	tracer   *telemetry.Tracer
	log      lockedBuffer // of relays
	mu       sync.Mutex   // guards got
	got      map[string][]int
}

// lockedBuffer is a buffer for lines of several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// Bytes is a copy of all that was written.
func (b *lockedBuffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buf.Bytes())
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
	x := &bench{t: t, b: b, coll: db.Collection("docs"), producer: p, tracer: tracer, got: map[string][]int{}}
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
	r := outbox.New(x.coll, event.TopicOrder, x.producer, zerolog.New(&x.log))
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

// TestStuckDocuments: events that Kafka refuses stay in their documents, which hold up nobody, even when there are more of them than a
// sweep takes at a time. They are counted, and told about once.
func TestStuckDocuments(t *testing.T) {
	x := start(t)
	r := x.relay()
	old := time.Now().Add(-2 * outbox.Grace)
	const stuck, fine = 120, 130
	for i := range stuck {
		id := fmt.Sprintf("large-%d", i)
		e := x.event(id, 1)
		e.Data = json.RawMessage("{") // cannot be encoded
		if i < 2 {
			e.Data = json.RawMessage(`"` + strings.Repeat("x", 1_100_000) + `"`)
		}
		x.insert(written(id, old, e))
	}
	for i := range fine {
		id := fmt.Sprintf("d-%d", i)
		x.insert(written(id, old.Add(time.Second), x.event(id, i)))
	}
	if n, err := r.Sweep(t.Context()); err != nil || n != fine {
		t.Fatalf("Sweep = %d, %v; want the %d documents behind the stuck ones", n, err, fine)
	}
	metrics := func(oldestMin float64, stuck float64) {
		t.Helper()
		got := x.metrics(r)
		if got["kreislauf_outbox_stuck_documents"] != stuck || got["kreislauf_outbox_oldest_seconds"] < oldestMin {
			t.Errorf("metrics %v, want %v stuck and at least %v seconds", got, stuck, oldestMin)
		}
	}
	metrics(4, stuck)
	if failures := x.metrics(r)["kreislauf_outbox_publish_failures_total"]; failures != stuck {
		t.Errorf("%v failures", failures)
	}
	for range 3 {
		if n, err := r.Sweep(t.Context()); err != nil || n != 0 {
			t.Fatalf("Sweep = %d, %v", n, err)
		}
	}
	if n := bytes.Count(x.log.Bytes(), []byte(`"outbox.stuck"`)); n != stuck {
		t.Errorf("%d lines about %d stuck documents", n, stuck)
	}
	if failures := x.metrics(r)["kreislauf_outbox_publish_failures_total"]; failures >= 4*stuck {
		t.Errorf("%v failures: each sweep tries stuck documents again", failures)
	}
	for i := range stuck { // somebody makes them smaller
		id := fmt.Sprintf("large-%d", i)
		small := written(id, old, x.event(id, 2))
		if _, err := x.coll.ReplaceOne(t.Context(), bson.D{{Key: "_id", Value: id}}, small); err != nil {
			t.Fatal(err)
		}
	}
	left := stuck
	x.await("publication of what was stuck", func() bool {
		n, err := r.Sweep(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		left -= n
		return left == 0
	})
	if n, err := r.Sweep(t.Context()); err != nil || n != 0 {
		t.Fatalf("Sweep = %d, %v", n, err)
	}
	metrics(0, 0)
	if oldest := x.metrics(r)["kreislauf_outbox_oldest_seconds"]; oldest != 0 {
		t.Errorf("the oldest of no outboxes is %v seconds old", oldest)
	}
	if n := bytes.Count(x.log.Bytes(), []byte(`"outbox.unstuck"`)); n != stuck {
		t.Errorf("%d lines about %d documents that are no longer stuck", n, stuck)
	}
}

// TestSweepErrorsAreLoggedOnce: while Kafka does not take anything, sweeps report one error each and lose nothing.
func TestSweepErrorsAreLoggedOnce(t *testing.T) {
	x := start(t)
	away, err := broker.NewProducer([]string{"127.0.0.1:1"}, "t-1", zerolog.Nop(), x.tracer)
	if err != nil {
		t.Fatal(err)
	}
	away.Close() // each publication fails at once
	r := outbox.New(x.coll, event.TopicOrder, away, zerolog.New(&x.log))
	if err := r.EnsureIndex(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		id := fmt.Sprintf("d-%d", i)
		x.insert(written(id, time.Now().Add(-2*outbox.Grace), x.event(id, 1)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	x.await("three sweeps", func() bool { return x.metrics(r)["kreislauf_outbox_publish_failures_total"] >= 9 })
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(x.log.Bytes(), []byte("\n")); n != 1 {
		t.Errorf("%d lines: %s", n, x.log.Bytes())
	}
	if n, err := x.relay().Sweep(t.Context()); err != nil || n != 3 {
		t.Errorf("with Kafka, Sweep = %d, %v", n, err)
	}
}

func (x *bench) insert(d doc) {
	x.t.Helper()
	if _, err := x.coll.InsertOne(x.t.Context(), d); err != nil {
		x.t.Fatal(err)
	}
}

// metrics gives the relay's metrics by name.
func (x *bench) metrics(r *outbox.Relay) map[string]float64 {
	x.t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(r)
	families, err := reg.Gather()
	if err != nil {
		x.t.Fatal(err)
	}
	m := map[string]float64{}
	for _, f := range families {
		for _, v := range f.GetMetric() {
			m[f.GetName()] = v.GetGauge().GetValue() + v.GetCounter().GetValue()
		}
	}
	return m
}

// TestManyWritersKeepOrder: several instances change and publish the same documents; nothing is lost and first sights are in order.
// TestRelayEndsWithoutKafka: a relay that is told to end does not wait for a Kafka that is away, once for each of many documents; they keep
// what was not published.
func TestRelayEndsWithoutKafka(t *testing.T) {
	x := start(t)
	r := x.relay()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	if _, err := x.coll.InsertOne(t.Context(), written("first", time.Now(), x.event("first", 1))); err != nil {
		t.Fatal(err)
	}
	r.Kick("first")
	x.await("delivery", func() bool { return len(x.firsts("first")) == 1 })
	x.b.Stop("kafka")
	const docs = 100 // at 10 s each, by four at a time, these are minutes
	for i := range docs {
		id := fmt.Sprintf("d-%d", i)
		if _, err := x.coll.InsertOne(t.Context(), written(id, time.Now(), x.event(id, 1))); err != nil {
			t.Fatal(err)
		}
		r.Kick(id)
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(90 * time.Second):
		t.Fatal("the relay waits for Kafka")
	}
	if left, err := x.coll.CountDocuments(t.Context(), bson.D{{Key: "outbox_at", Value: bson.D{{Key: "$exists", Value: true}}}}); err != nil || left != docs {
		t.Errorf("%d documents wait, %v; want %d", left, err, docs)
	}
}

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
