package logship_test

import (
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"kreislauf/logship"
)

// completeAfter reports whether all that was written before a time is known to be final.
func completeAfter(st logship.TargetStatus, at time.Time) bool {
	return st.CompleteUntil != nil && st.CompleteUntil.After(at)
}

// TestCompleteUntil stops the target and starts it again: until when everything is delivered stands still meanwhile, is unknown
// after a start with a backlog, and does not wait for a line that nobody ends.
func TestCompleteUntil(t *testing.T) {
	b := newBench(t)
	var down atomic.Bool
	b.fault = func(_ int, w http.ResponseWriter, _ []byte) bool {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return down.Load()
	}
	b.write(b.file, 0, 10)
	s, stop := b.run()
	written := time.Now()
	b.until("the first lines are complete", func() bool { return completeAfter(s.Status(), written) })

	down.Store(true)
	b.write(b.file, 10, 20)
	written = time.Now()
	b.until("the file is seen to be behind", func() bool { return s.Status().Behind > 0 && time.Since(written) > 3*b.opt.PollInterval })
	if st := s.Status(); completeAfter(st, written) {
		t.Errorf("complete until %s, but the lines before %s are not delivered", st.CompleteUntil, written)
	}
	down.Store(false)
	b.until("the late lines are complete", func() bool { return completeAfter(s.Status(), written) })

	b.appendText(b.file, `{"message":"nobody ends th`)
	written = time.Now()
	b.until("a torn line holds nothing up", func() bool { return s.Status().Behind > 0 && completeAfter(s.Status(), written) })
	stop()

	down.Store(true)
	b.appendText(b.file, "is\"}\n")
	b.write(b.file, 20, 30)
	s, _ = b.run()
	started := time.Now()
	b.until("the backlog is seen", func() bool { return s.Status().Behind > 0 && time.Since(started) > 3*b.opt.PollInterval })
	if st := s.Status(); st.CompleteUntil != nil {
		t.Errorf("complete until %s, but nobody knows when the backlog began", st.CompleteUntil)
	}
	down.Store(false)
	b.until("the backlog is complete", func() bool { return completeAfter(s.Status(), started) })

	if err := os.Truncate(b.file, 0); err != nil {
		t.Fatal(err)
	}
	b.write(b.file, 30, 31)
	written = time.Now()
	b.until("the new content is complete", func() bool { return completeAfter(s.Status(), written) })
	if have := s.Status().Delivered; have != 12 {
		t.Errorf("%d documents when all is said to be complete, want 12", have)
	}
}
