// Command backends lets the embedded MongoDB, Kafka and Redis go through what loses or mixes up data: kill -9 under writers, a full disk,
// bytes that are no message, writers that race for the same document.
//
// Each drill runs the backend as a child process of the kreislauf binary (Redis: redis-server with kreislauf's configuration) with a fresh
// data folder and talks to it with the unmodified driver. "Lost" is a write that was acknowledged and is not there; "torn" a document that
// no single write made.
//
//	go run ./test/drills/backends                     all drills
//	go run ./test/drills/backends kill-mongod claims  some; -list names them
//
// It ends with "drills-backends: N passed, M failed" and exits with 1 when one failed. What this machine does not permit is left out, and
// counted as that. SIGKILL ends a process, not the machine: what is in
// the kernel's page cache survives it, so these drills say nothing about a power cut.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// leftOut is the error of a drill that cannot run here: the reason.
type leftOut string

// Error implements error.
func (l leftOut) Error() string { return "left out: " + string(l) }

// drill is one way to make trouble. run returns what was measured, in one sentence.
type drill struct {
	name, what string
	run        func(context.Context, *env) (string, error)
}

// env is what a drill works with: a folder of its own.
type env struct {
	bin    string
	dir    string
	rounds int // of kill -9
}

func drills() []drill {
	return []drill{
		{"kill-mongod", "kill -9 of mongod under 8 writers", killMongod},
		{"kill-kafkad", "kill -9 of kafkad under 8 producers", killKafkad},
		{"kill-redis", "kill -9 of redis-server under 8 writers", killRedis},
		{"disk-full", "the disk of mongod full, then not", diskFull},
		{"disk-full-kafkad", "the same for kafkad", diskFullKafkad},
		{"disk-full-redis", "the same for redis-server", diskFullRedis},
		{"size-limit", "the file size limit of mongod reached, then raised", sizeLimit},
		{"size-limit-kafkad", "the file size limit of kafkad reached, then raised", sizeLimitKafkad},
		{"bad-bytes", "garbage, half a message, a message above the limit", badBytes},
		{"bad-bytes-kafkad", "the same for kafkad", badBytesKafkad},
		{"increments", "50 clients increment one number", increments},
		{"claims", "50 workers claim 500 jobs", claims},
		{"versions", "50 writers compare and set one version", versions},
	}
}

func main() {
	bin := flag.String("bin", "bin/kreislauf", "the kreislauf binary")
	rounds := flag.Int("rounds", 20, "rounds of kill -9")
	list := flag.Bool("list", false, "list the drills")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	chosen := drills()
	if flag.NArg() > 0 {
		chosen = slices.DeleteFunc(chosen, func(d drill) bool { return !slices.Contains(flag.Args(), d.name) })
		if len(chosen) != flag.NArg() {
			fmt.Fprintln(os.Stderr, "drills-backends: unknown drill; -list names them")
			os.Exit(2)
		}
	}
	if *list {
		for _, d := range chosen {
			fmt.Printf("%-18s %s\n", d.name, d.what)
		}
		return
	}
	var count [3]int
	for _, d := range chosen {
		count[perform(ctx, d, *bin, *rounds)]++
	}
	fmt.Printf("drills-backends: %d passed, %d failed", count[passed], count[failed])
	if count[omitted] > 0 {
		fmt.Printf(", %d left out", count[omitted])
	}
	fmt.Println()
	if count[failed] > 0 {
		os.Exit(1)
	}
}

// The outcomes of a drill.
const (
	passed = iota
	failed
	omitted
)

// perform runs one drill. The folder of a failed one stays, to be looked at.
func perform(ctx context.Context, d drill, bin string, rounds int) int {
	dir, err := os.MkdirTemp("", "kreislauf-drill-")
	if err != nil {
		fmt.Printf("FAIL %-18s %v\n", d.name, err)
		return failed
	}
	began := time.Now()
	// Processes that a drill has not stopped end with ctx.
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	result, err := d.run(ctx, &env{bin: bin, dir: dir, rounds: rounds})
	took := time.Since(began).Seconds()
	outcome := passed
	var reason leftOut
	switch {
	case errors.As(err, &reason):
		fmt.Printf("-    %-18s %v\n", d.name, reason)
		outcome = omitted
	case err != nil:
		fmt.Printf("FAIL %-18s %v (%.0f s, data in %s)\n", d.name, err, took, dir)
		return failed
	default:
		fmt.Printf("ok   %-18s %s (%.0f s)\n", d.name, result, took)
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return outcome
}

func (e *env) path(name string) string { return filepath.Join(e.dir, name) }
