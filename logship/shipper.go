package logship

import (
	"context"
	"errors"
	"sync"
)

// Shipper follows files and delivers their lines to one or more targets. Each target has a reader and a checkpoint of its own, so
// one that is slow or away does not hold up the others. Make a Shipper with New and call Run once.
type Shipper struct {
	opt       Options
	pipelines []*pipeline
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
	return s, nil
}

// Run ships until ctx ends. Then it delivers what is read already, for a few seconds at most, and closes everything. It must be
// called once.
func (s *Shipper) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, len(s.pipelines))
	for i, p := range s.pipelines {
		wg.Go(func() { errs[i] = p.run(ctx) })
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
