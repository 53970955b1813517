package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("os/signal.loop")) }

func TestStopRunsInReverseOnceAndJoinsErrors(t *testing.T) {
	var s Stack
	var order []string
	one, three := errors.New("one broke"), errors.New("three broke")
	s.Push("1", func(context.Context) error { order = append(order, "1"); return one })
	s.Push("2", func(context.Context) error { order = append(order, "2"); return nil })
	s.Push("3", func(context.Context) error { order = append(order, "3"); return three })
	err := s.Stop(t.Context())
	if !errors.Is(err, one) || !errors.Is(err, three) || !strings.Contains(err.Error(), "stop 3: three broke") {
		t.Errorf("errors %v", err)
	}
	if diff := cmp.Diff([]string{"3", "2", "1"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if err := s.Stop(t.Context()); err != nil || len(order) != 3 {
		t.Errorf("the second stop did something: %v %v", err, order)
	}
}

func TestGoStops(t *testing.T) {
	var s Stack
	stopped := false
	s.Go("worker", func(err error) { t.Errorf("failed: %v", err) }, func(ctx context.Context) error {
		<-ctx.Done()
		stopped = true
		return fmt.Errorf("read: %w", ctx.Err())
	})
	if err := s.Stop(t.Context()); err != nil || !stopped {
		t.Errorf("stop: %v, stopped %v", err, stopped)
	}
}

func TestGoReportsItsFailure(t *testing.T) {
	var s Stack
	cause, got := errors.New("disk on fire"), make(chan error, 1)
	s.Go("worker", func(err error) { got <- err }, func(context.Context) error { return cause })
	if err := <-got; !errors.Is(err, cause) || err.Error() != "worker: disk on fire" {
		t.Errorf("failure %v", err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestStopIsBoundedAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Stack
		below := false
		s.Push("below", func(context.Context) error { below = true; return nil })
		release := make(chan struct{})
		s.Go("stubborn", func(error) {}, func(context.Context) error { <-release; return nil })
		ctx, cancel := context.WithTimeout(t.Context(), StopTimeout)
		defer cancel()
		err := s.Stop(ctx)
		if err == nil || err.Error() != "stop stubborn: did not stop in time" {
			t.Errorf("error %v", err)
		}
		if !below {
			t.Error("a part below the stubborn one was not stopped")
		}
		close(release)
	})
}

func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		ctx, stop := Signals(t.Context())
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(30 * time.Second):
			t.Errorf("%v does not end the context", sig)
		}
		stop()
	}
}
