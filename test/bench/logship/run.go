package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"kreislauf/logship/config"
	"kreislauf/test/shipper"
)

// A run that does not bring everything to the sink in this time has failed.
const runLimit = 3 * time.Minute

// bench is what all rows share.
type bench struct {
	binary, self, geoDir, dir string
	reqs                      []request
	seed                      uint64
	scale, rounds             int
	quick                     bool
	sinkURL                   string
	sink                      *exec.Cmd
	sinkIn                    io.Closer
	log                       io.Writer
	table                     table
}

func (b *bench) startSink() error {
	b.sink = exec.Command(b.self, "sink")
	b.sink.Stderr = os.Stderr
	in, err := b.sink.StdinPipe()
	if err != nil {
		return fmt.Errorf("start sink: %w", err)
	}
	out, err := b.sink.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start sink: %w", err)
	}
	if err := b.sink.Start(); err != nil {
		return fmt.Errorf("start sink: %w", err)
	}
	b.sinkIn = in
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("start sink: %w", err)
	}
	b.sinkURL = line[:len(line)-1]
	return nil
}

func (b *bench) stopSink() {
	_ = b.sinkIn.Close()
	_ = b.sink.Wait() // it only ends with its input
}

func (b *bench) totals() (t totals, err error) {
	res, err := http.Get(b.sinkURL + "/totals")
	if err != nil {
		return t, fmt.Errorf("ask sink: %w", err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&t); err != nil {
		return t, fmt.Errorf("ask sink: %w", err)
	}
	return t, nil
}

func (b *bench) reset() error {
	res, err := http.Post(b.sinkURL+"/reset", "", nil)
	if err != nil {
		return fmt.Errorf("reset sink: %w", err)
	}
	return res.Body.Close()
}

// result is what one shipper used for one input.
type result struct {
	events int
	cpu    time.Duration // user and system
	system time.Duration
	wall   time.Duration
	sent   int64 // bytes of bodies on the wire
	memory shipper.Memory
}

// perMillion is CPU seconds per million events.
func (r result) perMillion() float64 { return r.cpu.Seconds() / float64(r.events) * 1e6 }

// until starts a shipper, waits until the sink has n events, ends the shipper and returns what it used in its whole life.
func (b *bench) until(n int, start func() (*shipper.Process, error)) (result, error) {
	if err := b.reset(); err != nil {
		return result{}, err
	}
	began := time.Now()
	p, err := start()
	if err != nil {
		return result{}, err
	}
	defer p.Kill()
	memory := shipper.WatchMemory(p)
	r := result{events: n}
	for {
		t, err := b.totals()
		if err != nil {
			return r, err
		}
		if t.Events >= int64(n) {
			r.wall, r.sent = time.Since(began), t.Bytes
			break
		}
		if time.Since(began) > runLimit {
			return r, fmt.Errorf("only %d of %d events came within %v", t.Events, n, runLimit)
		}
		select {
		case <-p.Done():
			return r, fmt.Errorf("the shipper ended after %d of %d events", t.Events, n)
		case <-time.After(20 * time.Millisecond):
		}
	}
	r.memory = memory.End()
	if err := p.Stop(20 * time.Second); err != nil {
		return r, fmt.Errorf("end shipper: %w", err)
	}
	t, err := b.totals()
	if err != nil {
		return r, err
	}
	if t.Events != int64(n) {
		return r, fmt.Errorf("%d events came, want %d", t.Events, n)
	}
	user, system := p.CPU()
	r.cpu, r.system = user+system, system
	return r, nil
}

// kind is how a shipper is run.
type kind struct {
	geo, gzip, agents bool
	lean              bool // floor: without the constant fields
	own               bool // floor: with the scanner of logship
	follow            bool // floor: goes on reading, as often as logship sends
}

func (b *bench) geoFor(k kind) string {
	if k.geo {
		return b.geoDir
	}
	return ""
}

// logship ships everything under logs.
func (b *bench) logship(logs string, k kind) func() (*shipper.Process, error) {
	return func() (*shipper.Process, error) {
		state := filepath.Join(b.dir, "state")
		if err := os.RemoveAll(state); err != nil {
			return nil, fmt.Errorf("empty state folder: %w", err)
		}
		level := 0
		if k.gzip {
			level = 1
		}
		return shipper.Start(shipper.Options{
			Binary: b.binary, LogDir: logs, StateDir: state, URLs: []string{b.sinkURL}, GeoDir: b.geoFor(k), Gzip: level, UserAgent: k.agents, Log: b.log,
		})
	}
}

func (b *bench) floor(input string, k kind) func() (*shipper.Process, error) {
	args := []string{b.self, "floor", "-input", input, "-url", b.sinkURL, "-geo", b.geoFor(k)}
	if k.gzip {
		args = append(args, "-gzip")
	}
	if k.lean {
		args = append(args, "-lean")
	}
	if k.own {
		args = append(args, "-own-scanner")
	}
	if k.follow {
		args = append(args, "-follow", config.DefaultTarget().FlushInterval.String())
	}
	return func() (*shipper.Process, error) { return shipper.StartCommand(args, nil, os.Stderr) }
}

// series is what one shipper used in all rounds.
type series struct {
	result // of the round with the least CPU time: what else goes on in the machine only ever adds to it; the memory is the highest
	cpu    []time.Duration
}

// inTurn runs several shippers in turn, again and again.
func (b *bench) inTurn(n int, starts ...func() (*shipper.Process, error)) ([]series, error) {
	out := make([]series, len(starts))
	for round := range b.rounds {
		for i, start := range starts {
			r, err := b.until(n, start)
			if err != nil {
				return nil, fmt.Errorf("run %d of round %d: %w", i+1, round+1, err)
			}
			s := &out[i]
			s.cpu = append(s.cpu, r.cpu)
			memory := shipper.Memory{Resident: max(s.memory.Resident, r.memory.Resident), Anonymous: max(s.memory.Anonymous, r.memory.Anonymous)}
			if round == 0 || r.cpu < s.result.cpu {
				s.result = r
			}
			s.memory = memory
		}
	}
	return out, nil
}

// over is the median of the ratios of the CPU times of each round: the two runs of a round are close in time, so the speed of the
// machine, which may be a virtual one, is about the same in both.
func (s series) over(floor series) float64 {
	ratios := make([]float64, len(s.cpu))
	for i := range ratios {
		ratios[i] = s.cpu[i].Seconds() / floor.cpu[i].Seconds()
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}
