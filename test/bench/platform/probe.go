package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	probeSize  = 4096
	probeEvery = 100 * time.Millisecond
)

// syncing is one write with sync of the probe.
type syncing struct {
	began time.Time
	took  time.Duration
}

// probe watches the disk beside the platform.
type probe struct {
	stall time.Duration // a sync that takes longer marks its seconds
	file  *os.File
	end   chan struct{}
	wg    sync.WaitGroup

	mu   sync.Mutex // guards what follows
	list []syncing
	err  error
}

// startProbe begins to write and sync a file in the folder.
func startProbe(dir string, stall time.Duration) (*probe, error) {
	f, err := os.Create(filepath.Join(dir, "sync-probe"))
	if err != nil {
		return nil, fmt.Errorf("make sync probe: %w", err)
	}
	p := &probe{stall: stall, file: f, end: make(chan struct{})}
	p.wg.Go(p.run)
	return p, nil
}

func (p *probe) run() {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	block := make([]byte, probeSize)
	for n := 0; ; n++ {
		block[0] = byte(n)
		began := time.Now()
		_, err := p.file.WriteAt(block, 0)
		if err == nil {
			err = syscall.Fdatasync(int(p.file.Fd()))
		}
		p.mu.Lock()
		p.list = append(p.list, syncing{began, time.Since(began)})
		p.err = err
		p.mu.Unlock()
		if err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-p.end:
			return
		}
	}
}

// stop ends the probe and gives the first error of the disk.
func (p *probe) stop() error {
	close(p.end)
	p.wg.Wait()
	if err := p.file.Close(); err != nil {
		return fmt.Errorf("close sync probe: %w", err)
	}
	if p.err != nil {
		return fmt.Errorf("sync probe: %w", p.err)
	}
	return nil
}

// between gives the syncs that touch the time.
func (p *probe) between(from, to time.Time) syncings {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := syncings{stall: p.stall, from: from, to: to}
	for _, one := range p.list {
		if one.began.Before(to) && one.began.Add(one.took).After(from) {
			s.list = append(s.list, one)
		}
	}
	return s
}

// syncings are the syncs of a time.
type syncings struct {
	stall    time.Duration
	from, to time.Time
	list     []syncing
}

func (s syncings) durations() []time.Duration {
	var list []time.Duration
	for _, one := range s.list {
		list = append(list, one.took)
	}
	return list
}

// stalled are the seconds, counted from the beginning, in which a sync was under way that took too long.
func (s syncings) stalled() map[int]bool {
	m := map[int]bool{}
	for _, one := range s.list {
		if one.took < s.stall {
			continue
		}
		first, last := s.second(one.began), s.second(one.began.Add(one.took))
		for n := max(first, 0); n <= last; n++ {
			m[n] = true
		}
	}
	return m
}

func (s syncings) second(t time.Time) int { return int(t.Sub(s.from).Seconds()) }

// well gives the samples that touch no second of a stalled disk.
func (s syncings) well(samples []sample) []sample {
	bad := s.stalled()
	var list []sample
next:
	for _, one := range samples {
		for n := s.second(one.due); n <= s.second(one.ended); n++ {
			if bad[n] {
				continue next
			}
		}
		list = append(list, one)
	}
	return list
}
