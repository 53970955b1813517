package follow

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kreislauf/logship/tail"
)

// A file that appears under an input name is not always new: `copytruncate` of logrotate copies a file and then empties it, and
// when the pattern fits the name of the copy too, its lines would be shipped twice. So a file is compared with what was shipped
// already, before it is followed:
//
//   - It begins like a file that is followed: while it is the same as that one, all the way to where the shorter of the two
//     ends, nobody can say which of them it is. It is a twin, and waits.
//   - As soon as it differs it is a file of its own, and read from its beginning. Two services may begin alike.
//   - When the content of the other file is gone, the twin is what is left of it. What was shipped is not shipped again.
//   - Its other one was truncated already: then the head and a checksum of all that was shipped tell that it is the copy.
const (
	// twinTime is how long a short twin waits. So little text, less than tail.HeadSize bytes, may be the same by accident.
	twinTime = 30 * time.Second
	// formerTime is how long a content that is gone is remembered, so that a copy of it is recognised.
	formerTime = 10 * time.Minute
	// maxFormer is how many of these contents are remembered.
	maxFormer = 1000
	// compareAtOnce is how much of a twin is compared in one go, in bytes.
	compareAtOnce = 256 << 20
)

// arrival is a file that was found under an input name.
type arrival struct {
	file   *tail.File
	source source
}

// twin is a file that is the same as a followed one so far.
type twin struct {
	of    *File
	same  int64 // up to this offset
	since time.Time
	sweep int // the last sweep that found it
}

// formerContent is a content that was shipped up to size, and that its writer truncated away.
type formerContent struct {
	key   tail.Key // of the file that had it
	dir   string
	head  tail.Head
	size  int64
	marks []tail.Mark
	since time.Time
}

// remember keeps a content that is gone.
func (f *Follower) remember(c formerContent) {
	if c.head.Len < tail.HeadSize {
		return // so little text may be the same by accident
	}
	f.former = append(f.former, c)
	f.forgetFormer(c.since)
}

// forgetFormer forgets what was remembered for long enough.
func (f *Follower) forgetFormer(now time.Time) {
	n := max(0, len(f.former)-maxFormer)
	for n < len(f.former) && now.Sub(f.former[n].since) > formerTime {
		n++
	}
	f.former = append(f.former[:0], f.former[n:]...)
}

// settleArrivals decides about the files that were found: new, known, or to be looked at again.
func (f *Follower) settleArrivals(now time.Time) {
	f.forgetFormer(now)
	for key, t := range f.twins {
		if t.sweep < f.sweeps-1 { // it was removed
			delete(f.twins, key)
		}
	}
	for len(f.arrivals) > 0 { // comparing may find out that a file was replaced, and more arrivals with it
		all := f.arrivals
		f.arrivals = nil
		for _, a := range all {
			delete(f.arrived, a.file.Key)
			f.settle(a, now)
		}
	}
}

func (f *Follower) settle(a arrival, now time.Time) {
	key, waits := a.file.Key, f.waits(a, now)
	// A copy that was still being written when it was opened is complete when its original is found to be truncated.
	size := a.file.SizeNow()
	if file := f.files[key]; file != nil { // another one goes on in it
		f.alarms.Check(alarmNotClosed, a.file.Close())
		f.revisit(file, a.file.Path, a.source, true, size)
		return
	}
	if waits {
		f.alarms.Check(alarmNotClosed, a.file.Close())
		return
	}
	known := f.knownContent(a.file)
	if t := f.twins[key]; t != nil && t.same == size { // its other one ended, and it was the same to the end
		known = size
	}
	delete(f.twins, key)
	f.followNew(a.file, a.source, known, now)
}

// waits reports whether the file is the same as a followed one so far.
func (f *Follower) waits(a arrival, now time.Time) bool {
	key := a.file.Key
	if t := f.twins[key]; t != nil {
		if t.sweep = f.sweeps; !f.follows(t.of) {
			return false
		}
		return f.isTwin(t, a.file, now)
	}
	dir := filepath.Dir(a.file.Path)
	for _, other := range f.files {
		if other.Offset() == 0 || other.gone || !other.tail.Alike(a.file) || other.tail.Packed() || filepath.Dir(other.Path()) != dir {
			continue
		}
		t := &twin{of: other, since: now, sweep: f.sweeps}
		if f.isTwin(t, a.file, now) {
			f.twins[key] = t
			return true
		}
		if !f.follows(other) { // its content is gone, and what is left of it is known
			return false
		}
	}
	return false
}

// follows reports whether the content of the file is still followed.
func (f *Follower) follows(file *File) bool { return f.files[file.tail.Key] == file && !file.finished }

// isTwin compares on and reports whether the file is still the same as the other one.
func (f *Follower) isTwin(t *twin, file *tail.File, now time.Time) bool {
	if err := f.wake(t.of); err != nil {
		return false // it went away
	}
	size := file.SizeNow()
	same, differ, err := file.SameAs(t.of.tail, t.same, compareAtOnce)
	longer := size > same && size > t.of.tail.SizeNow()
	intact := true
	if err == nil { // last, so that it was the same content that was compared
		intact, err = t.of.tail.Intact()
	}
	switch {
	case err != nil:
		f.alarms.Check(alarmUnread, err)
		return true // look again
	case !intact:
		f.replaced(t.of, now)
		return false
	case differ || longer:
		t.same = -1 // it is not the same to its end
		return false
	}
	t.same = same
	if size < tail.HeadSize && now.Sub(t.since) >= twinTime {
		t.same = -1
		return false
	}
	return true
}

// knownContent returns up to where the content of the file was shipped already, as that of a file that is gone; else 0.
func (f *Follower) knownContent(file *tail.File) int64 {
	dir := filepath.Dir(file.Path)
	for _, c := range f.former {
		if c.key != file.Key && c.dir == dir && file.BeginsWith(c.head) && f.matches(file, c.marks) {
			return min(file.Size(), c.size)
		}
	}
	for key, entries := range f.missing {
		for _, e := range entries {
			if filepath.Dir(e.Path) == dir && e.HeadLen == tail.HeadSize && isAt(key, e.Path) && file.BeginsWith(headOf(e)) && f.matches(file, []tail.Mark{markOf(e)}) {
				return min(file.Size(), e.Acked)
			}
		}
	}
	return 0
}

// isAt reports whether the path leads to the file with the key.
func isAt(key tail.Key, path string) bool {
	info, err := os.Stat(path)
	return err == nil && tail.KeyOf(info) == key
}

// matches reports whether the file has the content of the last mark that is inside it.
func (f *Follower) matches(file *tail.File, marks []tail.Mark) bool {
	for i := len(marks) - 1; i >= 0; i-- {
		m := marks[i]
		if m.At == 0 || m.At > file.Size() {
			continue
		}
		same, err := file.Matches(m)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.alarms.Check(alarmUnread, err)
		}
		return same
	}
	return false
}
