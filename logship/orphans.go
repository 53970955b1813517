package logship

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"kreislauf/logship/checkpoint"
	"kreislauf/logship/tail"
)

// orphanTime is how long after the start a file of the checkpoint that was not found is still waited for.
const orphanTime = time.Hour

// orphaned is a file of the checkpoint that is not found under its inode.
type orphaned struct {
	entry checkpoint.Entry
	key   tail.Key
}

// adoptOrphans looks for files of the checkpoint that are gone in copies of them, plain or gzipped, in the folder
// where they were: logrotate may have compressed or copied them while nobody looked. Candidates that did not change
// since the last time are not opened again.
func (s *pipeline) adoptOrphans(now time.Time) {
	if now.Sub(s.started) > orphanTime {
		for _, entries := range s.orphans {
			for _, e := range entries {
				s.store.Forget(e.ID)
			}
		}
		clear(s.orphans)
		s.looked = nil
		return
	}
	folders := make(map[string][]orphaned)
	for key, entries := range s.orphans {
		for _, e := range entries {
			dir := filepath.Dir(e.Path)
			folders[dir] = append(folders[dir], orphaned{e, key})
		}
	}
	if s.looked == nil {
		s.looked = make(map[tail.Key]int64)
	}
	for dir, lost := range folders {
		names, err := os.ReadDir(dir)
		if err != nil {
			continue // the folder is gone as well
		}
		for _, packed := range [...]bool{false, true} { // a plain copy is better than a gzipped one
			for _, name := range names {
				s.tryCopy(filepath.Join(dir, name.Name()), name, packed, &lost, now)
			}
		}
	}
}

// tryCopy goes on with one of the lost files in the file at path, when that is a copy with something unread.
func (s *pipeline) tryCopy(path string, name os.DirEntry, packed bool, lost *[]orphaned, now time.Time) {
	info, err := name.Info()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return
	}
	key := tail.KeyOf(info)
	if s.files[key] != nil || s.looked[key] == info.Size() {
		return
	}
	f, err := tail.Open(path)
	if err != nil {
		if !errors.Is(err, tail.ErrNotReady) {
			s.alarms.check("log file not readable", err)
		}
		return
	}
	if f.Packed() != packed {
		s.alarms.check("log file not closed", f.Close())
		return
	}
	s.looked[key] = info.Size()
	for i, o := range *lost {
		longer := false
		if f.BeginsWith(tail.Head{Len: int(o.entry.HeadLen), Sum: o.entry.HeadSum}) {
			longer, err = f.LongerThan(o.entry.Acked)
			s.alarms.check("log file not readable", err)
		}
		if !longer {
			continue
		}
		if s.resume(f, o.entry, source{}, false, now) {
			*lost = append((*lost)[:i], (*lost)[i+1:]...)
			s.forgetOrphan(o)
			st := s.files[f.Key]
			st.copied = true
			s.remember(st)
			return
		}
	}
	s.alarms.check("log file not closed", f.Close())
}

func (s *pipeline) forgetOrphan(o orphaned) {
	left := s.orphans[o.key][:0]
	for _, e := range s.orphans[o.key] {
		if e.ID != o.entry.ID {
			left = append(left, e)
		}
	}
	if s.orphans[o.key] = left; len(left) == 0 {
		delete(s.orphans, o.key)
	}
}
