// Command observability measures the CPU that a request's log line, server span and two client spans add.
//
// Three variants answer the same request, an order of the usual size, in this process and without a network:
//
//	baseline            gorilla/mux and the JSON handler
//	with observability  the same handler behind internal/httpserver, lines and spans going to a real file
//	stock               the same handler behind the OpenTelemetry SDK as its manual shows it: batch processor (exporting to
//	                    nowhere, blocking rather than dropping), trace context propagator, and a log/slog JSON line to a file
//
// Rounds alternate between the variants. CPU is user + system time of the whole process (getrusage), so the garbage collector's
// threads count too. Each figure is the median over the rounds, in microseconds a request.
// It measures one request at a time: lock contention between parallel requests is not in the figures.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"syscall"
	"time"
)

// target is the most that observability may add, in microseconds a request.
const target = 10.0

// variant is one way to answer.
type variant struct {
	name    string
	handler http.Handler
	rounds  []float64 // microseconds of CPU a request
	allocs  float64   // heap objects a request
	bytes   float64   // heap bytes a request
}

func main() {
	rounds := flag.Int("rounds", 7, "rounds of each variant")
	requests := flag.Int("requests", 40_000, "requests a round")
	profile := flag.String("profile", "", "write a CPU profile of the variant with observability to this file")
	flag.Parse()
	if err := measure(*rounds, *requests, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "observability:", err)
		os.Exit(1)
	}
}

func measure(rounds, requests int, profile string) error {
	dir, err := os.MkdirTemp("", "kreislauf-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	with, closeWith, err := observed(dir)
	if err != nil {
		return err
	}
	defer closeWith()
	peer, closePeer, err := stock(dir)
	if err != nil {
		return err
	}
	defer closePeer()
	variants := []*variant{{name: "baseline", handler: baseline()}, {name: "with observability", handler: with}, {name: "stock", handler: peer}}
	if profile != "" {
		return profiled(variants[1], rounds*requests, profile)
	}
	for _, v := range variants {
		run(v, requests/10) // warm-up: pools, caches, branch predictors
	}
	for range rounds {
		for _, v := range variants {
			v.rounds = append(v.rounds, run(v, requests))
		}
	}
	report(variants, rounds, requests)
	return nil
}

// run answers n requests and gives the CPU of one in microseconds. Garbage of the variant before is collected first.
func run(v *variant, n int) float64 {
	c := newCaller()
	runtime.GC()
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	before := cpu()
	for range n {
		c.call(v.handler)
	}
	took := cpu() - before
	runtime.ReadMemStats(&m1)
	v.allocs, v.bytes = float64(m1.Mallocs-m0.Mallocs)/float64(n), float64(m1.TotalAlloc-m0.TotalAlloc)/float64(n)
	return float64(took.Nanoseconds()) / 1e3 / float64(n)
}

// cpu is the user and system time of the process so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // RUSAGE_SELF cannot fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func report(variants []*variant, rounds, requests int) {
	base, with, peer := median(variants[0].rounds), median(variants[1].rounds), median(variants[2].rounds)
	fmt.Printf("%d rounds of %d requests a variant, %s, %d CPUs; median, lowest and highest round\n", rounds, requests, runtime.Version(), runtime.NumCPU())
	for _, v := range variants {
		fmt.Printf("%-18s %6.1f us  (%.1f to %.1f)  %3.0f allocations of %5.0f bytes\n", v.name, median(v.rounds), slices.Min(v.rounds), slices.Max(v.rounds), v.allocs, v.bytes)
	}
	fmt.Printf("added %.1f us (target %.0f) ratio %.2f\n", with-base, target, with/base)
	fmt.Printf("stock added %.1f us ratio %.2f: OpenTelemetry SDK with a batch processor that exports to nowhere, and log/slog\n", peer-base, peer/base)
}

func median(list []float64) float64 {
	s := slices.Sorted(slices.Values(list))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

func profiled(v *variant, n int, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	took := run(v, n)
	pprof.StopCPUProfile()
	fmt.Printf("%s %.1f us, profile in %s\n", v.name, took, path)
	return nil
}
