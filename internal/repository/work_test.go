package repository_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
	"kreislauf/internal/repository"
	"kreislauf/test/embedded"
)

// workerVar makes the test binary an instance that does timed work until it is killed: "<MongoDB URI> <Kafka address>".
const workerVar = "KREISLAUF_TEST_WORKER"

// counting is work that counts once and then plans nothing more. Deciding takes a moment, so that a kill finds somebody at it.
func counting() repository.Work[*counter] {
	return repository.Work[*counter]{Name: "counting", Every: 10 * time.Millisecond, Meta: meta, Do: func(m event.Meta, c *counter) error {
		time.Sleep(2 * time.Millisecond)
		c.Due(time.Time{})
		return c.add(m)
	}}
}

func worker() int {
	mongo, kafka, _ := strings.Cut(os.Getenv(workerVar), " ")
	r, _, _, err := open(mongo, kafka)
	if err == nil {
		fmt.Println("working")
		err = r.RunWork(context.Background(), counting())
	}
	fmt.Println(err)
	return 1
}

// TestWorkSurvivesKills: three instances work, one after the other is killed with SIGKILL and started again; each aggregate's work is done
// once and told of once.
func TestWorkSurvivesKills(t *testing.T) {
	const docs, instances, kills = 300, 3, 6
	b := embedded.Start(t)
	r, _ := start(t, b)
	if err := r.IndexWork(t.Context()); err != nil {
		t.Fatal(err)
	}
	due(t, r, docs)
	later := counter{Root: aggregate.New("later")}
	later.Due(time.Now().Add(time.Hour))
	insert(t, r, later)
	run := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), workerVar+"="+b.MongoURI+" "+b.Kafka)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	kill := func(cmd *exec.Cmd) {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // says that it was killed
	}
	workers := make([]*exec.Cmd, instances)
	for i := range workers {
		workers[i] = run()
	}
	done := func() (n int) {
		for _, c := range count(t, r) {
			n += min(c.N, 1)
		}
		return n
	}
	for i := range kills {
		await(t, "some work is done", func() bool { return done() >= docs*(i+1)/(kills+1) })
		kill(workers[i%instances])
		workers[i%instances] = run()
	}
	await(t, "all work is done", func() bool { return done() == docs })
	for _, w := range workers {
		kill(w)
	}
	for id, c := range count(t, r) {
		want := 1
		if id == "later" {
			want = 0
		}
		if c.N != want || len(c.Outbox) != want || (c.DueAt == nil) != (want == 1) {
			t.Errorf("%s: done %d times, %d events, due %v", id, c.N, len(c.Outbox), c.DueAt)
		}
	}
}

// TestWorkThatCannotBeDone: what fails, and what forgets to move its time, is put off and keeps nobody else waiting.
func TestWorkThatCannotBeDone(t *testing.T) {
	r, _ := start(t, embedded.Start(t))
	if err := r.IndexWork(t.Context()); err != nil {
		t.Fatal(err)
	}
	due(t, r, 250)
	began := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	tries := map[string]int{}
	work := counting()
	work.Do = func(m event.Meta, c *counter) error {
		mu.Lock()
		tries[c.ID]++
		mu.Unlock()
		switch {
		case c.ID < "c-110": // more than a batch
			return errors.New("it never works")
		case c.ID == "c-110":
			return nil // and leaves it due
		}
		c.Due(time.Time{})
		return c.add(m)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.RunWork(ctx, work) }()
	await(t, "the others are done", func() bool {
		n := 0
		for _, c := range count(t, r) {
			n += c.N
		}
		return n == 250-111
	})
	await(t, "the rest is put off", func() bool {
		n := 0
		for _, c := range count(t, r) {
			if c.DueAt != nil && c.DueAt.After(time.Now()) {
				n++
			}
		}
		return n == 111
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for id, c := range count(t, r) {
		if failed := id <= "c-110"; failed != (c.N == 0) || len(c.Outbox) != c.N {
			t.Errorf("%s: %+v", id, c)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for id, n := range tries {
		if n > 1+int(time.Since(began)/time.Minute) { // a put-off lasts a minute
			t.Errorf("%s was tried %d times", id, n)
		}
	}
}

// TestWorkBesideABrokenAggregate: a document that cannot be read keeps nobody else waiting.
func TestWorkBesideABrokenAggregate(t *testing.T) {
	r, db := start(t, embedded.Start(t))
	broken := bson.D{{Key: "_id", Value: "broken"}, {Key: "version", Value: int64(1)}, {Key: "n", Value: "?"}, {Key: "due_at", Value: time.Unix(0, 0)}}
	if _, err := db.Collection("counters").InsertOne(t.Context(), broken); err != nil {
		t.Fatal(err)
	}
	due(t, r, 2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- r.RunWork(ctx, counting()) }()
	await(t, "the others are done", func() bool {
		list, err := r.Find(t.Context(), bson.D{{Key: "n", Value: 1}}, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		return len(list) == 2
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestThenFollowsWhatWasStored: what acts on a decision gets the aggregate as it was stored, once for each decision however many instances
// look, and its errors stop neither the others nor the next time.
func TestThenFollowsWhatWasStored(t *testing.T) {
	const docs, instances, rounds = 20, 3, 2
	r, _ := start(t, embedded.Start(t))
	if err := r.IndexWork(t.Context()); err != nil {
		t.Fatal(err)
	}
	due(t, r, docs)
	var mu sync.Mutex
	acted := map[string]int{} // "c-000 after 1" -> how often
	work := counting()
	work.Do = func(m event.Meta, c *counter) error {
		c.Due(m.At.Add(time.Millisecond))
		if c.N == rounds-1 {
			c.Due(time.Time{})
		}
		return c.add(m)
	}
	work.Then = func(ctx context.Context, c *counter) error {
		stored, err := r.Get(ctx, c.ID)
		if err != nil || stored.Version < c.Version || stored.N < c.N {
			t.Errorf("acts on %+v, stored is %+v, %v", c, stored, err)
		}
		mu.Lock()
		defer mu.Unlock()
		acted[fmt.Sprint(c.ID, " after ", c.N)]++
		return errors.New("it never works")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var workers sync.WaitGroup
	for range instances {
		workers.Go(func() {
			if err := r.RunWork(ctx, work); err != nil {
				t.Error(err)
			}
		})
	}
	await(t, "all is done", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(acted) == docs*rounds
	})
	cancel()
	workers.Wait()
	for what, n := range acted {
		if n != 1 {
			t.Errorf("%s: acted %d times", what, n)
		}
	}
}
