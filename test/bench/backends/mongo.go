package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// rounds of writes alternate between the servers and the raw loop, because a disk is rarely the same for long.
const rounds = 5

// mongoServer is one server under test.
type mongoServer struct {
	client                *mongo.Client
	docs                  *mongo.Collection
	next                  atomic.Int64  // number of the last document
	byID, byIndex, update time.Duration // median
}

func benchMongo(ctx context.Context, s settings, dir string) error {
	process, err := launch(ctx, s.bin, "mongod", dir)
	if err != nil {
		return err
	}
	defer func() { _ = process.Stop(syscall.SIGKILL) }()
	own, err := measureReads(ctx, s, "mongodb://"+process.Addr)
	if err != nil {
		return err
	}
	resident, anon, err := process.Memory()
	if err != nil {
		return err
	}
	real := &mongoServer{}
	uri := os.Getenv("BENCH_MONGODB_URI")
	if uri != "" {
		if real, err = measureReads(ctx, s, uri); err != nil {
			return fmt.Errorf("the real one: %w", err)
		}
	}
	for _, l := range []struct {
		name       string
		own, other time.Duration
		target     float64
	}{
		{fmt.Sprintf("findOne by _id, %d documents", s.docs), own.byID, real.byID, 0.2},
		{"findOne by index", own.byIndex, real.byIndex, 0.2},
		{"updateOne by _id, journaled", own.update, real.update, 0},
	} {
		compared, goal := "", ""
		if l.other > 0 {
			compared = fmt.Sprintf("MongoDB %.3f ms, ratio %.2f", ms(l.other), float64(l.own)/float64(l.other))
		}
		if l.target > 0 {
			goal = fmt.Sprintf("%.1f ms", l.target)
		}
		row("mongod: "+l.name, fmt.Sprintf("p50 %.3f ms", ms(l.own)), compared, goal, ms(l.own) <= l.target)
	}
	row(fmt.Sprintf("mongod: memory, %d documents, serving", s.docs), fmt.Sprintf("%.0f MB", resident), fmt.Sprintf("%.0f MB without the mapped file", anon), "150 MB", resident <= 150)
	raw, err := openRaw(filepath.Join(dir, "raw"), s.docs)
	if err != nil {
		return err
	}
	rawNext := atomic.Int64{}
	rawNext.Store(int64(s.docs))
	rivals := []func() error{own.insert, func() error { return raw.insert(int(rawNext.Add(1))) }}
	if uri != "" {
		rivals = append(rivals, real.insert)
	}
	for _, w := range []struct {
		writers, times int
		target         float64
	}{{1, s.lone, 0}, {8, s.eight, 1.5}} {
		rates, err := alternate(w.writers, w.times, rivals)
		if err != nil {
			return err
		}
		ratio := ratioOf(rates[1], rates[0])
		compared := fmt.Sprintf("raw bbolt loop %.0f/s, ratio %.2f", middle(rates[1]), ratio)
		if uri != "" {
			compared += fmt.Sprintf("; MongoDB %.0f/s, ratio %.2f", middle(rates[2]), ratioOf(rates[2], rates[0]))
		}
		goal := ""
		if w.target > 0 {
			goal = fmt.Sprintf("%.1f of raw", w.target)
		}
		row(fmt.Sprintf("mongod: insertOne, writers: %d, journaled", w.writers), fmt.Sprintf("%.0f/s", middle(rates[0])), compared, goal, ratio <= w.target)
	}
	if err := errors.Join(raw.close(), own.client.Disconnect(ctx), process.Stop(syscall.SIGTERM)); err != nil {
		return err
	}
	if uri != "" {
		if err := real.client.Disconnect(ctx); err != nil {
			return err
		}
	}
	if s.many > 0 {
		return benchStart(ctx, s, dir)
	}
	return nil
}

// alternate lets each rival write in turn and returns the rates of its rounds.
func alternate(writers, times int, rivals []func() error) ([][]float64, error) {
	rates := make([][]float64, len(rivals))
	for range rounds {
		for i, insert := range rivals {
			r, err := rateOf(writers, times/rounds, insert)
			if err != nil {
				return nil, err
			}
			rates[i] = append(rates[i], r)
		}
	}
	return rates, nil
}

// ratioOf is the median over the rounds of how many times faster the first is.
func ratioOf(fast, slow []float64) float64 {
	var list []float64
	for i := range fast {
		list = append(list, fast[i]/slow[i])
	}
	return middle(list)
}

func middle(list []float64) float64 {
	return slices.Sorted(slices.Values(list))[len(list)/2]
}

// open connects with a journaled write concern and an empty database.
func open(ctx context.Context, uri string) (*mongo.Client, *mongo.Collection, error) {
	journal := true
	client, err := mongo.Connect(options.Client().ApplyURI(uri).SetWriteConcern(&writeconcern.WriteConcern{W: 1, Journal: &journal}))
	if err != nil {
		return nil, nil, err
	}
	db := client.Database("kreislauf_bench")
	return client, db.Collection("documents"), db.Drop(ctx)
}

