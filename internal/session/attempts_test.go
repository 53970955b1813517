package session

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kreislauf/internal/problem"
)

func TestAttempts(t *testing.T) {
	f := newFixture(t, server(t))
	ready(t, f.Store)
	ctx := t.Context()
	l := Limit{Name: "test", Free: 5, First: time.Hour, Most: 3 * time.Hour, Memory: 24 * time.Hour}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	try := func() (int, time.Duration) {
		t.Helper()
		n, wait, err := f.Attempt(ctx, l, "a")
		must(err)
		return n, wait.Round(time.Minute)
	}
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 40 { // at once
		wg.Go(func() {
			if _, wait, err := f.Attempt(ctx, l, "a"); err == nil && wait == 0 {
				made.Add(1)
			}
		})
	}
	wg.Wait()
	if made.Load() != 5 {
		t.Errorf("%d attempts were made at once, want 5", made.Load())
	}
	for i, want := range []time.Duration{time.Hour, 2 * time.Hour, 3 * time.Hour, 3 * time.Hour} { // the wait grows, up to a limit
		if n, wait := try(); n != 0 || wait != want {
			t.Errorf("after %d attempts: number %d, wait %v, want %v", 5+i, n, wait, want)
		}
		must(f.raw.Del(ctx, f.attemptKeys(l, "a")[1]).Err()) // it has passed
		if n, wait := try(); n != 6+i || wait != 0 {
			t.Errorf("after the wait: number %d, wait %v", n, wait)
		}
	}
	if n, wait, err := f.Attempt(ctx, l, "b"); n != 1 || wait != 0 || err != nil {
		t.Errorf("another subject: %d, %v, %v", n, wait, err)
	}
	must(f.Forget(ctx, l, "a"))
	for i := range 4 {
		if n, _ := try(); n != i+1 {
			t.Errorf("after success: number %d", n)
		}
	}
	for range 9 { // who always succeeds never waits, and gets nobody else more attempts
		if n, wait := try(); n != 5 || wait != 0 {
			t.Errorf("number %d, wait %v", n, wait)
		}
		must(f.TakeBack(ctx, l, "a"))
	}
	must(f.TakeBack(ctx, l, "never"))
	if n, _, err := f.Attempt(ctx, l, "never"); n != 1 || err != nil {
		t.Errorf("taking back what was not there: %d, %v", n, err)
	}
}

func TestAttemptsWithoutRedis(t *testing.T) {
	f := newFixture(t, freeAddr(t))
	if _, _, err := f.Attempt(t.Context(), Limit{Name: "test", Free: 5}, "a"); problem.KindOf(err) != problem.Unavailable {
		t.Errorf("an attempt that is not counted: %v", err)
	}
}
