package logship

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"kreislauf/logship/alarm"
	"kreislauf/logship/receive"
)

// Shipper follows files and delivers their lines to one or more targets. Each target has a reader and a checkpoint of its own, so
// one that is slow or away does not hold up the others. Make a Shipper with New and call Run once.
type Shipper struct {
	opt       Options
	pipelines []*pipeline
	receivers []*receive.Receiver
}

// New checks the options and opens the checkpoints. Nothing is read or sent before Run.
func New(opt Options) (*Shipper, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	if err := takeOver(string(opt.StateDir), opt.Targets[0].Name); err != nil {
		return nil, err
	}
	s := &Shipper{opt: opt}
	for i := range opt.Targets {
		p, err := newPipeline(&s.opt, &s.opt.Targets[i])
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.pipelines = append(s.pipelines, p)
	}
	if err := s.openReceivers(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// openReceivers prepares the inputs whose lines do not stand in files.
func (s *Shipper) openReceivers() error {
	var stdin io.Reader = os.Stdin
	if s.opt.Stdin != nil {
		stdin = s.opt.Stdin
	}
	for i := range s.opt.Inputs {
		in := &s.opt.Inputs[i]
		if len(in.Receive) == 0 {
			continue
		}
		r, err := receive.Open(receive.Options{
			Dir: s.opt.ReceivedDir(in), Limit: int64(in.ReceivedBytes), Input: in, Stdin: stdin, Alarms: alarm.New(s.opt.Logger),
			Delivered: s.delivered,
		})
		if err != nil {
			return err
		}
		s.receivers = append(s.receivers, r)
	}
	return nil
}

// delivered reports whether every target has the first size bytes of a file.
func (s *Shipper) delivered(path string, size int64) bool {
	for _, p := range s.pipelines {
		have := false
		p.pump.locked(func() { have = p.follower.Delivered(path, size) })
		if !have {
			return false
		}
	}
	return true
}

// Run ships until ctx ends, or, when nothing but standard input is an input, until that has ended and is delivered. Then it delivers
// what is read already, for a few seconds at most, and closes everything. It must be called once.
func (s *Shipper) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	errs := make([]error, len(s.pipelines)+len(s.receivers))
	for i, p := range s.pipelines {
		wg.Go(func() { errs[i] = p.run(ctx) })
	}
	var open atomic.Int64
	open.Store(int64(len(s.opt.Inputs)))
	for i, r := range s.receivers {
		wg.Go(func() {
			ended, err := r.Run(ctx)
			if errs[len(s.pipelines)+i] = err; err != nil || ended && open.Add(-1) == 0 {
				cancel()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// close closes what New opened. It is for a Shipper that is never run.
func (s *Shipper) close() error {
	var errs []error
	for _, p := range s.pipelines {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}
