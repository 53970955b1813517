package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"kreislauf/test/shipper"
)

// idle measures a logship that follows many files in which nothing happens.
func (b *bench) idle() error {
	root, remove, err := b.logs()
	if err != nil {
		return err
	}
	defer remove()
	n := 1_000 * b.scale
	if err := b.manyFiles(root, n, 1); err != nil {
		return err
	}
	warm, window := 4*time.Second, 20*time.Second
	if b.quick {
		warm, window = 2*time.Second, 6*time.Second
	}
	p, err := b.running(n, b.logship(root, kind{}))
	if err != nil {
		return err
	}
	defer p.Kill()
	time.Sleep(warm)
	share, err := shareOfCore(p, func() error { time.Sleep(window); return nil })
	if err != nil {
		return err
	}
	b.table.row(fmt.Sprintf("idle, %d files", n), fmt.Sprintf("logship %.2f %% of a core", share), b.table.verdict(share, b.unscaled(0.3), "%"), "ratio - (a floor does nothing)")
	return errors.Join(p.Stop(20 * time.Second))
}

// running starts a shipper and returns it when n events have come.
func (b *bench) running(n int, start func() (*shipper.Process, error)) (*shipper.Process, error) {
	if err := b.reset(); err != nil {
		return nil, err
	}
	p, err := start()
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(runLimit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		t, err := b.totals()
		if err != nil {
			p.Kill()
			return nil, err
		}
		if t.Events >= int64(n) {
			return p, nil
		}
	}
	p.Kill()
	return nil, fmt.Errorf("%d events did not come within %v", n, runLimit)
}

// shareOfCore is the CPU time of p while work runs, in percent of one core.
func shareOfCore(p *shipper.Process, work func() error) (float64, error) {
	before, err := shipper.CPUNow(p.PID())
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := work(); err != nil {
		return 0, err
	}
	wall := time.Since(began)
	after, err := shipper.CPUNow(p.PID())
	if err != nil {
		return 0, err
	}
	return 100 * (after - before).Seconds() / wall.Seconds(), nil
}

// steady measures CPU and lag while lines come at a rate, first of the floor, then of logship.
func (b *bench) steady(rate int) error {
	root, remove, err := b.logs()
	if err != nil {
		return err
	}
	defer remove()
	path := filepath.Join(root, "local", "kreislauf", "nginx", "access.log")
	floor, _, err := b.following(path, rate, b.floor(path, kind{geo: true, follow: true}))
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	share, t, err := b.following(path, rate, b.logship(root, kind{geo: true}))
	if err != nil {
		return err
	}
	target := 0.0
	if rate == 1_000 {
		target = 1
	}
	b.table.row(fmt.Sprintf("steady, %d events/s", rate), fmt.Sprintf("logship %.2f %% of a core", share), b.table.verdict(share, target, "%"),
		"lag p50 "+ms(t.P50), b.table.verdict(float64(t.P50)/1e6, 60, "ms"), "p99 "+ms(t.P99), b.table.verdict(float64(t.P99)/1e6, 250, "ms"), "max "+ms(t.Max),
		fmt.Sprintf("%d requests", t.Requests), fmt.Sprintf("floor %.2f %%", floor), b.table.ratio(share/floor, 0))
	return nil
}

// following starts a shipper of a new file that grows at a rate, and returns the share of a core that it takes and what the sink saw.
func (b *bench) following(path string, rate int, start func() (*shipper.Process, error)) (share float64, t totals, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return 0, t, fmt.Errorf("make log folder: %w", err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, t, fmt.Errorf("remove log file: %w", err)
	}
	file, err := os.Create(path)
	if err != nil {
		return 0, t, fmt.Errorf("make log file: %w", err)
	}
	defer file.Close()
	w := &writer{file: file, sample: bytes.SplitAfter(nginxSample(b.reqs, b.seed), []byte{'\n'}), rate: rate}
	w.sample = w.sample[:len(w.sample)-1]
	if err := w.write(rate / 10); err != nil {
		return 0, t, err
	}
	p, err := b.running(rate/10, start)
	if err != nil {
		return 0, t, err
	}
	defer p.Kill()
	if err := w.run(2 * time.Second); err != nil {
		return 0, t, err
	}
	time.Sleep(500 * time.Millisecond)
	if err := b.reset(); err != nil {
		return 0, t, err
	}
	window := 15 * time.Second
	if b.quick {
		window = 4 * time.Second
	}
	w.written = 0
	if share, err = shareOfCore(p, func() error { return w.run(window) }); err != nil {
		return 0, t, err
	}
	for end := time.Now().Add(10 * time.Second); t.Events != int64(w.written) || t.Lags != w.written; time.Sleep(20 * time.Millisecond) {
		if t, err = b.totals(); err != nil {
			return 0, t, err
		}
		if time.Now().After(end) {
			return 0, t, fmt.Errorf("%d events with %d times came, %d were written", t.Events, t.Lags, w.written)
		}
	}
	return share, t, p.Stop(20 * time.Second)
}

// writer appends lines that say when they were written.
type writer struct {
	file    *os.File
	sample  [][]byte
	rate    int // lines a second
	next    int
	written int
	buf     []byte
}

// run writes for a while, in one write a millisecond.
func (w *writer) run(d time.Duration) error {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	began, done := time.Now(), 0
	for now := range ticker.C {
		due := int(min(now.Sub(began), d).Seconds() * float64(w.rate))
		if err := w.write(due - done); err != nil {
			return err
		}
		if done = due; now.Sub(began) >= d {
			return nil
		}
	}
	return nil
}

func (w *writer) write(n int) error {
	if n <= 0 {
		return nil
	}
	w.buf = w.buf[:0]
	now := time.Now().UnixNano()
	for range n {
		w.buf = append(append(w.buf, '{'), written...)
		w.buf = strconv.AppendInt(w.buf, now, 10)
		w.buf = append(append(w.buf, ','), w.sample[w.next][1:]...)
		w.next = (w.next + 1) % len(w.sample)
	}
	w.written += n
	if _, err := w.file.Write(w.buf); err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	return nil
}
