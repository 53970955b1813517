package repository_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/broker"
	"kreislauf/internal/config"
	"kreislauf/internal/event"
	"kreislauf/internal/logging"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/problem"
	"kreislauf/internal/repository"
	"kreislauf/internal/telemetry"
	"kreislauf/test/asked"
	"kreislauf/test/embedded"
)

func TestMain(m *testing.M) {
	if os.Getenv(workerVar) != "" {
		os.Exit(worker())
	}
	goleak.VerifyTestMain(asked.By(m, "repository"))
}

// counter is the aggregate of these tests.
type counter struct {
	aggregate.Root `bson:",inline"`
	N              int              `bson:"n"`
	Note           string           `bson:"note,omitempty"`
	Tags           []string         `bson:"tags"`
	Sums           []map[string]int `bson:"sums,omitempty"`
}

// add counts one more and tells of it.
func (c *counter) add(m event.Meta) error {
	c.N++
	return c.Emit(m, event.Placed{OrderID: c.ID, SizeM3: c.N})
}

type counters = repository.Repository[counter, *counter]

func meta(context.Context) event.Meta {
	return event.Meta{Source: "order", Customer: "kreislauf", At: time.Now().UTC().Truncate(time.Millisecond)}
}

// open connects to the servers as one instance would; the relay does not run, so outboxes stay full.
func open(mongoURI, kafka string) (*counters, *mongodb.Database, func(), error) {
	tel, err := telemetry.New(context.Background(), config.Process{}, logging.NewSink(io.Discard))
	if err != nil {
		return nil, nil, nil, err
	}
	db, err := mongodb.Open(mongoURI, "repositorytest", "t-1", tel.Tracer)
	if err != nil {
		return nil, nil, nil, err
	}
	p, err := broker.NewProducer([]string{kafka}, "t-1", zerolog.Nop(), tel.Tracer)
	if err != nil {
		return nil, nil, nil, err
	}
	r := repository.Open[counter](repository.Parts{DB: db, Producer: p, Log: zerolog.Nop(), Tracer: tel.Tracer}, "counters", "counter", event.TopicOrder)
	return r, db, func() { p.Close(); _ = db.Close(context.Background()) }, nil
}

func start(t *testing.T, b *embedded.Backends) (*counters, *mongodb.Database) {
	t.Helper()
	r, db, end, err := open(b.MongoURI, b.Kafka)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return r, db
}

func insert(t *testing.T, r *counters, c counter) {
	t.Helper()
	if duplicate, err := r.Insert(t.Context(), c); err != nil || duplicate {
		t.Fatalf("insert: %v, duplicate %v", err, duplicate)
	}
}

// TestChangesAtOnce: many instances change one aggregate; each change sees the one before it, and none is lost.
func TestChangesAtOnce(t *testing.T) {
	const instances, changes = 4, 25
	b := embedded.Start(t)
	first, _ := start(t, b)
	insert(t, first, counter{Root: aggregate.New("c-1")})
	var wg sync.WaitGroup
	for range instances {
		r, _ := start(t, b)
		wg.Go(func() {
			for range changes {
				_, changed, err := r.Change(t.Context(), "c-1", func(c *counter) error { return c.add(meta(t.Context())) })
				if err != nil || !changed {
					t.Errorf("change: %v, changed %v", err, changed)
				}
			}
		})
	}
	wg.Wait()
	c, err := first.Get(t.Context(), "c-1")
	if err != nil {
		t.Fatal(err)
	}
	if c.N != instances*changes || c.Version != instances*changes+1 || len(c.Outbox) != instances*changes {
		t.Fatalf("after %d changes: n %d, version %d, %d events", instances*changes, c.N, c.Version, len(c.Outbox))
	}
	for i, e := range c.Outbox {
		if p, err := event.Decode[event.Placed](e); err != nil || p.SizeM3 != i+1 || e.Subject != "c-1" {
			t.Fatalf("event %d tells of %+v, %v", i, p, err)
		}
	}
	if c.OutboxAt == nil || c.OutboxAt.Before(c.Outbox[0].Time) || c.OutboxAt.After(c.Outbox[len(c.Outbox)-1].Time) {
		t.Errorf("the oldest event is of %s, outbox_at says %s", c.Outbox[0].Time, c.OutboxAt)
	}
}

