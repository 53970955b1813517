package follow

import (
	"time"

	"kreislauf/logship/checkpoint"
	"kreislauf/logship/enrich"
	"kreislauf/logship/join"
	"kreislauf/logship/tail"
)

// A file without an input name is kept open for a while after its last byte came. The writer of a renamed file may not have
// noticed yet that it was renamed. The writer of a deleted one is about to end.
const (
	renamedGrace = 10 * time.Minute
	deletedGrace = 30 * time.Second
	copyGrace    = 5 * time.Second
)

// File is a followed file: what its path says about its lines, and how far it is read and acknowledged. The Follower makes it;
// who takes its lines tells it what was taken (Consume), what is sent (Send, Extend) and what is final (Done).
type File struct {
	// tail is the file on the disk. It is closed while the file is parked, and another one when a copy took its place.
	tail       *tail.File
	id         tail.Identity
	generation uint32
	savedHead  int // length of the head that the checkpoint has, in bytes
	source     source
	origin     *enrich.Origin
	joiner     *join.Joiner

	before    *File // the file whose lines this one goes on with, nil when there is none or its lines are all complete
	next      *File // waits until this one is read to its end, because it goes on with its lines
	lookedFor bool  // before was looked for
	readToEnd bool  // nothing was left when it was read last

	realPath  string    // the path without symbolic links, empty when it is the same
	saved     bool      // the identity is on disk: lines may be sent
	queued    bool      // in the queue of the follower
	sweep     int       // number of the last sweep that found the file under an input name
	gone      bool      // has no input name any more: renamed, deleted or replaced
	copied    bool      // goes on in a copy that logrotate made
	finished  bool      // read to the very end; only acknowledgements are missing
	truncated bool      // is shorter than what was read of it: another content is there, which is not read yet
	torn      bool      // was read last up to a line without its line feed
	marked    int64     // the offset that it had to be delivered up to for the mark of the follower
	grew      time.Time // when it was last seen to grow
	noticed   time.Time // since when it is known to have something unread, zero when it has not
}

// Path returns the name of the file. It changes when the file is renamed to another input name.
func (f *File) Path() string { return f.tail.Path }

// Origin returns the file as its documents show it.
func (f *File) Origin() *enrich.Origin { return f.origin }

// Joiner returns what makes events of the lines; nil when each line is an event.
func (f *File) Joiner() *join.Joiner { return f.joiner }

// Before returns the file in which lines began that are completed in this one, nil when there is none.
func (f *File) Before() *File { return f.before }

// Offset returns the offset up to which the lines were taken.
func (f *File) Offset() int64 { return f.tail.Offset() }

// Consume notes that all lines of a piece below offset were taken.
func (f *File) Consume(piece tail.Chunk, offset int64) {
	if piece.Cut { // not all of its bytes are there
		f.tail.Consume(offset, nil)
		return
	}
	f.tail.Consume(offset, piece.Data[f.tail.Offset()-piece.Start:offset-piece.Start])
}

// Send notes that a part of the file goes into a batch now, and returns the ticket of the part.
func (f *File) Send(now time.Time) (ticket int) { return f.tail.Send(f.tail.Acked(), now) }

// Extend notes that the part contains everything of the file up to end, or that earlier parts do. What the joiner holds back
// does not count yet.
func (f *File) Extend(ticket int, end int64) {
	if f.joiner != nil {
		end = f.joiner.Safe(end)
	}
	f.tail.Extend(ticket, end)
}

// Done notes that all documents of the part are final, and reports whether Acked moved.
func (f *File) Done(ticket int) bool { return f.tail.Done(ticket) }

// Acked returns the offset below which everything is final.
func (f *File) Acked() int64 { return f.tail.Acked() }

// Size returns the size of the file when it was last looked at, in bytes.
func (f *File) Size() int64 { return f.tail.Size() }

// Gone reports whether the file was renamed or deleted and is read to its end.
func (f *File) Gone() bool { return f.gone }

// Deleted reports whether the file has no name at all any more.
func (f *File) Deleted() bool { return f.gone && !f.tail.Linked() }

// Age returns for how long the oldest line that is not final has been known.
func (f *File) Age(now time.Time) time.Duration {
	if since, ok := f.tail.Pending(); ok {
		return now.Sub(since)
	}
	since, ok := f.noticed, !f.noticed.IsZero()
	if f.joiner != nil {
		if open, holds := f.joiner.OpenSince(); holds && (!ok || open.Before(since)) {
			since, ok = open, true
		}
	}
	if !ok {
		return 0
	}
	return now.Sub(since)
}

// checkpointID returns the name of the file in the checkpoint.
func (f *File) checkpointID() checkpoint.ID { return checkpoint.ID(f.id) }

// grace returns how long the file is kept after its last growth when it has no input name.
func (f *File) grace() time.Duration {
	switch {
	case f.copied:
		return copyGrace
	case f.tail.Linked():
		return renamedGrace
	}
	return deletedGrace
}

// noteUnread keeps track of since when there is something unread.
func (f *File) noteUnread(now time.Time) {
	switch {
	case f.tail.Offset() >= f.tail.Size():
		f.noticed = time.Time{}
	case f.noticed.IsZero():
		f.noticed = now
	}
}
