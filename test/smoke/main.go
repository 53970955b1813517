// Command smoke proves the whole platform in one run: everything up in a temporary folder on free ports, one customer signs up, gets
// a quote and orders; the nginx line and the lines of at least four services are found under one trace id, with a location on the
// nginx line; one order instance is killed in the middle and the session goes on. With -then a command runs against the platform
// before it stops (KREISLAUF_URL names the entry).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
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
	p, err := start(ctx, o, dir)
	if err != nil {
		return err
	}
	defer func() {
		if serr := p.stop(); serr != nil {
			err = errors.Join(err, serr)
		}
		if o.keep || err != nil {
			fmt.Println("smoke: data and logs are kept in", dir)
		} else {
			err = os.RemoveAll(dir)
		}
	}()
	if err := p.awaitUp(ctx); err != nil {
		return err
	}
	up := time.Since(p.began)
	c := newCustomer(p.info.Entry)
	orderID, traceID, err := c.firstOrder(ctx)
	if err != nil {
		return err
	}
	first := time.Since(p.began)
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
	rss, err := p.rss()
	if err != nil {
		return err
	}
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
	if err := p.nothingRejected(); err != nil {
		return err
	}
	fmt.Printf("smoke: %s profile, up after %.1f s, first order after %.1f s, trace lines %d, rss %d MB, ok\n", p.info.Profile, up.Seconds(), first.Seconds(), lines, rss)
	return nil
}

// commandsAnswer asks the commands of an operator about the order: its story as a tree, and the funnel that it went through.
func (p *platform) commandsAnswer(ctx context.Context, orderID string) error {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"trace", "-data", p.dir, orderID}, []string{"nginx POST /api/order/v1/orders 201", "publish order.placed", "consume matching.accepted"}},
		{[]string{"funnel", "run", "orders", "-data", p.dir}, []string{"order attempt            1", "order placed             1", "partner accepted         1"}},
	} {
		if err := p.awaitOutput(ctx, c.args, c.want); err != nil {
			return err
		}
	}
	return nil
}

// awaitOutput runs a command until its output has all that is wanted: a document is found only when its index was refreshed, and
// the indices of one order are not refreshed at the same time.
func (p *platform) awaitOutput(ctx context.Context, args, want []string) error {
	for {
		out, err := exec.CommandContext(ctx, p.bin, args...).CombinedOutput()
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

// platform is the running `kreislauf up`.
type platform struct {
	bin   string
	dir   string
	cmd   *exec.Cmd
	began time.Time
	done  chan error // gets the end of the process
	info  info
}

// info is the part of run.json that is used here.
type info struct {
	PID        int    `json:"pid"`
	Env        string `json:"env"`
	Profile    string `json:"profile"`
	Entry      string `json:"entry"`
	Elastic    string `json:"elasticsearch"`
	Components []struct {
		Name     string `json:"name"`
		State    string `json:"state"`
		PID      int    `json:"pid"`
		Restarts int    `json:"restarts"`
	} `json:"components"`
}

func start(ctx context.Context, o options, dir string) (*platform, error) {
	args := []string{"up", "-data", dir, "-free-ports", "-web", o.web}
	if o.real {
		args = append(args, "-real")
	}
	if o.compact {
		args = append(args, "-compact")
	}
	cmd := exec.CommandContext(ctx, o.bin, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	p := &platform{bin: o.bin, dir: dir, cmd: cmd, began: time.Now(), done: make(chan error, 1)}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", o.bin, err)
	}
	go func() { p.done <- cmd.Wait() }()
	return p, nil
}

func (p *platform) readInfo() error {
	b, err := os.ReadFile(filepath.Join(p.dir, "run.json"))
	if err != nil {
		return err
	}
	return json.Unmarshal(b, &p.info)
}

func (p *platform) awaitUp(ctx context.Context) error {
	for {
		if p.readInfo() == nil {
			return nil
		}
		select {
		case err := <-p.done:
			return fmt.Errorf("the platform ended: %v", err)
		case <-ctx.Done():
			return errors.New("the platform did not come up in time")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *platform) thenRun(ctx context.Context, command string) error {
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Env = append(os.Environ(), "KREISLAUF_URL="+p.info.Entry, "KREISLAUF_DATA="+p.dir, "KREISLAUF_ELASTICSEARCH_URL="+p.info.Elastic)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}

// rss sums the resident memory of everything, in MB: the supervisor and all processes below it.
func (p *platform) rss() (int, error) {
	out, err := exec.Command("ps", "-e", "-o", "pid=,ppid=,rss=").Output()
	if err != nil {
		return 0, fmt.Errorf("list processes: %w", err)
	}
	parent, size := map[int]int{}, map[int]int{}
	for line := range strings.Lines(string(out)) {
		var pid, ppid, kb int
		if _, err := fmt.Sscan(line, &pid, &ppid, &kb); err != nil {
			return 0, fmt.Errorf("read process list: %w", err)
		}
		parent[pid], size[pid] = ppid, kb
	}
	sum := 0
	for pid := range size {
		for up := pid; up > 1; up = parent[up] {
			if up == p.cmd.Process.Pid {
				sum += size[pid]
				break
			}
		}
	}
	return sum / 1024, nil
}

// nothingRejected demands that Elasticsearch refused no line of the run.
func (p *platform) nothingRejected() error {
	files, err := filepath.Glob(filepath.Join(p.dir, "logship", "*", "dead-letter*.ndjson"))
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

func (p *platform) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the platform: %w", err)
	}
	select {
	case err := <-p.done:
		return err
	case <-time.After(time.Minute):
		return errors.New("the platform did not stop within a minute")
	}
}