func document(i int) bson.D {
	return bson.D{{Key: "_id", Value: fmt.Sprintf("id-%09d", i)}, {Key: "n", Value: i}, {Key: "text", Value: text}}
}

var text = strings.Repeat("kreislauf ", 96) // makes a document of 1 KB

func (m *mongoServer) insert() error {
	_, err := m.docs.InsertOne(context.Background(), document(int(m.next.Add(1))))
	return err
}

// measureReads fills a server and measures what one client waits for.
func measureReads(ctx context.Context, s settings, uri string) (*mongoServer, error) {
	client, c, err := open(ctx, uri)
	if err != nil {
		return nil, err
	}
	m := &mongoServer{client: client, docs: c}
	m.next.Store(int64(s.docs))
	if _, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "n", Value: 1}}}); err != nil {
		return nil, err
	}
	if err := fill(ctx, c, s.docs); err != nil {
		return nil, err
	}
	byID := func(i int) error { return c.FindOne(ctx, bson.D{{Key: "_id", Value: fmt.Sprintf("id-%09d", i)}}).Err() }
	byIndex := func(i int) error { return c.FindOne(ctx, bson.D{{Key: "n", Value: i}}).Err() }
	update := func(i int) error {
		_, err := c.UpdateOne(ctx, bson.D{{Key: "_id", Value: fmt.Sprintf("id-%09d", i)}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "version", Value: 1}}}})
		return err
	}
	for _, r := range []struct {
		times int
		do    func(int) error
		p50   *time.Duration
	}{{s.reads, byID, &m.byID}, {s.reads, byIndex, &m.byIndex}, {s.lone, update, &m.update}} {
		if *r.p50, err = median(r.times, s.docs, r.do); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// fill inserts n documents in batches.
func fill(ctx context.Context, c *mongo.Collection, n int) error {
	const batch = 2_000
	for i := 0; i < n; i += batch {
		docs := make([]bson.D, 0, batch)
		for j := i; j < min(i+batch, n); j++ {
			docs = append(docs, document(j))
		}
		if _, err := c.InsertMany(ctx, docs); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	return nil
}

// median is the time that do takes for random documents.
func median(times, docs int, do func(int) error) (time.Duration, error) {
	list := make([]time.Duration, times)
	for i := range list {
		began := time.Now()
		if err := do(rand.IntN(docs)); err != nil {
			return 0, err
		}
		list[i] = time.Since(began)
	}
	return quantile(list, 0.5), nil
}

// rateOf is how often a second n goroutines together do it.
func rateOf(n, times int, do func() error) (float64, error) {
	var wg sync.WaitGroup
	errs := make([]error, n)
	left := atomic.Int64{}
	left.Store(int64(times))
	began := time.Now()
	for w := range n {
		wg.Go(func() {
			for left.Add(-1) >= 0 && errs[w] == nil {
				errs[w] = do()
			}
		})
	}
	wg.Wait()
	return float64(times) / time.Since(began).Seconds(), errors.Join(errs...)
}

// benchStart fills a server with many documents, ends it and starts it again: after a proper stop and after kill -9.
func benchStart(ctx context.Context, s settings, dir string) error {
	server, err := launch(ctx, s.bin, "mongod", filepath.Join(dir, "many"))
	if err != nil {
		return err
	}
	client, c, err := open(ctx, "mongodb://"+server.Addr)
	if err == nil {
		_, err = c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "n", Value: 1}}})
	}
	if err == nil {
		err = fill(ctx, c, s.many)
	}
	if err == nil {
		err = client.Disconnect(ctx)
	}
	if err != nil {
		return errors.Join(err, server.Stop(syscall.SIGKILL))
	}
	for _, end := range []struct {
		sig  syscall.Signal
		name string
	}{{syscall.SIGTERM, "a stop"}, {syscall.SIGKILL, "kill -9"}} {
		if err := server.Stop(end.sig); err != nil {
			return err
		}
		began := time.Now()
		if err := server.Start(ctx); err != nil {
			return err
		}
		if err := readOne(ctx, "mongodb://"+server.Addr, s.many-1); err != nil {
			return errors.Join(err, server.Stop(syscall.SIGKILL))
		}
		took := time.Since(began)
		row(fmt.Sprintf("mongod: start with %d documents after %s", s.many, end.name), fmt.Sprintf("%.2f s", took.Seconds()), "to the first document read", "3 s", took <= 3*time.Second)
	}
	return server.Stop(syscall.SIGKILL)
}

func readOne(ctx context.Context, uri string, i int) (err error) {
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Disconnect(ctx)) }()
	return client.Database("kreislauf_bench").Collection("documents").FindOne(ctx, bson.D{{Key: "n", Value: i}}).Err()
}
