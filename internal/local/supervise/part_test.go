package supervise

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func readyAtOnce(context.Context) error { return nil }

// starts collects when a part was started, seen from the first time.
type starts struct {
	mu   sync.Mutex // guards list
	list []time.Time
}

func (s *starts) add() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, time.Now())
}

// gaps lists the pauses between the starts, less what each run took.
func (s *starts) gaps(run time.Duration) []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []time.Duration
	for i := 1; i < len(s.list); i++ {
		list = append(list, s.list[i].Sub(s.list[i-1])-run)
	}
	return list
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var st starts
		const run = time.Second
		s := New(func(Status) {})
		err := s.Start(t.Context(), Component{Name: "alerter", Ready: readyAtOnce, Run: func(context.Context) error {
			st.add()
			time.Sleep(run)
			return errors.New("no backend")
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Status()[0]; got.PID != os.Getpid() {
			t.Errorf("a part of this process has pid %d", got.PID)
		}
		time.Sleep(50 * time.Second)
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		const ms = time.Millisecond
		want := []time.Duration{0, 250 * ms, 500 * ms, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 10 * time.Second, 10 * time.Second}
		if diff := cmp.Diff(want, st.gaps(run)[:len(want)]); diff != "" {
			t.Errorf("pauses (-want +got):\n%s", diff)
		}
	})
}

func TestBackoffIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var st starts
		const run = healthyAfter + time.Second
		s := New(func(Status) {})
		err := s.Start(t.Context(), Component{Name: "alerter", Ready: readyAtOnce, Run: func(ctx context.Context) error {
			st.add()
			select {
			case <-ctx.Done():
			case <-time.After(run):
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(4*run - time.Second)
		if got := s.Status()[0].LastExit; got != "ended" {
			t.Errorf("last exit %q", got)
		}
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]time.Duration{0, 0, 0}, st.gaps(run)[:3]); diff != "" {
			t.Errorf("pauses (-want +got):\n%s", diff)
		}
	})
}

func TestNotReadyInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(func(Status) {})
		never := func(context.Context) error { return errors.New("not yet") }
		err := s.Start(t.Context(), Component{Name: "engine", Ready: never, Run: func(ctx context.Context) error { <-ctx.Done(); return nil }})
		if err == nil || !strings.Contains(err.Error(), "start engine: not ready after 30s") {
			t.Errorf("error %v", err)
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestManyEarlyDeaths lets a part die long after Start has given up on it: it must still stop at once.
func TestManyEarlyDeaths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(func(Status) {})
		never := func(context.Context) error { return errors.New("not yet") }
		err := s.Start(t.Context(), Component{Name: "engine", Ready: never, Run: func(context.Context) error { return errors.New("no disk") }})
		if err == nil || !strings.Contains(err.Error(), "it stopped 3 times: no disk") {
			t.Fatalf("error %v", err)
		}
		time.Sleep(10 * time.Minute)
		before := s.Status()[0].Restarts
		time.Sleep(10 * time.Minute)
		if after := s.Status()[0].Restarts; after <= before || after < 10 {
			t.Errorf("%d restarts, ten minutes later %d", before, after)
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestStatesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var states []State
		s := New(func(st Status) {
			mu.Lock()
			defer mu.Unlock()
			states = append(states, st.State)
		})
		runs := 0
		err := s.Start(t.Context(), Component{Name: "alerter", Ready: readyAtOnce, Run: func(ctx context.Context) error {
			if runs++; runs == 1 {
				time.Sleep(time.Second)
				return errors.New("once")
			}
			<-ctx.Done()
			return ctx.Err()
		}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]State{Starting, Ready, Restarting, Starting, Ready, Stopped}, states); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
	})
}

func TestStartEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s := New(func(Status) {})
		never := func(context.Context) error { return errors.New("not yet") }
		err := s.Start(ctx, Component{Name: "engine", Ready: never, Run: func(ctx context.Context) error { <-ctx.Done(); return nil }})
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "start engine") {
			t.Errorf("error %v", err)
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
}
