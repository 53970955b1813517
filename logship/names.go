package logship

import (
	"errors"
	"os"
	"path/filepath"
	"sort"
	"time"

	"kreislauf/logship/tail"
)

// enter enters the names of a stream: its path and, behind symbolic links, its real one, which is what
// notifications tell.
func (s *pipeline) enter(st *stream) {
	s.paths[st.Path] = st
	real, err := filepath.EvalSymlinks(st.Path)
	if err != nil || real == st.Path {
		return
	}
	st.real = real
	s.paths[real] = st
	if s.watcher != nil {
		s.alarms.check("folder not watched, looking through it instead", s.watcher.Add(filepath.Dir(real)))
	}
}

func (s *pipeline) strike(st *stream) {
	for _, path := range [...]string{st.Path, st.real} {
		if s.paths[path] == st {
			delete(s.paths, path)
		}
	}
	st.real = ""
}

// stillAt reports whether the path of the stream still leads to its file: then another path that does is only a
// second name of it.
func (s *pipeline) stillAt(st *stream) bool {
	if s.paths[st.Path] != st {
		return false
	}
	info, err := os.Stat(st.Path)
	return err == nil && tail.KeyOf(info) == st.Key
}

// leave notes that a stream has no input name any more.
func (s *pipeline) leave(st *stream, now time.Time) {
	st.gone, st.grew = true, now
	s.leaving[st] = true
	s.strike(st)
	if !st.Open() && st.Readable() {
		s.findRenamed(st)
	}
}

// findRenamed looks for the new name of a parked file in its folder.
func (s *pipeline) findRenamed(st *stream) bool {
	dir := filepath.Dir(st.Path)
	names, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, name := range names {
		if info, err := name.Info(); err == nil && tail.KeyOf(info) == st.Key {
			st.Path = filepath.Join(dir, name.Name())
			return true
		}
	}
	return false
}

// secure writes the checkpoint to disk. Only then the lines of new files may go out: their identity must outlive
// the process.
func (s *pipeline) secure() {
	err := s.store.Sync()
	s.alarms.check("checkpoint not writable", err)
	if err != nil {
		return
	}
	for _, st := range s.fresh {
		st.durable = true
		s.enqueue(st)
	}
	s.fresh = s.fresh[:0]
}

// findCopy finds a copy of what the file at path was, among files that are not followed.
func (s *pipeline) findCopy(path string, head tail.Head, size int64, not tail.Key) *tail.File {
	return tail.FindCopy(filepath.Dir(path), head, size, func(key tail.Key) bool { return key == not || s.files[key] != nil })
}

// checkHeld raises an alarm when deleted files that are kept open take much of the disk. They are kept nevertheless.
func (s *pipeline) checkHeld() {
	held := int64(0)
	for st := range s.leaving {
		if st.Open() && !st.Linked() {
			held += st.Size()
		}
	}
	if held > s.heldLimit {
		s.alarms.raise("deleted log files are kept open because they are not delivered yet", byteText(held))
	}
}

// park closes the files that were idle for longest when more than maxOpen are open. A file that is deleted or
// renamed while it is parked is read to its end nevertheless unless it grew since then.
func (s *pipeline) park() {
	s.open = 0
	for _, st := range s.files {
		if st.Open() {
			s.open++
		}
	}
	if s.open <= s.maxOpen {
		return
	}
	var idle []*stream
	for _, st := range s.files {
		if st.Open() && !st.gone && !st.queued && st.Offset() >= st.Size() {
			idle = append(idle, st)
		}
	}
	sort.Slice(idle, func(i, j int) bool { return idle[i].grew.Before(idle[j].grew) })
	for _, st := range idle[:min(len(idle), s.open-s.maxOpen)] {
		s.alarms.check("log file not closed", st.Park())
		s.open--
	}
}

// wake opens a parked file again, also under another name in its folder.
func (s *pipeline) wake(st *stream) error {
	if st.Open() {
		return nil
	}
	if s.open >= s.maxOpen {
		s.park()
	}
	err := st.Wake()
	if errors.Is(err, tail.ErrReplaced) && !st.gone {
		s.leave(st, time.Now())
		err = st.Wake()
	}
	if err == nil {
		s.open++
	}
	return err
}
