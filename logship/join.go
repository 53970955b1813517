package logship

import (
	"bytes"
	"slices"
	"time"

	"kreislauf/logship/config"
	"kreislauf/logship/enrich"
	"kreislauf/logship/record"
	"kreislauf/logship/tail"
)

// joiner makes events of the lines of one file: it takes the prefix of a container runtime off, puts the parts of a
// line together that the runtime had cut, and lines that belong to one event. The two output streams of a container
// may alternate.
//
// An event begins and ends at the same lines whenever the file is read again from a position that safe returned:
// what ends an event is in the file, or, when it was a timeout, in cuts.
type joiner struct {
	container bool
	multi     *config.Multiline
	outputs   [2]output
	cuts      []int64 // where events ended because nothing came for a while: the offsets behind their last lines
	docker    []byte  // the text of a line of Docker
	whole     []byte  // the last part of a line with those before it
}

// output is what is open of one output stream.
type output struct {
	partial piece // a line whose end the runtime has not written yet
	event   piece // an event that may go on
}

// piece is the beginning of something. at is the offset of its first line, end the one behind its last. floor is where
// reading has to begin so that it comes out the same.
type piece struct {
	open           bool
	at, end, floor int64
	time, text     []byte
	cut            bool
	since          time.Time
}

// newJoiner returns a joiner, nil for a file whose lines are events as they are.
func newJoiner(s *source, cuts []int64) *joiner {
	if s.Kind != enrich.Container && s.multiline == nil {
		return nil
	}
	return &joiner{container: s.Kind == enrich.Container, multi: s.multiline, cuts: slices.Clone(cuts)}
}

// add takes the line between two offsets. ok says that in holds an event now. took is false when that event had to go
// out before the line could be taken: then add it again.
func (j *joiner) add(line []byte, start, end int64, cut bool, now time.Time) (in enrich.Input, ok, took bool) {
	c, out := j.runtime(line)
	if c.Partial {
		out.partial.extend(c, start, end, cut)
		return enrich.Input{}, false, true
	}
	in = enrich.Input{Line: c.Content, Offset: start, Time: c.Time, Truncated: cut}
	floor := start
	if p := &out.partial; p.open && c.Time != nil {
		in, floor = j.complete(p, c.Content, cut), p.floor
	}
	e := &out.event
	joins := j.joins(in)
	if e.open && !(joins && j.goesOn(e, in)) {
		return j.close(e), true, false
	}
	if c.Time != nil {
		out.partial.open = false
	}
	switch {
	case !joins:
		j.ended(in.Offset, end, floor)
		return in, true, true
	case e.open:
		e.text = append(append(e.text, '\n'), in.Line...)
		e.floor = min(e.floor, floor)
	default:
		*e = piece{open: true, at: in.Offset, floor: floor, time: append(e.time[:0], in.Time...), text: append(e.text[:0], in.Line...), cut: in.Truncated}
	}
	e.end, e.since = end, now
	if slices.Contains(j.cuts, end) {
		return j.close(e), true, true
	}
	return enrich.Input{}, false, true
}

// runtime takes the prefix of a container runtime off. Time is nil when the line has none.
func (j *joiner) runtime(line []byte) (c record.CRI, out *output) {
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

// extend adds a part of a line.
func (p *piece) extend(c record.CRI, start, end int64, cut bool) {
	if !p.open {
		*p = piece{open: true, at: start, floor: start, time: append(p.time[:0], c.Time...), text: p.text[:0]}
	}
	room := tail.MaxLine - len(p.text)
	if len(c.Content) > room {
		c.Content, p.cut = c.Content[:room], true
	}
	p.text = append(p.text, c.Content...)
	p.end, p.cut = end, p.cut || cut
}

// complete returns a line of which all parts are there.
func (j *joiner) complete(p *piece, last []byte, cut bool) enrich.Input {
	if room := tail.MaxLine - len(p.text); len(last) > room {
		last, cut = last[:room], true
	}
	j.whole = append(append(j.whole[:0], p.text...), last...)
	return enrich.Input{Line: j.whole, Offset: p.at, Time: p.time, Truncated: p.cut || cut}
}

// joins reports whether a line can be one of several. In the file of a container a JSON object cannot, nor what the
// runtime did not write.
func (j *joiner) joins(in enrich.Input) bool {
	if j.multi == nil || !j.container {
		return j.multi != nil
	}
	line := bytes.TrimLeft(in.Line, " \t")
	return in.Time != nil && (len(line) == 0 || line[0] != '{')
}

// goesOn reports whether the event goes on with the line. One that would become too large ends before it.
func (j *joiner) goesOn(e *piece, in enrich.Input) bool {
	starts := j.multi.Start != nil && j.multi.Start.Match(in.Line) || j.multi.Continue != nil && !j.multi.Continue.Match(in.Line)
	return !starts && !slices.Contains(j.cuts, e.end) && !e.cut && !in.Truncated && len(e.text)+1+len(in.Line) <= int(j.multi.MaxBytes)
}

// close ends an event.
func (j *joiner) close(p *piece) enrich.Input {
	p.open = false
	j.ended(p.at, p.end, p.floor)
	in := enrich.Input{Line: p.text, Offset: p.at, Truncated: p.cut}
	if len(p.time) > 0 {
		in.Time = p.time
	}
	return in
}

// ended notes that something between two offsets is handed out. Reading must not begin in between for the sake of what
// is open: a part of this would come out again, as something else.
func (j *joiner) ended(at, end, floor int64) {
	for i := range j.outputs {
		for _, p := range [...]*piece{&j.outputs[i].partial, &j.outputs[i].event} {
			if p.open && at < p.floor && p.floor < end {
				p.floor = min(p.floor, floor)
			}
		}
	}
}

// rest returns something that is open and will not go on, and closes it.
func (j *joiner) rest() (in enrich.Input, ok bool) {
	for i := range j.outputs {
		for _, p := range [...]*piece{&j.outputs[i].event, &j.outputs[i].partial} {
			if p.open {
				return j.close(p), true
			}
		}
	}
	return enrich.Input{}, false
}

// waits reports whether an event is open that a timeout would end.
func (j *joiner) waits() bool { return j.outputs[0].event.open || j.outputs[1].event.open }

// expired returns an event for which nothing came for too long, nil when there is none.
func (j *joiner) expired(now time.Time) *piece {
	for i := range j.outputs {
		if e := &j.outputs[i].event; e.open && now.Sub(e.since) >= j.multi.Timeout {
			return e
		}
	}
	return nil
}

// cutAt remembers that an event ends at an offset and reports whether that is new. What is final below acked needs no
// memory any more.
func (j *joiner) cutAt(end, acked int64) bool {
	if slices.Contains(j.cuts, end) {
		return false
	}
	j.cuts = append(slices.DeleteFunc(j.cuts, func(c int64) bool { return c <= acked }), end)
	return true
}

// safe returns the offset below which everything is handed out when all lines up to end were added.
func (j *joiner) safe(end int64) int64 {
	for i := range j.outputs {
		for _, p := range [...]*piece{&j.outputs[i].partial, &j.outputs[i].event} {
			if p.open {
				end = min(end, p.floor)
			}
		}
	}
	return end
}
