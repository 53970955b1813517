package tail

import "time"

// acks turns acknowledgements that come in any order into one contiguous position.
type acks struct {
	acked   int64
	known   Mark // of the content below acked
	first   int  // the ticket of pending[0]
	pending []pendingPart
}

type pendingPart struct {
	end   int64
	known Mark // of the content below end
	at    time.Time
	done  bool
}

// Send notes that a part of the file up to end goes out now and returns the ticket of the part.
func (f *File) Send(end int64, now time.Time) int {
	a := &f.acks
	a.pending = append(a.pending, pendingPart{end: end, at: now})
	return a.first + len(a.pending) - 1
}

// Extend moves the end of the part that was sent last.
func (f *File) Extend(ticket int, end int64) {
	p := &f.acks.pending[ticket-f.acks.first]
	p.end, p.known = end, f.markBelow(end)
}

// Done notes that the part is final and reports whether the acknowledged position moved.
func (f *File) Done(ticket int) bool {
	a := &f.acks
	a.pending[ticket-a.first].done = true
	n := 0
	for n < len(a.pending) && a.pending[n].done {
		if p := a.pending[n]; p.end >= a.acked {
			a.acked = p.end
			if p.known.At > a.known.At {
				a.known = p.known
			}
		}
		n++
	}
	a.pending = append(a.pending[:0], a.pending[n:]...)
	a.first += n
	return n > 0
}

// Acked returns the position below which everything is final.
func (f *File) Acked() int64 { return f.acks.acked }

// Known returns what is remembered of the content below Acked, at or below that offset.
func (f *File) Known() Mark { return f.acks.known }

// Pending reports whether parts are out, and since when the oldest is.
func (f *File) Pending() (since time.Time, ok bool) {
	if len(f.acks.pending) == 0 {
		return time.Time{}, false
	}
	return f.acks.pending[0].at, true
}
