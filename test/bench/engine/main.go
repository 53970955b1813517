// Command engine measures the embedded Elasticsearch as a process of its own, over HTTP: ingestion, disk, memory, start and queries.
//
// The documents are nginx documents as logship makes them, about 750 bytes, from the access log that ACCESS_LOG names (combined format),
// else from lines made of a seed; trace ids, durations and times are made. With BENCH_OPENSEARCH_URL the same work runs on that server
// in the same run, and each row ends with the ratio of the engine to it. Servers are measured one after the other.
//
//	CPU is user + system time of the server's process; wall times are those of the client. Every bulk is synced to disk by the engine;
//	the other server syncs as it is set (request, its default). Queries: the first run, and the median of -runs after a warm-up.
package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

type config struct {
	docs, batch, connections, runs int
	seed                           uint64
	bin, data, log, peer           string
}

func main() {
	var c config
	flag.IntVar(&c.docs, "docs", 1_000_000, "documents")
	flag.IntVar(&c.batch, "batch", 1000, "documents of a bulk request")
	flag.IntVar(&c.connections, "connections", 2, "connections that write at the same time")
	flag.IntVar(&c.runs, "runs", 21, "runs of each query after the warm-up")
	flag.Uint64Var(&c.seed, "seed", 1, "seed of what is made")
	flag.StringVar(&c.bin, "bin", "", "the kreislauf binary; built if empty")
	flag.StringVar(&c.data, "data", "", "data folder of the engine, kept and used again; a temporary one if empty")
	printDocs := flag.Bool("print", false, "print the documents, one a line, instead")
	flag.Parse()
	c.log, c.peer = os.Getenv("ACCESS_LOG"), os.Getenv("BENCH_OPENSEARCH_URL")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	work := run
	if *printDocs {
		work = printDocuments
	}
	if err := work(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, "bench-engine:", err)
		os.Exit(1)
	}
}

func newGenerator(c config) (*generator, string, error) {
	if c.log == "" {
		return &generator{lines: madeLog(c.seed), total: c.docs, seed: c.seed}, fmt.Sprintf("lines made of seed %d", c.seed), nil
	}
	lines, skipped, err := readLog(c.log)
	return &generator{lines: lines, total: c.docs, seed: c.seed}, fmt.Sprintf("%d lines of %s, %d left out", len(lines), filepath.Base(c.log), skipped), err
}

// printDocuments is for other programs that measure with the same documents.
func printDocuments(ctx context.Context, c config) error {
	g, _, err := newGenerator(c)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	var b []byte
	for n := 0; n < c.docs && ctx.Err() == nil; n++ {
		b = g.append(b[:0], n)
		_, doc, _ := bytes.Cut(b, []byte{'\n'})
		if _, err := out.Write(doc); err != nil {
			return fmt.Errorf("print documents: %w", err)
		}
	}
	return out.Flush()
}

func run(ctx context.Context, c config) error {
	g, origin, err := newGenerator(c)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "kreislauf-bench-")
	if err != nil {
		return fmt.Errorf("create folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	if c.bin == "" {
		c.bin = filepath.Join(tmp, "kreislauf")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", c.bin, "./cmd/kreislauf").CombinedOutput(); err != nil {
			return fmt.Errorf("build: %w\n%s", err, out)
		}
	}
	if c.data == "" {
		c.data = filepath.Join(tmp, "data")
	}
	sample := g.bulk(nil, 0, 1000)
	actions := 1000 * len(`{"create":{"_id":"0123456789abcdef012345"}}`+"\n")
	fmt.Printf("%d documents of %d bytes, %s; bulks of %d on %d connections\n", c.docs, (len(sample)-actions)/1000, origin, c.batch, c.connections)
	ours, err := startEngine(c.bin, c.data)
	if err != nil {
		return err
	}
	defer func() { _ = ours.stop() }() // an error of the run is the one to report
	mine, err := ours.figures(ctx, g, c)
	if err != nil {
		return err
	}
	var other *figures
	if c.peer != "" {
		s := newServer("OpenSearch", c.peer)
		if err := s.findProcess(); err != nil {
			return err
		}
		if other, err = s.figures(ctx, g, c); err != nil {
			return err
		}
	}
	return report(mine, other, works(g))
}

