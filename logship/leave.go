package logship

import (
	"time"

	"kreislauf/logship/checkpoint"
)

// lookAfterLeaving reads on in files that have left the tree and lets go of those that are done.
func (s *pipeline) lookAfterLeaving(now time.Time) {
	s.setNow()
	for st := range s.leaving {
		if !st.finished {
			if st.Readable() && now.Sub(st.grew) < st.grace() {
				if now.Sub(st.grew) < 50*leavePause { // later the sweep is often enough
					s.enqueue(st)
				}
				continue
			}
			if st.queued || !s.finish(st, now) {
				continue
			}
		}
		if _, pending := st.Pending(); pending {
			continue
		}
		s.alarms.check("log file not closed", st.Close())
		delete(s.leaving, st)
		delete(s.waiting, st)
		if s.files[st.Key] == st {
			delete(s.files, st.Key)
		}
		s.store.Forget(checkpoint.ID(st.id))
	}
}

// finish ships what a file ends with, a last line without line feed or the parts of a line that was never
// completed, and reports whether there was room for all of it.
func (s *pipeline) finish(st *stream, now time.Time) bool {
	if st.Readable() {
		if err := s.wake(st); err != nil { // parked, and gone since: everything was read before
			s.alarms.check("log file not closed", st.Close())
		}
	}
	if st.Readable() {
		if !st.Complete() {
			s.alarms.raise("gzip file ends too early, waiting for the rest", st.Path)
			return false
		}
		lines, err := s.reader.Read(st.File)
		if err == nil && len(lines.Data) > 0 { // it grew, or there was no room for a long time
			st.grew = now
			s.enqueue(st)
			return false
		}
		rest, err := s.reader.Rest(st.File)
		s.alarms.check("log file not readable", err)
		if err == nil && len(rest.Data) > 0 && !s.take(st, rest, now) {
			return false
		}
	}
	for st.join != nil {
		if !s.room(now) {
			return false
		}
		in, ok := st.join.rest()
		if !ok {
			break
		}
		s.append(st, in, s.partOf(st))
		s.cover(st, st.Offset())
	}
	st.finished = true
	return true
}