// sums are maps, so many that not all come in the same order twice; last is the last value of each.
func sums(last int) (list []map[string]int) {
	for range 20 {
		list = append(list, map[string]int{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": last})
	}
	return list
}

func TestChange(t *testing.T) {
	b := embedded.Start(t)
	r, db := start(t, b)
	refusal := errors.New("refused")
	for _, tc := range []struct {
		name    string
		before  counter
		decide  func(*counter) error
		want    counter
		changed bool
		err     error
	}{
		{"nothing", counter{N: 1}, func(*counter) error { return nil }, counter{N: 1}, false, nil},
		{"the same again", counter{N: 1, Tags: []string{"a"}}, func(c *counter) error { c.Tags = []string{"a"}; return nil }, counter{N: 1, Tags: []string{"a"}}, false, nil},
		{"nothing, beside a map, which has no order", counter{Sums: sums(9)}, func(*counter) error { return nil }, counter{Sums: sums(9)}, false, nil},
		{"a member of a map", counter{Sums: sums(9)}, func(c *counter) error { c.Sums = sums(1); return nil }, counter{Sums: sums(1)}, true, nil},
		{"a member", counter{N: 1}, func(c *counter) error { c.N = 2; return nil }, counter{N: 2}, true, nil},
		{"a member that goes", counter{Note: "x"}, func(c *counter) error { c.Note = ""; return nil }, counter{}, true, nil},
		{"an array", counter{Tags: []string{"a"}}, func(c *counter) error { c.Tags = append(c.Tags, "b"); return nil }, counter{Tags: []string{"a", "b"}}, true, nil},
		{"a refusal", counter{N: 1}, func(c *counter) error { c.N = 2; return refusal }, counter{N: 1}, false, refusal},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.before.Root = aggregate.New(event.NewID("c"))
			id := tc.before.ID
			insert(t, r, tc.before)
			got, changed, err := r.Change(t.Context(), id, tc.decide)
			if changed != tc.changed || !errors.Is(err, tc.err) {
				t.Fatalf("change: changed %v, %v", changed, err)
			}
			stored, err := r.Get(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			tc.want.Root = aggregate.New(id)
			if tc.changed {
				tc.want.Version++
			}
			if d := cmp.Diff(tc.want, stored, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("stored (-want +got):\n%s", d)
			}
			if d := cmp.Diff(stored, got, cmpopts.EquateEmpty()); tc.err == nil && d != "" {
				t.Errorf("answered (-stored +answered):\n%s", d)
			}
		})
	}
	t.Run("what a later version has written stays", func(t *testing.T) {
		coll := db.Collection("counters")
		if _, err := coll.InsertOne(t.Context(), bson.D{{Key: "_id", Value: "later"}, {Key: "version", Value: int64(1)}, {Key: "n", Value: 1}, {Key: "colour", Value: "red"}}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Change(t.Context(), "later", func(c *counter) error { return c.add(meta(t.Context())) }); err != nil {
			t.Fatal(err)
		}
		var raw bson.M
		if err := coll.FindOne(t.Context(), bson.D{{Key: "_id", Value: "later"}}).Decode(&raw); err != nil || raw["colour"] != "red" || raw["n"] != int32(2) {
			t.Errorf("document %v, %v", raw, err)
		}
	})
	t.Run("the relay empties the outbox meanwhile", func(t *testing.T) {
		c := counter{Root: aggregate.New("relayed")}
		if err := c.add(meta(t.Context())); err != nil {
			t.Fatal(err)
		}
		insert(t, r, c)
		_, _, err := r.Change(t.Context(), c.ID, func(c *counter) error {
			_, err := db.Collection("counters").UpdateOne(t.Context(), bson.D{{Key: "_id", Value: c.ID}},
				bson.D{{Key: "$set", Value: bson.D{{Key: "outbox", Value: bson.A{}}}}, {Key: "$unset", Value: bson.D{{Key: "outbox_at", Value: ""}}}})
			return errors.Join(err, c.add(meta(t.Context())))
		})
		if err != nil {
			t.Fatal(err)
		}
		stored, err := r.Get(t.Context(), c.ID)
		if err != nil || len(stored.Outbox) != 1 || stored.OutboxAt == nil {
			t.Fatalf("stored %+v, %v", stored, err)
		}
		if p, err := event.Decode[event.Placed](stored.Outbox[0]); err != nil || p.SizeM3 != 2 {
			t.Errorf("the outbox holds %+v, %v; the first event was published", p, err)
		}
	})
	t.Run("decide takes an event out that waits", func(t *testing.T) {
		c := counter{Root: aggregate.New("emptied")}
		if err := c.add(meta(t.Context())); err != nil {
			t.Fatal(err)
		}
		insert(t, r, c)
		_, _, err := r.Change(t.Context(), c.ID, func(c *counter) error { c.Outbox = nil; return nil })
		if stored, getErr := r.Get(t.Context(), c.ID); err == nil || getErr != nil || len(stored.Outbox) != 1 {
			t.Errorf("change: %v; stored %+v, %v", err, stored, getErr)
		}
	})
	t.Run("no such aggregate", func(t *testing.T) {
		_, _, err := r.Change(t.Context(), "nowhere", func(*counter) error { return nil })
		if problem.KindOf(err) != problem.NotFound {
			t.Errorf("change: %v", err)
		}
	})
}

func TestAddReplays(t *testing.T) {
	r, _ := start(t, embedded.Start(t))
	for i, replayed := range []bool{false, true} {
		stored, got, err := r.Add(t.Context(), counter{Root: aggregate.New("c-1"), N: i + 1})
		if err != nil || got != replayed || stored.N != 1 {
			t.Errorf("add %d: %+v, replayed %v, %v", i, stored, got, err)
		}
	}
}

// count is what a repository holds, by id.
func count(t *testing.T, r *counters) map[string]counter {
	t.Helper()
	list, err := r.Find(t.Context(), bson.D{}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]counter{}
	for _, c := range list {
		m[c.ID] = c
	}
	return m
}

// await waits for a condition that comes true by itself.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// due makes aggregates whose work was due an hour ago.
func due(t *testing.T, r *counters, n int) {
	t.Helper()
	for i := range n {
		c := counter{Root: aggregate.New(fmt.Sprintf("c-%03d", i))}
		c.Due(time.Now().Add(-time.Hour))
		insert(t, r, c)
	}
}
