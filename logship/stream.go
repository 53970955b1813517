package logship

import (
	"time"

	"kreislauf/logship/enrich"
	"kreislauf/logship/tail"
)

// How long a file that has no more a name of its own in the tree is kept open after its last byte came. The
// writer of a renamed file may not have noticed yet; that of a deleted one is about to end.
const (
	renamedGrace = 10 * time.Minute
	deletedGrace = 30 * time.Second
	copyGrace    = 5 * time.Second
)

// stream is a file on its way: what tail knows of it and what the pump needs.
type stream struct {
	*tail.File
	id         tail.Identity
	generation uint32
	headLen    int // as it is in the checkpoint
	source     source
	origin     *enrich.Origin
	join       *joiner // nil when every line is an event

	real     string // the path without symbolic links, when it is another
	durable  bool   // its identity is on disk
	queued   bool   // in the queue of the pump
	sweep    int    // the last sweep that found it under an input name
	gone     bool   // rotated away or deleted
	copied   bool   // continues in a copy that logrotate made
	finished bool   // read to the very end; only acknowledgements are missing
	grew     time.Time
	noticed  time.Time // since when there is something unread, zero when not

	load, span int // the batch being built that has a part of this file, and which part
}

// grace is how long the stream is kept after its last growth.
func (s *stream) grace() time.Duration {
	switch {
	case s.copied:
		return copyGrace
	case s.Linked():
		return renamedGrace
	}
	return deletedGrace
}

// note keeps track of growth for the ages.
func (s *stream) note(now time.Time) {
	switch {
	case s.Offset() >= s.Size():
		s.noticed = time.Time{}
	case s.noticed.IsZero():
		s.noticed = now
	}
}

// safe returns the offset below which everything is handed out when all lines up to end were taken.
func (s *stream) safe(end int64) int64 {
	if s.join == nil {
		return end
	}
	return s.join.safe(end)
}
