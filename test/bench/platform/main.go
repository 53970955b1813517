package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	bin, web, base, json string
	dir                  string // parent of the data folders
	only                 []string
	compact, real        bool
	rounds               int
	rates                []float64
	duration             time.Duration
	poisson              bool
	seed                 uint64
	concurrency          []int
	closed               int // orders
	burst                int // orders
	burstConcurrency     int
	grow                 int // orders
	idle                 time.Duration
	stall                time.Duration
}

func parse(args []string) (options, error) {
	var o options
	var only, rates, concurrency string
	fs := flag.NewFlagSet("bench-platform", flag.ContinueOnError)
	fs.StringVar(&o.bin, "bin", "bin/kreislauf", "the build to measure")
	fs.StringVar(&o.web, "web", "web/dist", "the built web app, for both builds")
	fs.StringVar(&o.base, "base", "", "commit to compare with; it is built in a temporary git worktree")
	fs.StringVar(&o.json, "json", "", "file for the result of every round")
	fs.StringVar(&o.dir, "dir", os.TempDir(), "folder of the data folders; its file system is what is measured")
	fs.StringVar(&only, "only", "", "scenarios, separated by commas: idle, open, closed, burst, grow; default: all, grow only with -grow")
	fs.BoolVar(&o.compact, "compact", false, "run the platform with -compact")
	fs.BoolVar(&o.real, "real", false, "run the platform with -real: the real Kafka and OpenSearch")
	fs.IntVar(&o.rounds, "rounds", 0, "rounds, each with a fresh platform; the median is shown; default 1, with -base 2 of each build")
	fs.StringVar(&rates, "rates", "2,110", "open: visits a second, one measurement each")
	fs.DurationVar(&o.duration, "duration", 15*time.Second, "open: time of arrivals at each rate")
	fs.BoolVar(&o.poisson, "poisson", false, "open: visits arrive as a Poisson process, not evenly")
	fs.Uint64Var(&o.seed, "seed", 1, "open: seed of the arrivals")
	fs.StringVar(&concurrency, "concurrency", "4,16", "closed: customers at once, one measurement each; grow takes the first")
	fs.IntVar(&o.closed, "closed", 2000, "closed: orders")
	fs.IntVar(&o.burst, "burst", 4000, "burst: orders")
	fs.IntVar(&o.burstConcurrency, "burst-concurrency", 16, "burst: customers at once")
	fs.IntVar(&o.grow, "grow", 0, "grow: orders at the end; measured at 1000, 2000, 5000, 10000, …")
	fs.DurationVar(&o.idle, "idle", 5*time.Second, "idle: for how long")
	fs.DurationVar(&o.stall, "stall", 10*time.Millisecond, "a sync of 4 KiB that takes longer marks its second as one of a stalled disk")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	for _, s := range strings.Split(rates, ",") {
		r, err := strconv.ParseFloat(s, 64)
		if err != nil || !(r > 0) || r > 1e5 {
			return o, fmt.Errorf("-rates %q: numbers above 0 are needed, separated by commas", rates)
		}
		o.rates = append(o.rates, r)
	}
	for _, s := range strings.Split(concurrency, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return o, fmt.Errorf("-concurrency %q: numbers above 0 are needed, separated by commas", concurrency)
		}
		o.concurrency = append(o.concurrency, n)
	}
	o.only = []string{"idle", "open", "closed", "burst"}
	if o.grow > 0 {
		o.only = append(o.only, "grow")
	}
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	for _, s := range o.only {
		if _, ok := scenarios()[s]; !ok {
			return o, fmt.Errorf("-only %q: there is no scenario %q", only, s)
		}
	}
	if o.rounds == 0 {
		o.rounds = 1
		if o.base != "" {
			o.rounds = 2
		}
	}
	switch {
	case fs.NArg() > 0:
		return o, fmt.Errorf("there is no argument %q; see -h", fs.Arg(0))
	case o.rounds < 1, o.burstConcurrency < 1, o.closed < 1, o.burst < 1, o.duration <= 0, o.idle <= 0:
		return o, errors.New("rounds, concurrency, orders and durations must be above 0")
	case slices.Contains(o.only, "grow") && o.grow < 1000:
		return o, errors.New("scenario grow needs -grow, at least 1000")
	}
	return o, nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-platform: FAILED:", err)
		os.Exit(1)
	}
}

// run measures every build in every round and prints the table. What was measured before an error is printed too.
func run(ctx context.Context, o options) error {
	r := report{Began: time.Now(), Host: describeHost(), Args: os.Args[1:]}
	today, err := describeToday(ctx, o.bin)
	if err != nil {
		return err
	}
	r.Builds = []build{today}
	if o.base != "" {
		base, remove, err := buildBase(ctx, o.base)
		if err != nil {
			return err
		}
		defer remove()
		r.Builds = []build{base, today}
	}
	err = r.measure(ctx, o)
	if werr := r.WriteText(os.Stdout); werr != nil {
		return werr
	}
	if o.json != "" {
		b, jerr := json.MarshalIndent(r, "", "  ")
		if jerr != nil {
			return fmt.Errorf("encode result: %w", jerr)
		}
		if werr := os.WriteFile(o.json, append(b, '\n'), 0o644); werr != nil {
			return fmt.Errorf("write result: %w", werr)
		}
	}
	return err
}

// measure runs base, this, base, this, so that a machine that becomes slower does so for both.
func (r *report) measure(ctx context.Context, o options) error {
	for n := range o.rounds {
		for i := range r.Builds {
			b := &r.Builds[i]
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", n+1, o.rounds, b.Name)
			list, err := measureBuild(ctx, o, b.bin)
			b.Rounds = append(b.Rounds, list)
			if err != nil {
				return fmt.Errorf("measure %s: %w", b.Name, err)
			}
		}
	}
	return nil
}
