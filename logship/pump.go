package logship

import (
	"context"
	"runtime"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// notifyPause is how long notifications are collected after one was acted upon.
	notifyPause = 10 * time.Millisecond
	// leavePause is how often files that were rotated away are looked at.
	leavePause = 200 * time.Millisecond
	// settlePause is how often events that wait for more lines are looked at.
	settlePause = 100 * time.Millisecond
	// sweepPause is the least time between two sweeps that notifications ask for.
	sweepPause = 50 * time.Millisecond
	// syncPause is how often the checkpoint is synced to disk.
	syncPause = time.Second
	// geoPause is how often the geo databases are checked for new versions.
	geoPause = time.Minute
	// drainTime bounds the final flush, drainTimeDown that to a target that is in trouble anyway.
	drainTime     = 5 * time.Second
	drainTimeDown = time.Second
	// chunksPerTurn bounds the work between two looks at everything else.
	chunksPerTurn = 16
)

// schedule is when the pump does what again.
type schedule struct {
	sweep, sync, geo, leave, notify, settle, read time.Time
}

// loop is the pump.
func (s *pipeline) loop(ctx context.Context) {
	var due schedule
	timer := time.NewTimer(0)
	defer timer.Stop()
	var errs chan error
	if s.watcher != nil {
		errs = s.watcher.Errors
	}
	for ctx.Err() == nil {
		wait := s.turn(&due)
		var events chan fsnotify.Event
		if s.watcher != nil && !time.Now().Before(due.notify) {
			events = s.watcher.Events
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case l := <-s.acks:
			s.locked(func() { s.acknowledge(l) })
		case e := <-events:
			s.locked(func() { s.notified(e, &due) })
		case err := <-errs: // the queue of the system overflowed: look everywhere
			s.alarms.check("file notifications lost, looking through the folders", err)
			due.sweep = time.Now()
		case <-timer.C:
		}
	}
}

func (s *pipeline) locked(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// turn does what is due and reads a while; it returns how long the pump may sleep.
func (s *pipeline) turn(due *schedule) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if !now.Before(due.geo) {
		opened, err := s.geo.Reload()
		s.alarms.check("geo database not usable", err)
		if opened {
			s.alarms.log.Info().Int64("open", s.geo.Loaded()).Msg("geo database opened")
		}
		due.geo = now.Add(geoPause)
	}
	if !now.Before(due.sweep) {
		s.sweep(now)
		due.sweep = now.Add(s.opt.PollInterval)
	}
	if !now.Before(due.leave) {
		s.lookAfterLeaving(now)
		due.leave = now.Add(leavePause)
	}
	if !now.Before(due.sync) {
		s.secure()
		due.sync = now.Add(syncPause)
	}
	more := false
	if !now.Before(due.read) {
		more = s.readDue(now, due)
	}
	if !now.Before(due.settle) && len(s.waiting) > 0 {
		s.settle(now)
		due.settle = now.Add(settlePause)
	}
	s.dispatch(now)
	if more {
		return 0
	}
	next := due.sweep
	for _, t := range [...]time.Time{due.sync, due.geo} {
		next = earlier(next, t)
	}
	if due.read.After(now) {
		next = earlier(next, due.read)
	}
	if len(s.waiting) > 0 {
		next = earlier(next, due.settle)
	}
	if len(s.leaving) > 0 {
		next = earlier(next, due.leave)
	}
	if due.notify.After(now) {
		next = earlier(next, due.notify)
	}
	if s.current != nil && s.inflight < senders && len(s.current.parts) > 0 {
		next = earlier(next, s.current.opened.Add(s.flush))
	}
	return max(0, time.Until(next))
}

// readDue reads. After the lines of one gathering it goes on gathering: who writes on is heard of when the next batch
// is due, without a notification that wakes the pump before.
func (s *pipeline) readDue(now time.Time, due *schedule) bool {
	if !s.gathering() {
		return s.read(now)
	}
	s.hear(now, due)
	busy := len(s.queue) > 0
	more := s.read(now)
	if busy && !s.gathering() {
		s.gather(now, due)
	}
	return more
}

// gather puts off reading, and hearing of what there is to read, to the time when a batch that begins now is due.
func (s *pipeline) gather(now time.Time, due *schedule) {
	s.gathered = now
	due.read = now.Add(s.flush)
	due.notify = due.read
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// notified acts upon a notification and all that wait behind it, then leaves the next ones for a moment. When nothing
// else is to be done, what was written is read only at the end of the time for which a batch waits anyway: that
// costs one look at a file instead of one for each line, and no time.
func (s *pipeline) notified(e fsnotify.Event, due *schedule) {
	now := time.Now()
	idle := len(s.queue) == 0 && (s.current == nil || len(s.current.parts) == 0)
	s.event(e, now, due)
	s.hear(now, due)
	due.notify = now.Add(notifyPause)
	if idle && len(s.queue) > 0 {
		s.gather(now, due)
	}
}

// gathering reports whether writers were heard of whose lines are to be read together.
func (s *pipeline) gathering() bool { return !s.gathered.IsZero() }

// event acts upon one notification.
func (s *pipeline) event(e fsnotify.Event, now time.Time, due *schedule) {
	if e.Has(fsnotify.Write) {
		s.written(e.Name, now)
	}
	if e.Has(fsnotify.Create) || e.Has(fsnotify.Rename) || e.Has(fsnotify.Remove) {
		due.sweep = earlier(due.sweep, later(now, s.sweepAt.Add(sweepPause)))
	}
}

// hear acts upon the notifications that wait. The watcher hands them over one by one and needs a turn of the
// scheduler between them.
func (s *pipeline) hear(now time.Time, due *schedule) {
	for range 4096 {
		select {
		case e := <-s.watcher.Events:
			s.event(e, now, due)
			continue
		default:
		}
		runtime.Gosched()
		select {
		case e := <-s.watcher.Events:
			s.event(e, now, due)
		default:
			return
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// drain delivers what is read and what can still be read, for a limited time.
func (s *pipeline) drain(stopSending func()) {
	limit := drainTime
	if s.client.Stats().Degraded {
		limit = drainTimeDown
	}
	end, readEnd := time.Now().Add(limit), time.Now().Add(limit/4)
	timer := time.NewTimer(0)
	defer timer.Stop()
	s.locked(func() { s.sweep(time.Now()) })
	for {
		now := time.Now()
		more := false
		s.locked(func() {
			if now.Before(readEnd) {
				more = s.read(now)
			}
			if s.current != nil {
				s.current.opened = time.Time{} // do not wait for more lines
			}
			s.dispatch(now)
		})
		if !now.Before(end) {
			stopSending()
		}
		if s.inflight == 0 && !more {
			return
		}
		if more && s.inflight < senders {
			continue
		}
		timer.Reset(max(time.Millisecond, time.Until(end)))
		select {
		case l := <-s.acks:
			s.locked(func() { s.acknowledge(l) })
		case <-timer.C:
		}
	}
}
