package logship

import (
	"time"

	"kreislauf/logship/enrich"
	"kreislauf/logship/record"
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
	join       joiner

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

// joiner puts the partial lines of a container together. The two output streams of a container may alternate.
type joiner struct {
	parts [2]partial
}

type partial struct {
	open bool
	at   int64 // offset of the first part
	time []byte
	text []byte
	cut  bool
}

// add takes a line of the runtime at offset. ok says that in holds a whole line now.
func (j *joiner) add(line []byte, offset int64, cut bool) (in enrich.Input, ok bool) {
	c, isCRI := record.ParseCRI(line)
	if !isCRI {
		return enrich.Input{Line: line, Offset: offset, Truncated: cut}, true
	}
	p := &j.parts[0]
	if c.Stderr {
		p = &j.parts[1]
	}
	if !p.open && !c.Partial {
		return enrich.Input{Line: c.Content, Offset: offset, Time: c.Time, Truncated: cut}, true
	}
	if !p.open {
		*p = partial{open: true, at: offset, time: append(p.time[:0], c.Time...), text: p.text[:0]}
	}
	room := tail.MaxLine - len(p.text)
	if len(c.Content) > room {
		c.Content, p.cut = c.Content[:room], true
	}
	p.text = append(p.text, c.Content...)
	p.cut = p.cut || cut
	if c.Partial {
		return enrich.Input{}, false
	}
	p.open = false
	return enrich.Input{Line: p.text, Offset: p.at, Time: p.time, Truncated: p.cut}, true
}

// rest returns a line whose last part never came, and closes it.
func (j *joiner) rest() (in enrich.Input, ok bool) {
	for i := range j.parts {
		if p := &j.parts[i]; p.open {
			p.open = false
			return enrich.Input{Line: p.text, Offset: p.at, Time: p.time, Truncated: p.cut}, true
		}
	}
	return enrich.Input{}, false
}

// safe returns the offset below which everything is handed out when all lines up to end were added.
func (j *joiner) safe(end int64) int64 {
	for i := range j.parts {
		if p := &j.parts[i]; p.open {
			end = min(end, p.at)
		}
	}
	return end
}
