package follow

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"kreislauf/logship/checkpoint"
	"kreislauf/logship/tail"
)

// missingTime is how long after the start a file of the checkpoint that was not found is looked for.
const missingTime = time.Hour

// missingFile is a file of the checkpoint that was not found, and the inode that it had.
type missingFile struct {
	entry checkpoint.Entry
	key   tail.Key
}

// replaced deals with a file whose content is not what it was. The old content goes on in a copy, when there is one with
// something unread. The new content is a file of its own.
func (f *Follower) replaced(file *File, now time.Time) {
	path, key, next := file.tail.Path, file.tail.Key, file.generation+1
	wasGone := file.gone
	delete(f.files, key)
	f.removeNames(file)
	file.gone, file.truncated = true, false
	f.ending[file] = true
	marks := file.tail.Marks()
	if twin := f.findCopy(path, file.tail.Head(), file.Offset(), last(marks), key); twin != nil {
		f.alarms.Check(alarmNotClosed, file.tail.Adopt(twin))
		file.copied, file.grew = true, now
		f.files[file.tail.Key] = file
		f.put(file)
		f.enqueue(file)
		f.keepUnderInputName(file, file.tail.Path)
	} else {
		if lost := file.tail.Unread(); lost > 0 {
			f.abandoned += lost
			f.alarms.Raise("log file truncated before it was read to the end", path)
		}
		f.remember(formerContent{key: key, dir: filepath.Dir(path), head: file.tail.Head(), size: file.Offset(), marks: marks, since: now})
		f.alarms.Check(alarmNotClosed, file.tail.Close())
	}
	if !wasGone {
		f.generations[key] = next
		f.visit(path, now)
		f.settleArrivals(now)
		f.Save()
	}
}

// last returns the last of the marks, one that says nothing when there is none.
func last(marks []tail.Mark) tail.Mark {
	if len(marks) == 0 {
		return tail.Mark{}
	}
	return marks[len(marks)-1]
}

// findCopy finds a copy of what the file at path was, longer than size, among the files of its folder that are not followed. not
// is the file itself.
func (f *Follower) findCopy(path string, head tail.Head, size int64, known tail.Mark, not tail.Key) *tail.File {
	return tail.FindCopy(filepath.Dir(path), head, size, known, func(key tail.Key) bool { return key == not || f.files[key] != nil })
}

// resumeInCopy goes on with a file of the checkpoint in a copy of it, because the file itself was truncated. It reports false
// when there is no copy with something unread.
func (f *Follower) resumeInCopy(e checkpoint.Entry, key tail.Key, now time.Time) bool {
	twin := f.findCopy(e.Path, headOf(e), e.Acked, markOf(e), key)
	if twin == nil {
		return false
	}
	path := twin.Path
	if !f.resume(twin, e, source{}, false, now) {
		f.alarms.Check(alarmNotClosed, twin.Close())
		return false
	}
	f.continueInCopy(twin.Key, path)
	return true
}

// continueInCopy notes that the file with this key is a copy, with the name path, in which a known file goes on.
func (f *Follower) continueInCopy(key tail.Key, path string) {
	file := f.files[key]
	file.copied = true
	f.put(file)
	f.keepUnderInputName(file, path)
}

// keepUnderInputName goes on following a copy, in which a known file goes on, when its name is one of an input. Else it is forgotten
// when it is read to its end; under an input name it would then be found as a new file.
func (f *Follower) keepUnderInputName(file *File, path string) {
	if source, ok := f.inputs.sourceOf(path); ok {
		f.revisit(file, path, source, true, file.Size())
	}
}

// findMissing looks for files of the checkpoint that were not found in copies of them, plain or gzipped, in the folder where
// they were: logrotate may have compressed or copied them while nobody looked. A candidate that did not change since the last
// time is not opened again.
func (f *Follower) findMissing(now time.Time) {
	if now.Sub(f.started) > missingTime {
		for _, entries := range f.missing {
			for _, e := range entries {
				f.store.Forget(e.ID)
			}
		}
		clear(f.missing)
		clear(f.triedCopies)
		return
	}
	folders := make(map[string][]missingFile)
	for key, entries := range f.missing {
		for _, e := range entries {
			dir := filepath.Dir(e.Path)
			folders[dir] = append(folders[dir], missingFile{e, key})
		}
	}
	for dir, lost := range folders {
		names, err := os.ReadDir(dir)
		if err != nil {
			continue // the folder is gone as well
		}
		for _, packed := range [...]bool{false, true} { // a plain copy is better than a gzipped one
			for _, name := range names {
				f.tryCopy(filepath.Join(dir, name.Name()), name, packed, &lost, now)
			}
		}
	}
}

// tryCopy goes on with one of the lost files in the file at path, when that is a copy of it with something unread. packed says
// whether only gzip files or only plain ones count.
func (f *Follower) tryCopy(path string, name os.DirEntry, packed bool, lost *[]missingFile, now time.Time) {
	info, err := name.Info()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return
	}
	key := tail.KeyOf(info)
	if f.files[key] != nil || f.triedCopies[key] == info.Size() {
		return
	}
	opened, err := tail.Open(path)
	if err != nil {
		if !errors.Is(err, tail.ErrNotReady) {
			f.alarms.Check(alarmUnread, err)
		}
		return
	}
	if opened.Packed() != packed {
		f.alarms.Check(alarmNotClosed, opened.Close())
		return
	}
	f.triedCopies[key] = info.Size()
	for i, m := range *lost {
		longer := false
		if opened.BeginsWith(headOf(m.entry)) {
			longer, err = opened.LongerThan(m.entry.Acked)
			if longer && err == nil {
				longer, err = opened.Matches(markOf(m.entry))
			}
			f.alarms.Check(alarmUnread, err)
		}
		if longer && f.resume(opened, m.entry, source{}, false, now) {
			*lost = append((*lost)[:i], (*lost)[i+1:]...)
			f.found(m)
			f.continueInCopy(opened.Key, path)
			return
		}
	}
	f.alarms.Check(alarmNotClosed, opened.Close())
}

// found takes a file out of the table of missing ones.
func (f *Follower) found(m missingFile) {
	left := f.missing[m.key][:0]
	for _, e := range f.missing[m.key] {
		if e.ID != m.entry.ID {
			left = append(left, e)
		}
	}
	if f.missing[m.key] = left; len(left) == 0 {
		delete(f.missing, m.key)
	}
}
