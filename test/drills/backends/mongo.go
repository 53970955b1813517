package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/backend/mongod"
	"kreislauf/test/child"
)

const writers = 8

// record is a document of the drills. Each update adds 1 to N, 2 to Twice and one element to Steps, so a torn one shows.
type record struct {
	ID    string `bson:"_id"`
	Key   string `bson:"key"` // "k" and the id, indexed and unique
	N     int    `bson:"n"`
	Twice int    `bson:"twice"`
	Steps []int  `bson:"steps"` // indexed by element
	Pad   string `bson:"pad"`
}

var pad = strings.Repeat("kreislauf ", 40)

func (r record) torn() bool {
	return r.Key != "k"+r.ID || r.Twice != 2*r.N || len(r.Steps) != r.N || r.Pad != pad
}

// mongoProcess is a server process and a client of it.
type mongoProcess struct {
	*child.Process
	dir    string
	found  int64 // documents that the last check read
	client *mongo.Client
	docs   *mongo.Collection
}

func startMongod(ctx context.Context, e *env) (*mongoProcess, error) {
	p, err := child.Backend(e.bin, "mongod", e.path("mongod"))
	if err != nil {
		return nil, err
	}
	if err := p.Start(ctx); err != nil {
		return nil, err
	}
	m := &mongoProcess{Process: p, dir: e.path("mongod")}
	m.client, err = mongo.Connect(options.Client().ApplyURI("mongodb://" + p.Addr).SetServerSelectionTimeout(10 * time.Second).SetMaxPoolSize(128))
	if err != nil {
		return nil, err
	}
	m.docs = m.client.Database("drill").Collection("records")
	return m, nil
}

func (m *mongoProcess) close() { _ = m.client.Disconnect(context.Background()) }

// index makes the indexes that a check compares with a rebuild.
func (m *mongoProcess) index(ctx context.Context) error {
	_, err := m.docs.Indexes().CreateMany(ctx, []mongo.IndexModel{
		{Keys: bson.D{{Key: "key", Value: 1}}, Options: options.Index().SetUnique(true)},
		{Keys: bson.D{{Key: "steps", Value: 1}, {Key: "n", Value: -1}}},
	})
	return err
}

// write inserts a document and updates it once.
func (m *mongoProcess) write(ctx context.Context, id string) error {
	if _, err := m.docs.InsertOne(ctx, record{ID: id, Key: "k" + id, Steps: []int{}, Pad: pad}); err != nil {
		return err
	}
	_, err := m.docs.UpdateOne(ctx, bson.D{{Key: "_id", Value: id}}, bson.D{
		{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}, {Key: "twice", Value: 2}}}, {Key: "$push", Value: bson.D{{Key: "steps", Value: 1}}},
	})
	return err
}

// check reads everything: no acknowledged document is missing or older than acknowledged, none is torn.
func (m *mongoProcess) check(ctx context.Context, acked map[string]bool) error {
	cursor, err := m.docs.Find(ctx, bson.D{})
	if err != nil {
		return err
	}
	var all []record
	if err := cursor.All(ctx, &all); err != nil {
		return err
	}
	m.found = int64(len(all))
	lost, torn := len(acked), 0
	for _, r := range all {
		if acked[r.ID] && r.N == 1 {
			lost--
		}
		if r.torn() {
			torn++
		}
	}
	if lost != 0 || torn != 0 {
		return fmt.Errorf("%d of %d acknowledged writes lost, %d documents torn", lost, len(acked), torn)
	}
	return nil
}

// checkFile looks at a copy of the file of the process, which has ended: every page is in order, every index equals a rebuild. It returns
// the number of documents. The copy is looked at because looking mends the file's list of free pages, and the next start shall find the
// file as the process left it.
func (m *mongoProcess) checkFile() (int64, error) {
	dir, err := os.MkdirTemp("", "kreislauf-drill-copy-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	const file = "kreislauf.bolt"
	data, err := os.ReadFile(filepath.Join(m.dir, file))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, file), data, 0o600)
	}
	if err != nil {
		return 0, err
	}
	r, err := mongod.Check(dir)
	if err == nil && len(r.Faults) > 0 {
		err = fmt.Errorf("the file has faults: %s", strings.Join(r.Faults, "; "))
	}
	if err != nil {
		return 0, err
	}
	return r.Documents["drill.records"], nil
}

// restart checks the file of the process, which has ended, starts it again and checks what it serves.
func (m *mongoProcess) restart(ctx context.Context, acked map[string]bool) error {
	n, err := m.checkFile()
	if err != nil {
		return err
	}
	if err := m.Start(ctx); err != nil {
		return err
	}
	if err := m.check(ctx, acked); err != nil {
		return err
	}
	if n != m.found {
		return fmt.Errorf("%d documents in the file, %d served", n, m.found)
	}
	return nil
}

func killMongod(ctx context.Context, e *env) (string, error) {
	m, err := startMongod(ctx, e)
	if err != nil {
		return "", err
	}
	defer m.close()
	if err := m.index(ctx); err != nil {
		return "", err
	}
	acked := map[string]bool{}
	for round := range e.rounds {
		ids, err := untilKilled(m.Process, 150, func(w, i int) (string, error) {
			id := fmt.Sprintf("%d-%d-%d", round, w, i)
			return id, m.write(ctx, id)
		})
		if err != nil {
			return "", fmt.Errorf("round %d: %w", round, err)
		}
		for _, id := range ids {
			acked[id] = true
		}
		if err := m.restart(ctx, acked); err != nil {
			return "", fmt.Errorf("round %d: %w", round, err)
		}
	}
	return fmt.Sprintf("%d rounds, %d inserts and as many updates acknowledged, 0 lost, 0 torn, indexes equal a rebuild", e.rounds, len(acked)), m.Stop(syscall.SIGKILL)
}

// untilKilled lets writers write until at least enough writes are acknowledged, kills the process and returns what was acknowledged.
func untilKilled(p *child.Process, enough int64, write func(w, i int) (string, error)) ([]string, error) {
	var wg sync.WaitGroup
	var count atomic.Int64
	lists := make([][]string, writers)
	early := make(chan error, writers) // a writer that failed before the kill
	for w := range writers {
		wg.Go(func() {
			for i := 0; ; i++ {
				id, err := write(w, i)
				if err != nil {
					early <- err
					return
				}
				lists[w] = append(lists[w], id)
				count.Add(1)
			}
		})
	}
	var failed error
	for deadline := time.Now().Add(30 * time.Second); count.Load() < enough && failed == nil; time.Sleep(time.Millisecond) {
		select {
		case failed = <-early:
		default:
			if time.Now().After(deadline) {
				failed = fmt.Errorf("only %d of %d writes in 30 s", count.Load(), enough)
			}
		}
	}
	err := p.Stop(syscall.SIGKILL)
	wg.Wait()
	var ids []string
	for _, l := range lists {
		ids = append(ids, l...)
	}
	return ids, errors.Join(failed, err)
}
