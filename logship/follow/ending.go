package follow

import (
	"time"

	"kreislauf/logship/tail"
)

// EndingPause is how often Finish should be called while there are files to be finished.
const EndingPause = 200 * time.Millisecond

// Ending reports whether there are files without an input name, which are read to their end.
func (f *Follower) Ending() bool { return len(f.ending) > 0 }

// Finish reads on in the files that have no input name any more, and lets go of those that are read to their end and
// acknowledged. takeLast is given what a file ends with when nobody writes it any more: a last line without line feed, perhaps
// empty. It also closes what the joiner holds, and reports false when there was no room for all of it.
func (f *Follower) Finish(now time.Time, takeLast func(file *File, piece tail.Chunk) bool) {
	for file := range f.ending {
		if !file.finished {
			if quiet := now.Sub(file.grew); file.tail.Readable() && quiet < file.grace() {
				if quiet < 50*EndingPause { // later the sweep looks often enough
					f.enqueue(file)
				}
				continue
			}
			if file.queued || !f.finish(file, now, takeLast) {
				continue
			}
		}
		if _, pending := file.tail.Pending(); pending {
			continue
		}
		f.alarms.Check(alarmNotClosed, file.tail.Close())
		delete(f.ending, file)
		if f.files[file.tail.Key] == file {
			delete(f.files, file.tail.Key)
		}
		f.store.Forget(file.checkpointID())
		f.forgetBefore(file)
	}
}

// finish hands out what a file ends with and reports whether all of it was taken.
func (f *Follower) finish(file *File, now time.Time, takeLast func(file *File, piece tail.Chunk) bool) bool {
	if file.tail.Readable() {
		if err := f.wake(file); err != nil { // it was removed while it was parked: everything was read before
			f.alarms.Check(alarmNotClosed, file.tail.Close())
		}
	}
	var last tail.Chunk
	if file.tail.Readable() {
		if !file.tail.Complete() {
			f.alarms.Raise("gzip file ends too early, waiting for the rest", file.tail.Path)
			return false
		}
		lines, err := f.reader.Read(file.tail)
		if err == nil && len(lines.Data) > 0 { // it grew, or there was no room for these lines for a long time
			file.grew = now
			f.enqueue(file)
			return false
		}
		last, err = f.reader.Rest(file.tail)
		f.alarms.Check(alarmUnread, err)
		if err != nil {
			last = tail.Chunk{}
		}
	}
	file.finished = takeLast(file, last)
	if file.finished {
		f.ended(file)
	}
	return file.finished
}
