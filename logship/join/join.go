// Package join makes events out of the lines of one file.
//
// It takes off the prefix that a container runtime writes before each line, puts the parts of a line together that the runtime
// had cut, and puts lines together that are one event, such as a stack trace. A container has two output streams whose lines
// may alternate in the file; they are joined apart from each other.
//
// Invariant: when the file is read again from an offset that Safe returned, the same events come out, each beginning and ending
// at the same offsets. For that, whatever ends an event must be known again: it is in the file, or it was a timeout, which the
// caller keeps (CutAt) and hands to New.
package join

import (
	"bytes"
	"regexp"
	"slices"
	"time"

	"kreislauf/logship/config"
	"kreislauf/logship/enrich"
	"kreislauf/logship/record"
	"kreislauf/logship/tail"
)

// Joiner joins the lines of one file. It belongs to one goroutine.
type Joiner struct {
	container bool
	multi     *config.Multiline
	done      func(text []byte) bool // reports that an event will not go on; nil when only the next line tells
	outputs   [2]output              // of a container: standard output and standard error; other files have only the first
	cuts      []int64                // offsets behind the last lines of events that a timeout ended
	docker    []byte                 // buffer for the text of a line of Docker
	whole     []byte                 // buffer for a line that is put together of its parts
	before    *Joiner                // of the file whose lines this one goes on with, nil when there is none
	inherited bool                   // the event that was handed out last began in the file before
}

// output is what is not complete yet of one output stream.
type output struct {
	partial piece // a line of which the runtime has not written the last part
	event   piece // an event to which the next line may belong
}

// piece is the beginning of a line or an event that is not complete.
type piece struct {
	open  bool  // there is one; everything else is without meaning when false
	at    int64 // offset of its first line
	end   int64 // offset behind its last line so far
	floor int64 // reading must begin here, at the latest, for the same to come out again; at or before at
	time  []byte
	text  []byte
	err   bool      // it is of standard error
	cut   bool      // it was too long and lost its end
	since time.Time // when its last line came
	from  *piece    // what it began with in the file before, nil when it began in this one
}

// New returns a Joiner for a container's file, or for text with events of several lines. cuts are the offsets that CutAt was
// told before a restart.
func New(container bool, multi *config.Multiline, cuts []int64) *Joiner {
	return &Joiner{container: container, multi: multi, cuts: slices.Clone(cuts)}
}

