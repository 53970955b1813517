package logship

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"kreislauf/logship/checkpoint"
	"kreislauf/logship/enrich"
	"kreislauf/logship/tail"
)

// sweep looks through all folders: new files, renamed ones, ones that are gone, growth that no notification told.
func (s *pipeline) sweep(now time.Time) {
	s.sweeps++
	s.sweepAt = now
	for _, r := range s.inputs.roots {
		var patterns [][]string
		for _, p := range r.patterns {
			patterns = append(patterns, anyDepth(p)...)
		}
		s.folder(r.dir, patterns, now)
	}
	for _, st := range s.files {
		if st.sweep != s.sweeps && !st.gone {
			s.leave(st, now)
		}
		if st.gone {
			s.enqueue(st)
		}
	}
	if len(s.orphans) > 0 {
		s.adoptOrphans(now)
	}
	s.secure()
	s.checkHeld()
	s.park()
}

// folder looks through one folder, below which files with the patterns are looked for. All files of a folder that can
// hold inputs are looked at: one that is followed may have another name now.
func (s *pipeline) folder(dir string, patterns [][]string, now time.Time) {
	if s.watcher != nil {
		if err := s.watcher.Add(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.alarms.raise("folder not watched, looking through it instead", err.Error())
		}
	}
	names, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.alarms.raise("log folder not readable", err.Error())
	}
	files := slices.ContainsFunc(patterns, func(p []string) bool { return len(p) == 1 })
	for _, name := range names {
		path := filepath.Join(dir, name.Name())
		isDir := name.IsDir()
		if name.Type()&fs.ModeSymlink != 0 {
			info, err := os.Stat(path)
			isDir = err == nil && info.IsDir()
		}
		switch {
		case !isDir && files:
			s.visit(path, now)
		case isDir:
			if below := inFolder(patterns, name.Name()); len(below) > 0 && (name.IsDir() || !endless(below)) {
				s.folder(path, below, now)
			}
		}
	}
}

// endless reports whether a pattern goes to any depth: links to folders are not followed then, they may be circles.
func endless(patterns [][]string) bool {
	return slices.ContainsFunc(patterns, func(p []string) bool { return slices.Contains(p, "**") })
}

// written acts upon a notification of growth.
func (s *pipeline) written(path string, now time.Time) {
	if st := s.paths[path]; st != nil {
		s.enqueue(st)
		return
	}
	if _, ok := s.inputs.sourceOf(path); ok {
		s.visit(path, now)
		s.secure()
	}
}

// sourceOf says what a path means; it is known of the files that are followed.
func (s *pipeline) sourceOf(path string) (source, bool) {
	if st := s.paths[path]; st != nil && st.Path == path {
		return st.source, true
	}
	return s.inputs.sourceOf(path)
}

// visit looks at one file by its name.
func (s *pipeline) visit(path string, now time.Time) {
	source, input := s.sourceOf(path)
	if !input && len(s.orphans) == 0 && len(s.leaving) == 0 {
		return
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return // gone again since the folder was listed
	}
	key := tail.KeyOf(info)
	if st := s.files[key]; st != nil {
		s.again(st, path, source, input, info.Size())
		return
	}
	entries := s.orphans[key]
	if !input && len(entries) == 0 || info.Size() == 0 || len(entries) == 0 && s.packed[key] == info.Size() {
		return
	}
	f, err := tail.Open(path)
	if err != nil {
		if !errors.Is(err, tail.ErrNotReady) && !errors.Is(err, fs.ErrNotExist) {
			s.alarms.raise("log file not readable", err.Error())
		}
		return
	}
	if f.Key != key { // replaced between the two looks: the next sweep sees it right
		s.alarms.check("log file not closed", f.Close())
		return
	}
	delete(s.orphans, key)
	known := false
	for _, e := range entries {
		switch {
		case !known && s.resume(f, e, source, input, now):
			known = true
		case s.resumeCopy(e, key, now):
		default:
			s.generations[key] = max(s.generations[key], e.Generation+1)
			s.store.Forget(e.ID)
		}
	}
	switch {
	case known:
	case f.Packed(): // never a file of its own, only the rest of a known one: adoptOrphans and replaced look for those
		s.packed[key] = info.Size()
		s.alarms.check("log file not closed", f.Close())
	case input:
		s.start(f, source, now)
	default:
		s.alarms.check("log file not closed", f.Close())
	}
}

// again looks at a file that is known already, found under path.
func (s *pipeline) again(st *stream, path string, source source, input bool, size int64) {
	if input && !st.copied && !st.finished {
		st.sweep = s.sweeps
		if st.gone {
			st.gone = false
			delete(s.leaving, st)
		}
		if s.paths[path] != st && !s.stillAt(st) {
			s.strike(st)
			st.Path, st.source = path, source
			st.origin = enrich.NewOrigin(source.Source, path, st.id)
			s.enter(st)
		}
	}
	if size != st.Offset() {
		st.Saw(size)
		s.enqueue(st)
	}
}

// start begins to follow a file that was never seen before.
func (s *pipeline) start(f *tail.File, source source, now time.Time) {
	st := &stream{File: f, source: source, generation: s.generations[f.Key]}
	for {
		st.id = f.Identity(s.opt.Instance, st.generation)
		if !s.store.Has(checkpoint.ID(st.id)) {
			break
		}
		st.generation++
	}
	delete(s.generations, f.Key)
	s.fresh = append(s.fresh, st)
	s.follow(st, now)
	s.remember(st)
}

// resume goes on with a file of the checkpoint and reports whether f is it.
func (s *pipeline) resume(f *tail.File, e checkpoint.Entry, source source, input bool, now time.Time) bool {
	if !f.Packed() && f.Size() < e.Acked || !f.BeginsWith(tail.Head{Len: int(e.HeadLen), Sum: e.HeadSum}) {
		return false
	}
	if !input { // rotated away while nobody looked: it is what it was under its old name
		source, _ = s.inputs.sourceOf(e.Path)
		f.Path = e.Path
	}
	st := &stream{File: f, id: tail.Identity(e.ID), generation: e.Generation, headLen: int(e.HeadLen), source: source, durable: true}
	st.Resume(e.Acked)
	st.gone = !input
	s.follow(st, now)
	return true
}

// resumeCopy goes on with a file of the checkpoint in a copy of it, when the file itself was truncated.
func (s *pipeline) resumeCopy(e checkpoint.Entry, key tail.Key, now time.Time) bool {
	twin := s.findCopy(e.Path, tail.Head{Len: int(e.HeadLen), Sum: e.HeadSum}, e.Acked, key)
	if twin == nil {
		return false
	}
	if !s.resume(twin, e, source{}, false, now) {
		s.alarms.check("log file not closed", twin.Close())
		return false
	}
	st := s.files[twin.Key]
	st.copied = true
	s.remember(st)
	return true
}

// follow enters a stream into the tables.
func (s *pipeline) follow(st *stream, now time.Time) {
	st.origin = enrich.NewOrigin(st.source.Source, st.Path, st.id)
	st.join = newJoiner(&st.source, s.store.Cuts(checkpoint.ID(st.id)))
	st.grew, st.sweep = now, s.sweeps
	s.files[st.Key] = st
	if st.gone {
		s.leaving[st] = true
	} else {
		s.enter(st)
	}
	s.open++
	s.enqueue(st)
}
