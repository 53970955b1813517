package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kreislauf/test/shipper"
)

// patience is how long a drill waits for what must come.
const patience = 60 * time.Second

// drill is one scenario under way: a log tree, a sink and a logship process.
type drill struct {
	opt    options
	logs   string // root of the tree
	state  string
	target *sink
	second *sink // only in the drill with two targets
	proc   *shipper.Process
	events int // numbered so far
	note   []string
	undo   []func() error // after everything has ended
	inputs []string       // beside the tree, each as one line of YAML
	stdin  io.Reader      // of the next start; then it is the only input
	env    []string
}

// outcome is what a drill shows.
type outcome struct {
	expected, lost, visible, wire int
	note                          string
	err                           error
}

func (d *drill) file(name string) string { return filepath.Join(d.logs, "test", "acme", "order", name) }

// pods is the folder of container logs.
func (d *drill) pods() string { return filepath.Join(filepath.Dir(d.logs), "pods") }

// say adds to the note of the drill.
func (d *drill) say(format string, args ...any) {
	d.note = append(d.note, fmt.Sprintf(format, args...))
}

func (d *drill) start() error {
	urls := []string{d.target.url()}
	if d.second != nil {
		urls = append(urls, d.second.url())
	}
	opt := shipper.Options{
		Binary: d.opt.binary, LogDir: d.logs, PodsDir: d.pods(), StateDir: d.state, URLs: urls, Log: d.opt.log, Inputs: d.inputs, Stdin: d.stdin,
		Env: d.env,
	}
	if d.stdin != nil {
		opt.LogDir, opt.PodsDir = "", ""
	}
	p, err := shipper.Start(opt)
	d.proc = p
	return err
}

func (d *drill) kill() { d.proc.Kill() }

func (d *drill) stop() error { return d.proc.Stop(20 * time.Second) }

// line is event n.
func line(n int) string {
	return fmt.Sprintf(`{"@timestamp":"2025-11-22T18:23:30.%03dZ","log.level":"info","message":"seq=%d;","service_name":"order","env":"test","customer":"acme",`+
		`"instance":"order-1","event.action":"order.placed","pad":"0123456789abcdefghijklmnopqrstuvwxyz"}`+"\n", n%1000, n)
}

// next returns the text of the next n events.
func (d *drill) next(n int) []byte {
	var out bytes.Buffer
	for range n {
		out.WriteString(line(d.events))
		d.events++
	}
	return out.Bytes()
}

// write appends the next n events to a file.
func (d *drill) write(path string, n int) error { return appendTo(path, d.next(n)) }

func appendTo(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make log folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	return nil
}

// until waits for a condition.
func (d *drill) until(what string, ok func() bool) error {
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		select {
		case <-d.proc.Done():
			return fmt.Errorf("logship ended while the drill waited for: %s", what)
		default:
		}
		if time.Now().After(end) {
			return fmt.Errorf("never: %s (%d of %d events are visible)", what, d.target.stored(), d.events)
		}
	}
	return nil
}

// arrived waits until n events are visible.
func (d *drill) arrived(n int) error {
	return d.until(fmt.Sprintf("%d events visible", n), func() bool { return d.target.stored() >= n })
}

// all waits until every event is visible or in the dead-letter store.
func (d *drill) all() error {
	return d.until("every event visible or in the dead-letter store", func() bool {
		missing := d.events - d.target.stored()
		if missing <= 0 {
			return true
		}
		if missing > 20_000 {
			return false
		}
		dead, err := d.dead()
		return err == nil && len(dead) >= missing
	})
}

// dead returns the numbers of the events in the dead-letter store.
func (d *drill) dead() (map[int]bool, error) {
	out := map[int]bool{}
	err := filepath.WalkDir(d.state, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasPrefix(e.Name(), "dead-letter") {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		scanner := bufio.NewScanner(f)
		scanner.Buffer(nil, 16<<20)
		for scanner.Scan() {
			var l struct{ Reason, Line, File string }
			if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
				return fmt.Errorf("dead letter %.200q: %w", scanner.Bytes(), err)
			}
			n := number([]byte(l.Line))
			if l.Reason == "" || l.File == "" || n < 0 {
				return fmt.Errorf("dead letter without reason, file or line: %.300q", scanner.Bytes())
			}
			out[n] = true
		}
		return scanner.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	return out, nil
}

// close ends the drill and counts.
func (d *drill) close(run error) outcome {
	if d.proc != nil {
		if run == nil {
			time.Sleep(300 * time.Millisecond) // a duplicate that comes late must show
			run = d.stop()
		}
		d.proc.Kill()
	}
	dead, err := d.dead()
	for _, undo := range d.undo {
		err = errors.Join(err, undo())
	}
	out := outcome{expected: d.events, err: errors.Join(run, err)}
	for _, s := range []*sink{d.target, d.second} {
		if s == nil {
			continue
		}
		s.leave()
		s.mu.Lock()
		for n := range d.events {
			switch copies := s.numbers[n]; {
			case copies == 0 && !dead[n]:
				out.lost++
			case copies > 1:
				out.visible += copies - 1
			}
		}
		if stray := s.numbers[-1]; stray > 0 {
			out.err = errors.Join(out.err, fmt.Errorf("%d documents without a number", stray))
		}
		for _, p := range s.problems {
			out.err = errors.Join(out.err, errors.New(p))
		}
		out.wire += s.again
		s.mu.Unlock()
	}
	if out.lost > 0 || out.visible > 0 {
		out.err = errors.Join(out.err, fmt.Errorf("%d lost, %d visible twice", out.lost, out.visible))
	}
	if len(dead) > 0 {
		d.say("%d in the dead-letter store", len(dead))
	}
	out.note = strings.Join(d.note, "; ")
	return out
}

// run runs one scenario in a folder of its own.
func run(s scenario, opt options) (out outcome) {
	dir, err := os.MkdirTemp(opt.dir, s.name+"-")
	if err != nil {
		return outcome{err: fmt.Errorf("make folder: %w", err)}
	}
	defer os.RemoveAll(dir)
	d := &drill{opt: opt, logs: filepath.Join(dir, "logs"), state: filepath.Join(dir, "state")}
	if err := os.MkdirAll(filepath.Dir(d.file("x")), 0o755); err != nil {
		return outcome{err: fmt.Errorf("make folder: %w", err)}
	}
	if d.target, err = newSink(); err != nil {
		return outcome{err: err}
	}
	return d.close(s.run(d))
}

// options are the same for all drills.
type options struct {
	binary string
	dir    string
	outage time.Duration
	scale  int // divides the number of events
	log    io.Writer
}

// many is the usual number of events of a backlog.
func (d *drill) many() int { return 100_000 / d.opt.scale }