// errorLog says which lines of the error log of nginx are one entry: those up to the next that begins with a time.
var errorLog = config.Multiline{
	Start: regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[`), MaxBytes: tail.MaxLine, Timeout: 2 * time.Second,
}

// NewErrorLog returns a Joiner for the error log of nginx. Most of its entries are one line and do not wait. What an upstream wrote
// to its standard error, such as a stack trace, is logged as it is, over several lines, and the client, server and request that
// nginx adds stand at the end of the last one.
func NewErrorLog(cuts []int64) *Joiner {
	return &Joiner{multi: &errorLog, done: enrich.CompleteErrorEntry, cuts: slices.Clone(cuts)}
}

// GoOnFrom says that the lines of this file follow those of the file that before joins, which was rotated away. The parts of a line
// that are open there belong to the next line of the same output stream here. It must be called before the first Add.
func (j *Joiner) GoOnFrom(before *Joiner) { j.before = before }

// Inherited reports whether the event that Add, Rest or End returned last began in the file before: then its Offset is one of that
// file, and nothing of it is open there any more.
func (j *Joiner) Inherited() bool { return j.inherited }

// HoldsPart reports whether a line is open whose last part has not come.
func (j *Joiner) HoldsPart() bool { return j.outputs[0].partial.open || j.outputs[1].partial.open }

// Add takes the line between two offsets; cut says that its end is missing. When ok is true, in holds an event that is
// complete; it is valid until the next call. When took is false, the line was not taken, because the event in had to be handed
// out before: add the same line again.
func (j *Joiner) Add(line []byte, start, end int64, cut bool, now time.Time) (in enrich.Input, ok, took bool) {
	j.inherited = false
	c, out := j.runtime(line)
	if c.Partial {
		out.partial.extend(c, start, end, cut, now)
		return enrich.Input{}, false, true
	}
	if start == 0 {
		c.Content = bytes.TrimPrefix(c.Content, []byte(tail.ByteOrderMark))
	}
	if j.multi != nil {
		c.Content = bytes.TrimSuffix(c.Content, []byte{'\r'}) // of a writer from Windows
	}
	in = enrich.Input{Line: c.Content, Offset: start, Time: c.Time, Stderr: c.Stderr, Truncated: cut}
	floor := start
	if p := &out.partial; p.open && c.Time != nil {
		in, floor = j.complete(p, c.Content, cut), p.floor
	}
	at := in.Offset // in this file, also when the line began in the file before
	var from *piece
	if c.Time != nil {
		if from = j.openBefore(out); from != nil {
			in = j.complete(from, in.Line, in.Truncated)
		}
	}
	e := &out.event
	joins := j.joins(in)
	if e.open && !(joins && j.goesOn(e, in)) {
		return j.close(e), true, false
	}
	if joins && !e.open && j.done != nil && j.done(in.Line) {
		joins = false
	}
	if c.Time != nil {
		out.partial.open = false
	}
	switch {
	case !joins:
		j.handOver(from)
		j.ended(at, end, floor)
		return in, true, true
	case e.open:
		e.text = append(append(e.text, '\n'), in.Line...)
		e.floor = min(e.floor, floor)
	default:
		*e = piece{
			open: true, at: at, floor: floor, err: in.Stderr, cut: in.Truncated, from: from,
			time: append(e.time[:0], in.Time...), text: append(e.text[:0], in.Line...),
		}
	}
	e.end, e.since = end, now
	if slices.Contains(j.cuts, end) || j.done != nil && j.done(e.text) {
		return j.close(e), true, true
	}
	return enrich.Input{}, false, true
}

// openBefore returns the parts of a line of an output stream that are open in the file before, nil when there are none.
func (j *Joiner) openBefore(out *output) *piece {
	if j.before == nil {
		return nil
	}
	p := &j.before.outputs[0].partial
	if out == &j.outputs[1] {
		p = &j.before.outputs[1].partial
	}
	if !p.open {
		return nil
	}
	return p
}

// handOver notes that what is handed out began with from in the file before, when that is not nil.
func (j *Joiner) handOver(from *piece) {
	if from != nil {
		from.open, j.inherited = false, true
	}
}

// runtime takes off the prefix of a container runtime and says which output stream wrote the line. The time is nil when the line
// has no such prefix.
func (j *Joiner) runtime(line []byte) (c record.CRI, out *output) {
	if !j.container {
		return record.CRI{Content: line}, &j.outputs[0]
	}
	c, ok := record.ParseCRI(line)
	if !ok {
		if c, j.docker, ok = record.ParseDocker(line, j.docker); !ok {
			return record.CRI{Content: line}, &j.outputs[0]
		}
	}
	if c.Stderr {
		return c, &j.outputs[1]
	}
	return c, &j.outputs[0]
}

// extend adds a part of a line that is not the last one.
func (p *piece) extend(c record.CRI, start, end int64, cut bool, now time.Time) {
	if !p.open {
		*p = piece{open: true, at: start, floor: start, err: c.Stderr, time: append(p.time[:0], c.Time...), text: p.text[:0]}
	}
	room := tail.MaxLine - len(p.text)
	if len(c.Content) > room {
		c.Content, p.cut = c.Content[:room], true
	}
	p.text = append(p.text, c.Content...)
	p.end, p.cut, p.since = end, p.cut || cut, now
}

// complete returns the line whose first parts are p and whose last part is last.
func (j *Joiner) complete(p *piece, last []byte, cut bool) enrich.Input {
	if room := tail.MaxLine - len(p.text); len(last) > room {
		last, cut = last[:room], true
	}
	if len(last) > 0 && len(j.whole) > 0 && &last[0] == &j.whole[0] { // it was put together here itself
		j.whole = slices.Insert(j.whole[:len(last)], 0, p.text...)
	} else {
		j.whole = append(append(j.whole[:0], p.text...), last...)
	}
	return enrich.Input{Line: j.whole, Offset: p.at, Time: p.time, Stderr: p.err, Truncated: p.cut || cut}
}

// joins reports whether a line can be one of several of an event. In the file of a container a JSON object cannot, nor can a
// line without the prefix of the runtime.
func (j *Joiner) joins(in enrich.Input) bool {
	if j.multi == nil || !j.container {
		return j.multi != nil
	}
	line := bytes.TrimLeft(in.Line, " \t")
	return in.Time != nil && (len(line) == 0 || line[0] != '{')
}

// goesOn reports whether the line belongs to the open event. A line that would make the event too large does not.
func (j *Joiner) goesOn(e *piece, in enrich.Input) bool {
	starts := j.multi.Start != nil && j.multi.Start.Match(in.Line) || j.multi.Continue != nil && !j.multi.Continue.Match(in.Line)
	fits := len(e.text)+1+len(in.Line) <= int(j.multi.MaxBytes)
	return !starts && fits && !e.cut && !in.Truncated && !slices.Contains(j.cuts, e.end)
}

// close returns what is open as an event of its own.
func (j *Joiner) close(p *piece) enrich.Input {
	p.open, j.inherited = false, false
	j.ended(p.at, p.end, p.floor)
	in := enrich.Input{Line: p.text, Offset: p.at, Stderr: p.err, Truncated: p.cut}
	if p.from != nil {
		j.handOver(p.from)
		in.Offset = p.from.at
	}
	if len(p.time) > 0 {
		in.Time = p.time
	}
	return in
}

// ended notes that an event between two offsets is handed out. With two output streams, the beginning of something that is still
// open may lie inside this event. Reading again from there would see only a part of this event and make another event of it.
// So the floor of what is open moves down to the floor of this event.
func (j *Joiner) ended(at, end, floor int64) {
	for i := range j.outputs {
		for _, p := range [...]*piece{&j.outputs[i].partial, &j.outputs[i].event} {
			if p.open && at < p.floor && p.floor < end {
				p.floor = min(p.floor, floor)
			}
		}
	}
}

// Rest closes something that is open and returns it as an event; ok is false when nothing is open. It is for a file that nobody
// writes any more.
func (j *Joiner) Rest() (in enrich.Input, ok bool) {
	for i := range j.outputs {
		for _, p := range [...]*piece{&j.outputs[i].event, &j.outputs[i].partial} {
			if p.open {
				return j.close(p), true
			}
		}
	}
	return enrich.Input{}, false
}

// OpenSince returns since when something has been open; ok is false when nothing is.
func (j *Joiner) OpenSince() (since time.Time, ok bool) {
	for i := range j.outputs {
		for _, p := range [...]*piece{&j.outputs[i].partial, &j.outputs[i].event} {
			if p.open && (!ok || p.since.Before(since)) {
				since, ok = p.since, true
			}
		}
	}
	return since, ok
}

// Waits reports whether an event is open that a timeout would end.
func (j *Joiner) Waits() bool { return j.outputs[0].event.open || j.outputs[1].event.open }

// expired returns an event that has waited for its next line for too long, nil when there is none.
func (j *Joiner) expired(now time.Time) *piece {
	for i := range j.outputs {
		if e := &j.outputs[i].event; e.open && now.Sub(e.since) >= j.multi.Timeout {
			return e
		}
	}
	return nil
}

// Expired reports whether an event has waited for its next line for too long, and returns the offset behind its last line.
func (j *Joiner) Expired(now time.Time) (end int64, ok bool) {
	e := j.expired(now)
	if e == nil {
		return 0, false
	}
	return e.end, true
}

// End closes an event that has expired and returns it; ok is false when there is none.
func (j *Joiner) End(now time.Time) (in enrich.Input, ok bool) {
	e := j.expired(now)
	if e == nil {
		return enrich.Input{}, false
	}
	return j.close(e), true
}

// CutAt remembers that an event ends at an offset because of a timeout, and reports whether that is new. Everything below acked
// is final and will not be read again, so cuts down there are forgotten.
func (j *Joiner) CutAt(end, acked int64) bool {
	if slices.Contains(j.cuts, end) {
		return false
	}
	j.cuts = append(slices.DeleteFunc(j.cuts, func(c int64) bool { return c <= acked }), end)
	return true
}

// Safe returns the offset below which everything is handed out, when all lines up to end were added.
func (j *Joiner) Safe(end int64) int64 {
	for i := range j.outputs {
		for _, p := range [...]*piece{&j.outputs[i].partial, &j.outputs[i].event} {
			if p.open {
				end = min(end, p.floor)
			}
		}
	}
	return end
}
