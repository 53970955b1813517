package load

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// keptUnreadable is how many unreadable lines are remembered with their reason.
const keptUnreadable = 10

// UnreadableLine is a line of the log that is in no known format or holds no request.
type UnreadableLine struct {
	Number int // from 1
	Reason string
}

// ReplaySummary is the result of a Replay.
type ReplaySummary struct {
	Elapsed    time.Duration    // until the last answer
	Lines      int              // read
	Sent       int              // requests started
	Skipped    int              // due, but not started because MaxInFlight were under way
	Rewritten  int              // sent as GET instead of the recorded method
	NoAddress  int              // sent without X-Forwarded-For, because the log holds a host name
	Unreadable int              // lines
	Examples   []UnreadableLine // the first of them
	Classes    [6]int           // answers by the first digit of their status; 0 is unused
	Failures   map[string]int   // requests without an answer, by kind
	Latency    Latency          // from the scheduled start
}

func (p *replayer) unreadable(number int, reason error) {
	p.add(func(s *ReplaySummary) {
		s.Unreadable++
		if len(s.Examples) < keptUnreadable {
			s.Examples = append(s.Examples, UnreadableLine{number, reason.Error()})
		}
	})
}

func (p *replayer) summary() ReplaySummary {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sum
	s.Sent, s.Skipped = int(p.flights.started.Load()), int(p.flights.skipped.Load())
	s.Examples, s.Failures = slices.Clone(s.Examples), maps.Clone(s.Failures)
	s.Latency = p.took.latency("request")
	return s
}

func (p *replayer) line(elapsed time.Duration) string {
	s := p.summary()
	return fmt.Sprintf("%s sent %d · 2xx %d 3xx %d 4xx %d 5xx %d · no answer %d · unreadable %d · p50 %s p99 %s · in flight %d · skipped %d",
		clock(elapsed), s.Sent, s.Classes[2], s.Classes[3], s.Classes[4], s.Classes[5], s.noAnswer(), s.Unreadable,
		short(s.Latency.P50), short(s.Latency.P99), p.flights.underWay(), s.Skipped)
}

func (s ReplaySummary) noAnswer() int {
	n := 0
	for _, c := range s.Failures {
		n += c
	}
	return n
}

// WriteText writes the summary for people, ending in a newline. It gives the first error of w.
func (s ReplaySummary) WriteText(w io.Writer) error {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-16s"+format+"\n", append([]any{name}, args...)...)
	}
	row("lines", "%d, %d of them unreadable", s.Lines, s.Unreadable)
	for _, l := range s.Examples {
		fmt.Fprintf(&b, "  line %d: %s\n", l.Number, l.Reason)
	}
	row("sent", "%d in %s; %d as GET instead of another method, %d without a client address", s.Sent, s.Elapsed.Round(100*time.Millisecond), s.Rewritten, s.NoAddress)
	if s.Skipped > 0 {
		row("SKIPPED", "%d requests were due but not sent: too many were under way", s.Skipped)
	}
	row("answers", "2xx %d, 3xx %d, 4xx %d, 5xx %d, none %d", s.Classes[2], s.Classes[3], s.Classes[4], s.Classes[5], s.noAnswer())
	writeFailures(&b, s.Failures)
	writeLatency(&b, []Latency{s.Latency})
	_, err := io.WriteString(w, b.String())
	return err
}
