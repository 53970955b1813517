package supervise

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// How a running process is watched.
const (
	lookEvery = 300 * time.Millisecond // the pause between two looks at a process
	answerIn  = 250 * time.Millisecond // limit of a probe; it doubles with each one missed, so that a slow answer is seen at last
	answerMax = 2 * time.Second        // to this
	outAfter  = 3                      // probes missed in a row make a process Suspect
	inAfter   = 2                      // probes answered in a row make a Suspect Ready
	hungAfter = 5                      // probes missed in a row, over Patience at least, mean that it hangs
	killAfter = 3                      // looks in a row at which it is stopped (SIGSTOP) mean the same: no load does that
	slack     = 100 * time.Millisecond // by which this process may be late itself before a miss says nothing about the other one
)

// Patience is how long a process that is not stopped may be silent before it counts as hung, unless its component says otherwise.
const Patience = 5 * time.Second

// look is one look at a process.
type look struct {
	at      time.Time // when it began
	took    time.Duration
	stopped bool  // the kernel says that the process is stopped
	err     error // of the probe
	late    bool  // this process got no CPU in time itself, so a missed probe is no evidence
}

// verdict on a process.
type verdict int

const (
	fine verdict = iota
	suspect
	hung
)

// judge turns looks into a verdict. It has no clock and no process.
type judge struct {
	patience            time.Duration
	misses, stops, good int // in a row
	since               time.Time
	out                 bool
}

// limit is how long the next probe may take.
func (j *judge) limit() time.Duration { return min(answerIn<<min(j.misses, 8), answerMax) }

// take adds a look. silent is how long nothing good was seen of the process.
func (j *judge) take(l look) (v verdict, silent time.Duration) {
	switch {
	case l.stopped:
		j.stops++
	case l.err == nil:
		j.misses, j.stops = 0, 0
		if j.good++; j.good >= inAfter {
			j.out = false
		}
		return j.standing(), 0
	case l.late:
		j.stops = 0
		return j.standing(), 0
	default:
		j.misses++
		j.stops = 0
	}
	if j.good = 0; j.misses+j.stops == 1 {
		j.since = l.at
	}
	silent = l.at.Add(l.took).Sub(j.since)
	j.out = j.out || j.misses >= outAfter
	if j.stops >= killAfter || (j.misses >= hungAfter && silent >= j.patience) {
		return hung, silent
	}
	return j.standing(), silent
}

func (j *judge) standing() verdict {
	if j.out {
		return suspect
	}
	return fine
}

// watch looks at a process until ctx ends or it is found hung; then it is killed, and why is told on found.
// Until it was ready once, only being stopped counts: a start may take its time.
func (s *Supervisor) watch(ctx context.Context, m *member, pid int, ready func() bool, found chan<- string) {
	j := judge{patience: m.Patience}
	if j.patience == 0 {
		j.patience = Patience
	}
	workers := map[int]int{} // looks in a row at which a worker was stopped, by pid
	last := fine
	for {
		due := time.Now().Add(lookEvery)
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
		if m.Workers != nil {
			workers = m.watchWorkers(pid, workers)
		}
		l := look{at: time.Now(), stopped: stopped(pid), late: time.Since(due) > slack}
		if !l.stopped && ready() {
			limit := j.limit()
			pctx, cancel := context.WithTimeout(ctx, limit)
			l.err = m.Alive(pctx)
			cancel()
			l.took = time.Since(l.at)
			l.late = l.late || l.took > limit+slack
		}
		if ctx.Err() != nil {
			return
		}
		v, silent := j.take(l)
		why := "it is stopped"
		if l.err != nil {
			why = fmt.Sprintf("no answer: %v", l.err)
		}
		switch {
		case v == hung:
			s.set(m, func(st *Status) {
				st.State, st.Why, st.Silent = Hung, why, silent
				st.Hangs++
			})
			found <- why
			_ = syscall.Kill(-pid, syscall.SIGKILL) // an error says that it is gone already
			return
		case v == last:
		case v == suspect:
			s.set(m, func(st *Status) { st.State, st.Why, st.Silent = Suspect, why, silent })
		default:
			s.set(m, func(st *Status) { st.State, st.Why, st.Silent = Ready, "", 0 })
		}
		last = v
	}
}

// watchWorkers kills workers that stay stopped; their parent starts others.
func (m *member) watchWorkers(pid int, seen map[int]int) map[int]int {
	now := map[int]int{}
	for _, w := range children(pid) {
		if !stopped(w) {
			continue
		}
		if now[w] = seen[w] + 1; now[w] == killAfter && syscall.Kill(w, syscall.SIGKILL) == nil {
			m.Workers(w, killAfter*lookEvery)
		}
	}
	return now
}
