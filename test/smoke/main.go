// Command smoke proves the whole platform in one run: everything up in a temporary folder on free ports, one customer signs up, gets
// a quote and orders; the nginx line and the lines of at least four services are found under one trace id, with a location on the
// nginx line; one order instance is killed in the middle and the session goes on. With -then a command runs against the platform
// before it stops (KREISLAUF_URL names the entry, KREISLAUF_BIN and KREISLAUF_DATA are for commands such as invite).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/local"
	"kreislauf/test/platform"
)

type options struct {
	bin, web, then string
	compact, keep  bool
	real           bool
	killEach       bool
	idle           time.Duration
	limit          time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin/kreislauf", "the binary")
	flag.StringVar(&o.web, "web", "web/dist", "the built web app")
	flag.StringVar(&o.then, "then", "", "shell command to run against the platform after the order")
	flag.BoolVar(&o.compact, "compact", false, "run the platform with -compact")
	flag.BoolVar(&o.real, "real", false, "run the platform with -real: the real Kafka and OpenSearch")
	flag.BoolVar(&o.keep, "keep", false, "keep the data folder")
	flag.BoolVar(&o.killEach, "kill-each", false, "also kill every process in turn and order again")
	flag.DurationVar(&o.idle, "idle", 0, "let the platform idle this long before memory is measured")
	flag.DurationVar(&o.limit, "limit", 5*time.Minute, "give up after")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "smoke: FAILED:", err)
		os.Exit(1)
	}
}

func run(o options) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), o.limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "kreislauf-smoke-")
	if err != nil {
		return err
	}
	started, err := platform.Start(ctx, platform.Options{Bin: o.bin, Web: o.web, Dir: dir, Compact: o.compact, Real: o.real, Out: os.Stdout})
	if err != nil {
		return err
	}
	p := &running{Platform: started}
	defer func() {
		if serr := p.Stop(); serr != nil {
			err = errors.Join(err, serr)
		}
		if o.keep || err != nil {
			fmt.Println("smoke: data and logs are kept in", dir)
		} else {
			err = os.RemoveAll(dir)
		}
	}()
	if p.info, err = p.AwaitUp(ctx); err != nil {
		return err
	}
	up := time.Since(p.Began)
	c := newCustomer(p.info.Entry)
	orderID, traceID, err := c.firstOrder(ctx)
	if err != nil {
		return err
	}
	first := time.Since(p.Began)
	lines, err := p.awaitTrace(ctx, traceID)
	if err != nil {
		return err
	}
	if err := c.awaitState(ctx, orderID, "matched"); err != nil {
		return err
	}
	if err := p.commandsAnswer(ctx, orderID); err != nil {
		return err
	}
	time.Sleep(o.idle)
	usage, err := p.Usage()
	if err != nil {
		return err
	}
	rss := usage.Sum().Resident >> 20
	if !o.compact {
		if err := p.killOne(ctx, c); err != nil {
			return err
		}
	}
	if o.killEach {
		if err := p.killEach(ctx, c); err != nil {
			return err
		}
	}
	if o.then != "" {
		if err := p.thenRun(ctx, o.then); err != nil {
			return err
		}
	}
	if err := p.versionsEverywhere(ctx); err != nil {
		return err
	}
	if err := p.nothingRejected(); err != nil {
		return err
	}
	fmt.Printf("smoke: %s profile, up after %.1f s, first order after %.1f s, trace lines %d, rss %d MB, ok\n", p.info.Profile, up.Seconds(), first.Seconds(), lines, rss)
	return nil
}

// commandsAnswer asks the commands of an operator about the order: its story as a tree, and the funnel that it went through.
func (p *running) commandsAnswer(ctx context.Context, orderID string) error {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"trace", "-data", p.Dir, orderID}, []string{"nginx POST /api/order/v1/orders 201", "publish order.placed", "consume matching.accepted"}},
		{[]string{"funnel", "run", "orders", "-data", p.Dir}, []string{"order attempt            1", "order placed             1", "partner accepted         1"}},
	} {
		if err := p.awaitOutput(ctx, c.args, c.want); err != nil {
			return err
		}
	}
	return nil
}

// awaitOutput runs a command until its output has all that is wanted: a document is found only when its index was refreshed, and
// the indices of one order are not refreshed at the same time.
func (p *running) awaitOutput(ctx context.Context, args, want []string) error {
	for {
		out, err := exec.CommandContext(ctx, p.Bin, args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("kreislauf %s: %w: %s", args[0], err, out)
		}
		missing := slices.IndexFunc(want, func(text string) bool { return !strings.Contains(string(out), text) })
		if missing < 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("kreislauf %s does not show %q: %s", args[0], want[missing], out)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// running is the platform under test and what run.json says of it.
type running struct {
	*platform.Platform
	info local.Running
}

func (p *running) readInfo() (err error) {
	p.info, err = p.Info()
	return err
}

func (p *running) thenRun(ctx context.Context, command string) error {
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	bin, err := filepath.Abs(p.Bin)
	if err != nil {
		return err
	}
	cmd.Env = append(os.Environ(), "KREISLAUF_URL="+p.info.Entry, "KREISLAUF_BIN="+bin, "KREISLAUF_DATA="+p.Dir, "KREISLAUF_ELASTICSEARCH_URL="+p.info.Elastic)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}

// nothingRejected demands that Elasticsearch refused no line of the run.
func (p *running) nothingRejected() error {
	files, err := filepath.Glob(filepath.Join(p.Dir, "logship", "*", "dead-letter*.ndjson"))
	if err != nil {
		return err
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if first, _, _ := strings.Cut(string(b), "\n"); first != "" {
			return fmt.Errorf("lines were rejected, the first: %s", first)
		}
	}
	return nil
}
