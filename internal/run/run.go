// Package run owns the life of a process: signals, start order and a bounded stop in reverse order.
//
// Invariants: what was started last is stopped first; Stop calls every cleanup once, even after an error or a timeout, and joins the errors.
package run

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// StopTimeout bounds the stop of a process. Kubernetes sends SIGKILL after 30 s.
const StopTimeout = 10 * time.Second

// secondSignal is how long after the first signal a further one counts as impatience: some senders deliver the first twice.
const secondSignal = time.Second

// Signals gives a context that ends with SIGINT or SIGTERM; a second signal, a second later or more, kills the process as usual.
func Signals(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, func() { time.AfterFunc(secondSignal, stop) })
	return ctx, stop
}

type cleanup struct {
	name string
	fn   func(context.Context) error
}

// Stack is a LIFO of named cleanups. The zero value is ready.
type Stack struct {
	mu    sync.Mutex // guards items
	items []cleanup
}

// Push adds a cleanup that must honour its context.
func (s *Stack) Push(name string, fn func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items = append(s.items, cleanup{name, fn})
}

// Go starts fn and pushes a cleanup that cancels it and waits. An error of fn other than its own cancellation is given to failed.
func (s *Stack) Go(name string, failed func(error), fn func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}) // closed by the goroutine below
	go func() {
		defer close(done)
		if err := fn(ctx); err != nil && ctx.Err() == nil {
			failed(fmt.Errorf("%s: %w", name, err))
		}
	}()
	s.Push(name, func(stop context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-stop.Done():
			return errors.New("did not stop in time")
		}
	})
}

// Stop runs the cleanups, last first, within ctx. A second call does nothing.
func (s *Stack) Stop(ctx context.Context) error {
	s.mu.Lock()
	items := s.items
	s.items = nil
	s.mu.Unlock()
	var errs []error
	for i := len(items) - 1; i >= 0; i-- {
		if err := items[i].fn(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", items[i].name, err))
		}
	}
	return errors.Join(errs...)
}
