package load

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// drainTimeout is how long requests under way may take after the last arrival.
const drainTimeout = 15 * time.Second

// waitUntil sleeps until t and says whether ctx still lives. A moment in the past does not wait.
func waitUntil(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// flights are the goroutines under way. Only one goroutine may call start.
type flights struct {
	limit    int
	progress *progress
	wg       sync.WaitGroup

	started, skipped, ended atomic.Int64
}

// start runs work on its own goroutine, telling it when it was due, and returns at once. When too many are under way, work is not run
// but counted as skipped.
func (f *flights) start(due time.Time, work func(due time.Time)) {
	if f.underWay() >= f.limit {
		if f.skipped.Add(1) == 1 {
			f.progress.note("SKIPPING from now on: %d are under way already; the platform does not keep up with the arrivals", f.limit)
		}
		return
	}
	f.started.Add(1)
	f.wg.Go(func() {
		defer f.ended.Add(1)
		work(due)
	})
}

func (f *flights) underWay() int { return int(f.started.Load() - f.ended.Load()) }

// drain waits for all of them; after drainTimeout it calls cut, which must make them end.
func (f *flights) drain(ctx context.Context, cut context.CancelFunc) {
	if n := f.underWay(); n > 0 && ctx.Err() != nil {
		f.progress.note("stopping: waiting up to %v for %d under way", drainTimeout, n)
	}
	t := time.AfterFunc(drainTimeout, cut)
	defer t.Stop()
	f.wg.Wait()
}

// Terminal control: no wrapping, so that a line wider than the terminal is clipped and can still be rewritten.
const (
	rewrite = "\r\x1b[K\x1b[?7l"
	wrap    = "\x1b[?7h"
)

// progress writes lines about a run: on a terminal one that is rewritten in place, elsewhere a tenth as many lines.
type progress struct {
	every   time.Duration
	inPlace bool

	mu   sync.Mutex // guards what follows
	out  io.Writer
	open bool // the last line has no newline yet
}

func newProgress(out io.Writer, every time.Duration) *progress {
	p := &progress{out: out, every: every}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		p.inPlace = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	if !p.inPlace {
		p.every *= 10
	}
	return p
}

// show replaces the progress line. Output that cannot be written is lost; the run goes on.
func (p *progress) show(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inPlace {
		_, _ = fmt.Fprint(p.out, rewrite, line, wrap)
		p.open = true
		return
	}
	_, _ = fmt.Fprintln(p.out, line)
}

// note writes a line that stays.
func (p *progress) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endLine()
	_, _ = fmt.Fprintf(p.out, format+"\n", args...)
}

func (p *progress) endLine() {
	if p.open {
		_, _ = fmt.Fprintln(p.out)
		p.open = false
	}
}

// watch shows line regularly until stop is called; stop shows it a last time and waits.
func (p *progress) watch(line func() string) (stop func()) {
	end := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(p.every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.show(line())
			case <-end:
				return
			}
		}
	})
	return func() {
		close(end)
		wg.Wait()
		p.show(line())
		p.mu.Lock()
		defer p.mu.Unlock()
		p.endLine()
	}
}
