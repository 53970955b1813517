package mongod

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// opened is a store that is closed with the test.
func opened(t *testing.T, dir string) *store {
	t.Helper()
	s := mustDo[*store](t)(openStore(dir, zerolog.Nop()))
	t.Cleanup(func() {
		if err := s.close(); err != nil {
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
		results <- s.write(func(*writeTx) error { close(blocker); <-release; return nil })
	}()
	<-blocker // the next jobs wait together
	insert := func(id int32) func(*writeTx) error {
		return func(w *writeTx) error {
			c, _, err := w.ensureCollection("test.c")
			if err != nil {
				return err
			}
			return c.insert(newDocument().add("_id", int32Value(id)).done())
		}
	}
	jobs := []*writeJob{
		{run: insert(1), result: make(chan error, 1)},
		{run: func(w *writeTx) error { _ = insert(2)(w); panic("broken") }, result: make(chan error, 1)},
		{run: insert(3), result: make(chan error, 1)},
	}
	for _, j := range jobs {
		s.jobs <- j
	}
	close(release)
	if err := <-results; err != nil {
		t.Fatal(err)
	}
	var broken *panicError
	if e1, e2, e3 := <-jobs[0].result, <-jobs[1].result, <-jobs[2].result; e1 != nil || !errors.As(e2, &broken) || e3 != nil {
		t.Errorf("results %v, %v, %v", e1, e2, e3)
	}
	got := []string{}
	err := s.readCollection("test.c", func(c *collTx) error {
		return c.each(func(_ []byte, d document) error { got = append(got, d.String()); return nil })
	})
	if diff := cmp.Diff([]string{"{ _id: 1 }", "{ _id: 3 }"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
