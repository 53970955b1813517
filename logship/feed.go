package logship

import (
	"bytes"
	"errors"
	"math"
	"time"

	"kreislauf/logship/bulk"
	"kreislauf/logship/checkpoint"
	"kreislauf/logship/enrich"
	"kreislauf/logship/tail"
)

// batchSlack is the room in a batch for the line that makes it full, in bytes; a longer one makes it grow.
const batchSlack = 64 << 10

// enqueue notes that there is something to read.
func (s *pipeline) enqueue(st *stream) {
	if !st.queued && !st.finished && st.durable && st.Readable() {
		st.queued = true
		s.queue = append(s.queue, st)
	}
}

// read fills batches from the queue for a while and reports whether it could go on at once.
func (s *pipeline) read(now time.Time) bool {
	s.setNow()
	for range chunksPerTurn {
		if len(s.queue) == 0 {
			s.gathered = time.Time{}
			return false
		}
		if !s.room(now) {
			return false
		}
		st := s.queue[0]
		s.queue = append(s.queue[:0], s.queue[1:]...)
		st.queued = false
		var chunk tail.Chunk
		err := s.wake(st)
		if err == nil {
			chunk, err = s.reader.Read(st.File)
		}
		switch {
		case errors.Is(err, tail.ErrReplaced):
			s.replaced(st, now)
			continue
		case err != nil:
			s.alarms.raise("log file not readable", err.Error())
			continue
		}
		if st.headLen < tail.HeadSize && st.Head().Len > st.headLen {
			s.remember(st)
		}
		if len(chunk.Data) > 0 {
			st.grew = now
			whole := s.take(st, chunk, now)
			if chunk.More || !whole {
				s.enqueue(st)
			}
			if !whole {
				return s.room(now)
			}
		}
		st.note(now)
	}
	return true
}

// room makes sure that there is a batch with room and reports whether there is.
func (s *pipeline) room(now time.Time) bool {
	if s.current != nil && len(s.current.batch.Buf) >= s.batchBytes {
		s.dispatch(now)
	}
	if s.current == nil && len(s.free) > 0 {
		s.current = s.free[len(s.free)-1]
		s.free = s.free[:len(s.free)-1]
		s.loads++
		s.current.number = s.loads
		if b := &s.current.batch; b.Buf == nil { // whole at once: growing would copy it and leave pieces behind
			b.Buf = make([]byte, 0, s.batchBytes+batchSlack)
		}
	}
	return s.current != nil && len(s.current.batch.Buf) < s.batchBytes
}

// take appends the lines of a chunk to batches. It reports false when it had to stop early for want of room.
func (s *pipeline) take(st *stream, chunk tail.Chunk, now time.Time) bool {
	offset := chunk.Start
	for data := chunk.Data; len(data) > 0; {
		if !s.room(now) {
			return false
		}
		data, offset = s.fill(st, chunk, data, offset, now)
		st.Consume(offset)
		s.cover(st, offset)
	}
	if st.join != nil && st.join.waits() {
		s.waiting[st] = true
	}
	return true
}

// fill appends lines to the current batch until that is full. data is what is left of the chunk and begins at
// offset; fill returns what is left then.
func (s *pipeline) fill(st *stream, chunk tail.Chunk, data []byte, offset int64, now time.Time) ([]byte, int64) {
	file := s.partOf(st)
	for b := &s.current.batch; len(data) > 0 && len(b.Buf) < s.batchBytes; {
		line, rest, next := data, []byte(nil), chunk.End
		if i := bytes.IndexByte(data, '\n'); i >= 0 && !chunk.Cut {
			line, rest, next = data[:i], data[i+1:], offset+int64(i)+1
		}
		in, ok, took := enrich.Input{Line: line, Offset: offset, Truncated: chunk.Cut}, true, true
		if st.join != nil {
			in, ok, took = st.join.add(line, offset, next, chunk.Cut, now)
		}
		if ok {
			s.append(st, in, file)
		}
		if !took { // an event had to go out first
			continue
		}
		data, offset = rest, next
	}
	return data, offset
}