// figures are everything measured on one server.
type figures struct {
	cpu, rate              float64 // microseconds a document, documents a second
	disk                   float64 // bytes a document
	loaded, querying, peak int64   // bytes of memory
	restart, visible, busy time.Duration
	queries                []timing
	totals                 []int
}

func (s *server) figures(ctx context.Context, g *generator, c config) (*figures, error) {
	f := &figures{}
	if _, err := s.call("GET", "/"+index, nil); err != nil || s.dir == "" {
		if err := s.ingest(f, g, c); err != nil {
			return nil, err
		}
	}
	size, err := s.disk()
	if err != nil {
		return nil, err
	}
	f.disk = float64(size) / float64(c.docs)
	if s.cmd != nil {
		if f.restart, err = s.restart(ctx, works(g)[0].body(0)); err != nil {
			return nil, err
		}
	}
	for _, w := range works(g) {
		t, total, err := s.measure(w, c.runs)
		if err != nil {
			return nil, err
		}
		f.queries, f.totals = append(f.queries, t), append(f.totals, total)
	}
	f.querying, f.peak, err = s.rss()
	return f, err
}

// ingest loads the documents, with a query beside, and measures.
func (s *server) ingest(f *figures, g *generator, c config) error {
	settings := ""
	if s.dir == "" {
		_, _ = s.call("DELETE", "/"+index, nil) // from a run before, or missing
		settings = `,"index.codec":"best_compression"`
	}
	if _, err := s.call("PUT", "/"+index, fmt.Appendf(nil, mapping, settings)); err != nil {
		return err
	}
	var done atomic.Bool
	var busy []time.Duration
	watched := make(chan error, 1)
	go func() { watched <- s.watch(&done, works(g)[0].body(0), &busy) }()
	before, err := s.cpu()
	if err != nil {
		return err
	}
	started := time.Now()
	err = s.load(g, c.connections, c.batch)
	f.rate = float64(c.docs) / time.Since(started).Seconds()
	done.Store(true)
	if werr := <-watched; err == nil {
		err = werr
	}
	if err != nil {
		return err
	}
	after, err := s.cpu()
	if err != nil {
		return err
	}
	f.cpu = float64((after - before).Microseconds()) / float64(c.docs)
	if len(busy) > 0 {
		f.busy = slices.Max(busy)
	}
	if f.visible, err = s.visibleAfter(c.docs, time.Now()); err != nil {
		return err
	}
	f.loaded, _, err = s.rss()
	return err
}

// watch searches once a second until done.
func (s *server) watch(done *atomic.Bool, body []byte, took *[]time.Duration) error {
	for i := 0; !done.Load(); i++ {
		if time.Sleep(50 * time.Millisecond); i%20 != 0 {
			continue
		}
		started := time.Now()
		if _, err := s.call("POST", "/"+index+"/_search?request_cache=false", body); err != nil {
			return err
		}
		*took = append(*took, time.Since(started))
	}
	return nil
}

// visibleAfter waits until all documents are counted, without asking for a refresh.
func (s *server) visibleAfter(docs int, since time.Time) (time.Duration, error) {
	for {
		raw, err := s.call("GET", "/"+index+"/_count", nil)
		if err != nil {
			return 0, err
		}
		n, err := found(raw)
		if err != nil {
			return 0, err
		}
		if n >= docs {
			return time.Since(since), nil
		}
		if time.Since(since) > 30*time.Second {
			return 0, fmt.Errorf("%s counts %d of %d documents", s.name, n, docs)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
