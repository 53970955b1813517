package follow

import "time"

// A mark is a time together with how long every file was then. When every file is acknowledged up to its mark, all that was written
// before that time is delivered. There is one mark at a time; a sweep takes the next one when the last was reached.

// CompleteUntil returns the time of the last sweep of which is known that all lines written before it are final; zero as long as
// that is known of none, as after a start with a backlog. It is some seconds old, because it moves with the sweeps, and it stands still while any
// file is behind. It does not count a last line without its line feed, files that are not followed (yet), and what a writer truncated away.
func (f *Follower) CompleteUntil() time.Time {
	if f.markedAt.IsZero() {
		return f.complete
	}
	for _, file := range f.files {
		if !file.reached() {
			return f.complete
		}
	}
	for file := range f.ending { // some are no longer in the table: another content has their place
		if !file.reached() {
			return f.complete
		}
	}
	f.complete, f.markedAt = f.markedAt, time.Time{}
	return f.complete
}

// mark takes the next mark at the end of a sweep.
func (f *Follower) mark() {
	if f.CompleteUntil(); !f.markedAt.IsZero() {
		return
	}
	f.markedAt = f.sweptAt
	for _, file := range f.files {
		file.marked = max(file.tail.Size(), file.Offset())
	}
}

// reached reports whether all lines of the file below its mark are final.
func (f *File) reached() bool {
	if f.truncated { // what it has now is not read yet
		return false
	}
	if f.Acked() >= f.marked {
		return true
	}
	if !f.torn || f.queued {
		return false
	}
	_, pending := f.tail.Pending()
	open := false
	if f.joiner != nil {
		_, open = f.joiner.OpenSince()
	}
	return !pending && !open
}