// settle ends events for which nothing came for a while. That they end there is on disk before they go out.
func (s *pipeline) settle(now time.Time) {
	var ended []*stream
	for st := range s.waiting {
		e := st.join.expired(now)
		switch {
		case !st.join.waits() || st.finished:
			delete(s.waiting, st)
		case e != nil && !st.queued:
			if st.join.cutAt(e.end, st.Acked()) {
				s.store.Cut(checkpoint.ID(st.id), e.end)
			}
			ended = append(ended, st)
		}
	}
	if len(ended) == 0 {
		return
	}
	if err := s.store.Sync(); err != nil {
		s.alarms.check("checkpoint not writable", err)
		return
	}
	s.builder.SetNow(now)
	for _, st := range ended {
		if e := st.join.expired(now); e != nil && s.room(now) {
			s.append(st, st.join.close(e), s.partOf(st))
			s.cover(st, st.Offset())
		}
	}
}

// append adds one line to the current batch.
func (s *pipeline) append(st *stream, in enrich.Input, file int) {
	b := &s.current.batch
	start := len(b.Buf)
	buf, mark, ok := s.builder.Append(b.Buf, st.origin, in)
	b.Buf = buf
	if !ok {
		return
	}
	b.Items = append(b.Items, bulk.Item{
		Start: uint32(start), Doc: uint32(mark.Doc), Raw: uint32(mark.Raw),
		File: uint32(file), Offset: in.Offset, Tally: s.tally(mark.Stream),
	})
}

// partOf returns the number of the part of st in the current load, which it makes when there is none.
func (s *pipeline) partOf(st *stream) int {
	l := s.current
	if st.load != l.number {
		st.load, st.span = l.number, len(l.parts)
		if len(l.parts) == 0 {
			if l.opened = s.gathered; l.opened.IsZero() {
				l.opened = time.Now()
			}
		}
		l.parts = append(l.parts, part{stream: st, ticket: st.Send(st.Acked(), l.opened)})
		l.batch.Files = append(l.batch.Files, st.Path)
	}
	return st.span
}

// cover notes that everything up to end is in the current load or before it.
func (s *pipeline) cover(st *stream, end int64) {
	st.Extend(s.current.parts[s.partOf(st)].ticket, st.safe(end))
}

// dispatch hands the current batch to a sender when it is full or has waited long enough and a sender is free.
func (s *pipeline) dispatch(now time.Time) {
	l := s.current
	if l == nil || len(l.parts) == 0 || s.inflight == senders {
		return
	}
	if len(l.batch.Buf) < s.batchBytes && now.Sub(l.opened) < s.flush {
		return
	}
	s.inflight++
	s.current = nil
	l.batch.Streams = s.builder.Streams()
	s.work <- l
}

// acknowledge takes a load back from a sender.
func (s *pipeline) acknowledge(l *load) {
	s.inflight--
	if l.err == nil {
		if s.ledger != nil {
			s.ledger.add(l.batch.Tallies)
		}
		for _, p := range l.parts {
			if p.stream.Done(p.ticket) {
				s.store.Advance(checkpoint.ID(p.stream.id), p.stream.Acked())
			}
		}
		s.alarms.check("checkpoint not writable", s.store.Write())
	}
	l.parts, l.err, l.oldest = l.parts[:0], nil, math.MaxInt64
	l.batch.Reset(s.batchBytes + tail.MaxLine)
	s.free = append(s.free, l)
}

// remember writes what identifies the file into the checkpoint.
func (s *pipeline) remember(st *stream) {
	head := st.Head()
	st.headLen = head.Len
	s.store.Put(checkpoint.Entry{
		ID: checkpoint.ID(st.id), Dev: st.Key.Dev, Ino: st.Key.Ino, Generation: st.generation,
		HeadLen: uint16(min(head.Len, math.MaxUint16)), HeadSum: head.Sum, Acked: st.Acked(), Path: st.Path,
	})
}

// replaced deals with a file whose content is not what it was: the old content goes on in a copy, when there is
// one with something unread, and the new content is a file of its own.
func (s *pipeline) replaced(st *stream, now time.Time) {
	path, key, next := st.Path, st.Key, st.generation+1
	wasGone := st.gone
	delete(s.files, key)
	s.strike(st)
	st.gone = true
	s.leaving[st] = true
	if twin := s.findCopy(path, st.Head(), st.Offset(), key); twin != nil {
		s.alarms.check("log file not closed", st.Adopt(twin))
		st.copied, st.grew = true, now
		s.files[st.Key] = st
		s.remember(st)
		s.enqueue(st)
	} else {
		if lost := st.Unread(); lost > 0 {
			s.abandoned += lost
			s.alarms.raise("log file truncated before it was read to the end", path)
		}
		s.alarms.check("log file not closed", st.Close())
	}
	if !wasGone {
		s.generations[key] = next
		s.visit(path, now)
		s.secure()
	}
}
