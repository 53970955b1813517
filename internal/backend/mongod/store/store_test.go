package store

import (
	"errors"
	"testing"

	"kreislauf/internal/backend/mongod/raw"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// opened is a store that is closed with the test.
func opened(t *testing.T, dir string) *Store {
	t.Helper()
	s := mustDo[*Store](t)(Open(dir, zerolog.Nop()))
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestPanicStaysInItsCommand breaks one job of a shared transaction; its neighbours must be stored all the same.
func TestPanicStaysInItsCommand(t *testing.T) {
	s := opened(t, t.TempDir())
	results := make(chan error, 3)
	blocker, release := make(chan struct{}), make(chan struct{})
	go func() {
		results <- s.Write(func(*Tx) error { close(blocker); <-release; return nil })
	}()
	<-blocker // the next jobs wait together
	insert := func(id int32) func(*Tx) error {
		return func(w *Tx) error {
			c, _, err := w.EnsureCollection("test.c")
			if err != nil {
				return err
			}
			return c.Insert(raw.New().Add("_id", raw.Int32(id)).Done())
		}
	}
	jobs := []*writeJob{
		{run: insert(1), result: make(chan error, 1)},
		{run: func(w *Tx) error { _ = insert(2)(w); panic("broken") }, result: make(chan error, 1)},
		{run: insert(3), result: make(chan error, 1)},
	}
	for _, j := range jobs {
		s.jobs <- j
	}
	close(release)
	if err := <-results; err != nil {
		t.Fatal(err)
	}
	var broken *PanicError
	if e1, e2, e3 := <-jobs[0].result, <-jobs[1].result, <-jobs[2].result; e1 != nil || !errors.As(e2, &broken) || e3 != nil {
		t.Errorf("results %v, %v, %v", e1, e2, e3)
	}
	got := []string{}
	err := s.ReadCollection("test.c", func(c *Collection) error {
		return c.Each(func(_ []byte, d raw.Document) error { got = append(got, d.String()); return nil })
	})
	if diff := cmp.Diff([]string{"{ _id: 1 }", "{ _id: 3 }"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
