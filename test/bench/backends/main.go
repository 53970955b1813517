// Command backends measures the embedded MongoDB and Kafka: the unmodified drivers over loopback against `kreislauf mongod` and
// `kreislauf kafkad` as child processes with fresh data folders.
//
// The writes are set beside a raw bbolt loop in this process: the same documents and an index key for each, put by one goroutine that commits
// all waiting writers together, without network and protocol. BENCH_MONGODB_URI and BENCH_KAFKA_BROKERS name real servers, which are then
// measured the same way in the same run. A ratio is this server's figure over the other's; for rates it is turned, so that more is always worse.
//
// It prints a row for each figure, with its target where there is one. It measures what the machine gives at that moment: other load counts.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"kreislauf/test/child"
)

// settings of a run.
type settings struct {
	bin   string
	docs  int // in the collection that is read
	many  int // in the collection that is opened again
	reads int
	lone  int // writes by one writer
	eight int // writes by eight writers
	kafka int // records
}

func main() {
	var s settings
	flag.StringVar(&s.bin, "bin", "bin/kreislauf", "the kreislauf binary")
	flag.IntVar(&s.docs, "docs", 100_000, "documents of 1 KB for reads and memory")
	flag.IntVar(&s.many, "many", 1_000_000, "documents of 1 KB for the start; 0 leaves it out")
	flag.IntVar(&s.reads, "reads", 5_000, "reads of each kind")
	flag.IntVar(&s.lone, "lone", 300, "writes by one writer")
	flag.IntVar(&s.eight, "eight", 4_000, "writes by eight writers")
	flag.IntVar(&s.kafka, "records", 200_000, "Kafka records of 1 KB; 0 leaves Kafka out")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench-backends:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	dir, err := os.MkdirTemp("", "kreislauf-bench-backends-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	began := time.Now()
	if err := benchMongo(ctx, s, dir); err != nil {
		return fmt.Errorf("MongoDB: %w", err)
	}
	if s.kafka > 0 {
		if err := benchKafka(ctx, s, dir); err != nil {
			return fmt.Errorf("measure Kafka: %w", err)
		}
	}
	fmt.Printf("bench-backends: %.0f s\n", time.Since(began).Seconds())
	return nil
}

// row prints a figure. what it is compared with may be empty, and so may its target.
func row(name, figure, compared, target string, met bool) {
	verdict := ""
	if target != "" {
		verdict = "target " + target + ": met"
		if !met {
			verdict = "target " + target + ": NOT MET"
		}
	}
	fmt.Printf("%-44s %-28s %-52s %s\n", name, figure, compared, verdict)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// quantile of durations; it sorts them.
func quantile(list []time.Duration, q float64) time.Duration {
	slices.Sort(list)
	return list[int(q*float64(len(list)-1))]
}

// launch starts a backend with its data in a folder of its own under dir.
func launch(ctx context.Context, bin, name, dir string) (*child.Process, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	p, err := child.Backend(bin, name, filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	return p, p.Start(ctx)
}
