// Package batch fills batches with documents and knows which lines of which files each batch holds.
//
// It owns the batches: one that is being filled, those with the senders, and those that are free. There are as many as senders
// and one more, so when all senders are busy and the last batch is full there is no room, and whoever reads the files waits.
// It takes pieces of files from package follow, makes events and documents of their lines, and when a batch is final it tells
// how far each file is acknowledged.
//
// Invariants: the ticket of a file covers only lines that are in the batch or in one before it; the account of a document is
// the span of its event.created; a batch is not touched while a sender has it.
//
// Not guaranteed: that a batch is smaller than its limit; the line that makes it full goes in whole.
package batch

import (
	"bytes"
	"context"
	"math"
	"sync"
	"time"

	"kreislauf/logship/bulk"
	"kreislauf/logship/enrich"
	"kreislauf/logship/follow"
	"kreislauf/logship/ledger"
	"kreislauf/logship/tail"
)

const (
	// senders is how many bulk requests may be on their way at the same time.
	senders = 2
	// slack is the room in the buffer of a batch for the line that makes it full, in bytes. A longer line makes the buffer grow.
	slack = 64 << 10
)

// Options say how batches are made.
type Options struct {
	// Builder renders the documents.
	Builder *enrich.Builder
	// Ledger counts the documents that are final; nil when nobody compares them with those of the target.
	Ledger *ledger.Ledger
	// Clock is the wall clock for event.created. Nothing else goes by it.
	Clock func() time.Time
	// Bytes is the size at which a batch is full, Flush how long one that is not full waits for more lines.
	Bytes int
	Flush time.Duration
}

// Batcher fills batches for one target. It is not safe for use by several goroutines.
type Batcher struct {
	builder *enrich.Builder
	ledger  *ledger.Ledger
	clock   func() time.Time
	bytes   int
	flush   time.Duration

	current *Batch               // is being filled, nil when there is none
	parts   map[*follow.File]int // the numbers of the parts of the current batch
	free    []*Batch
	all     []*Batch
	busy    int                   // batches with the senders
	waiting map[*follow.File]bool // have an event to which more lines may come
	span    int64                 // the span of event.created of the documents that are made now
	since   time.Time             // since when the lines that come now have been known; zero: they are new
	moved   []*follow.File        // buffer for Acknowledge

	work chan *Batch
	sent chan *Batch
	wait sync.WaitGroup
}

// Batch is a bulk request and what has to be acknowledged when it is final.
type Batch struct {
	bulk   bulk.Batch
	parts  []part
	opened time.Time // when its first line was known
	oldest int64     // the first span of event.created of its documents
	err    error
}

// part is what a batch holds of one file.
type part struct {
	file   *follow.File
	ticket int
}

// New returns a Batcher. Start must be called before a batch can be sent.
func New(opt Options) *Batcher {
	b := &Batcher{
		builder: opt.Builder, ledger: opt.Ledger, clock: opt.Clock, bytes: opt.Bytes, flush: opt.Flush,
		parts: make(map[*follow.File]int), waiting: make(map[*follow.File]bool),
		work: make(chan *Batch, senders), sent: make(chan *Batch, senders),
	}
	for range senders + 1 {
		b.all = append(b.all, &Batch{oldest: math.MaxInt64})
	}
	b.free = append(b.free, b.all...)
	return b
}

// Start starts the senders. deliver brings a batch to the target; it returns an error only when ctx ends.
func (b *Batcher) Start(ctx context.Context, deliver func(context.Context, *bulk.Batch) error) {
	for range senders {
		b.wait.Go(func() {
			for batch := range b.work {
				batch.err = deliver(ctx, &batch.bulk)
				b.sent <- batch
			}
		})
	}
}

// Stop ends the senders. Nothing can be sent after it.
func (b *Batcher) Stop() {
	close(b.work)
	b.wait.Wait()
}

// Sent gives the batches back that the senders are done with. Acknowledge has to be called with each.
func (b *Batcher) Sent() <-chan *Batch { return b.sent }

// Busy returns how many batches the senders have.
func (b *Batcher) Busy() int { return b.busy }

// Blocked reports whether all senders are busy.
func (b *Batcher) Blocked() bool { return b.busy == senders }

// Empty reports whether the batch that is being filled has no line.
func (b *Batcher) Empty() bool { return b.current == nil || len(b.current.parts) == 0 }

// Due returns when the batch that is being filled has waited long enough. ok is false when it is empty or cannot be sent.
func (b *Batcher) Due() (at time.Time, ok bool) {
	if b.Empty() || b.Blocked() {
		return time.Time{}, false
	}
	return b.current.opened.Add(b.flush), true
}

// Waiting reports whether a file has an event that a timeout would end.
func (b *Batcher) Waiting() bool { return len(b.waiting) > 0 }

// Begin must be called before lines are taken. It sets the event.created of their documents to the present. since is when the
// lines were first known of, if that is longer ago: a batch waits from then on. The zero time means that they are new.
func (b *Batcher) Begin(since time.Time) {
	now := b.clock()
	b.builder.SetNow(now)
	if b.ledger != nil {
		b.span = b.ledger.SpanOf(now)
	}
	b.since = since
}

// Room reports whether another line can be taken. A full batch is given to a sender for that, when one is free.
func (b *Batcher) Room(now time.Time) bool {
	if b.current != nil && len(b.current.bulk.Buf) >= b.bytes {
		b.Dispatch(now)
	}
	if b.current == nil && len(b.free) > 0 {
		b.current = b.free[len(b.free)-1]
		b.free = b.free[:len(b.free)-1]
		clear(b.parts)
		if b.current.bulk.Buf == nil { // all of it at once: a buffer that grows is copied and leaves its old memory behind
			b.current.bulk.Buf = make([]byte, 0, b.bytes+slack)
		}
	}
	return b.current != nil && len(b.current.bulk.Buf) < b.bytes
}

// Take takes the lines of a piece of a file. It reports false when there was no room for all of them; how far it came is the
// Offset of the file.
func (b *Batcher) Take(file *follow.File, piece tail.Chunk, now time.Time) (all bool) {
	offset := piece.Start
	for data := piece.Data; len(data) > 0; {
		if !b.Room(now) {
			return false
		}
		part := b.partOf(file)
		data, offset = b.fill(file, part, piece, data, offset, now)
		file.Consume(piece, offset)
		file.Extend(b.current.parts[part].ticket, offset)
	}
	if j := file.Joiner(); j != nil && j.Waits() {
		b.waiting[file] = true
	}
	return true
}

// fill takes lines until the current batch is full. data is what is left of the piece and begins at offset; fill returns what is
// left then, and its offset.
func (b *Batcher) fill(file *follow.File, part int, piece tail.Chunk, data []byte, offset int64, now time.Time) ([]byte, int64) {
	joiner, origin := file.Joiner(), file.Origin()
	for batch := &b.current.bulk; len(data) > 0 && len(batch.Buf) < b.bytes; {
		line, rest, next := data, []byte(nil), piece.End
		if i := bytes.IndexByte(data, '\n'); i >= 0 && !piece.Cut {
			line, rest, next = data[:i], data[i+1:], offset+int64(i)+1
		}
		if offset == 0 {
			line = bytes.TrimPrefix(line, []byte(tail.ByteOrderMark))
		}
		in, ok, took := enrich.Input{Line: line, Offset: offset, Truncated: piece.Cut}, true, true
		if joiner != nil {
			in, ok, took = joiner.Add(line, offset, next, piece.Cut, now)
		}
		switch {
		case ok && joiner != nil && joiner.Inherited():
			b.takeInherited(file.Before(), in)
		case ok:
			b.append(origin, in, part)
		}
		if took { // else an event had to go out first, and the line comes again
			data, offset = rest, next
		}
	}
	return data, offset
}

// TakeLast takes what a file ends with, a last line without line feed, and what the joiner still holds. It reports false when
// there was no room for all of it.
func (b *Batcher) TakeLast(file *follow.File, piece tail.Chunk, now time.Time) (all bool) {
	if !b.Take(file, piece, now) {
		return false
	}
	for joiner := file.Joiner(); joiner != nil; {
		if !b.Room(now) {
			return false
		}
		in, ok := joiner.Rest()
		if !ok {
			break
		}
		b.takeEvent(file, in)
	}
	return true
}

// Expired returns the files with an event to which no line came for too long.
func (b *Batcher) Expired(now time.Time) (files []*follow.File) {
	for file := range b.waiting {
		if !file.Joiner().Waits() {
			delete(b.waiting, file)
		} else if _, ok := file.Joiner().Expired(now); ok {
			files = append(files, file)
		}
	}
	return files
}

// TakeExpired takes an event of each of the files to which no line came for too long, as far as there is room.
func (b *Batcher) TakeExpired(files []*follow.File, now time.Time) {
	for _, file := range files {
		if !b.Room(now) {
			return
		}
		if in, ok := file.Joiner().End(now); ok {
			b.takeEvent(file, in)
		}
	}
}

// takeEvent takes an event that came from the joiner of the file. There must be room.
func (b *Batcher) takeEvent(file *follow.File, in enrich.Input) {
	if file.Joiner().Inherited() {
		b.takeInherited(file.Before(), in)
		file.Extend(b.current.parts[b.partOf(file)].ticket, file.Offset())
		return
	}
	part := b.partOf(file)
	b.append(file.Origin(), in, part)
	file.Extend(b.current.parts[part].ticket, file.Offset())
}

// takeInherited takes an event that began in the file before. The part of that one and the part of the file in which the event
// ends are of the same batch, so they are acknowledged together.
func (b *Batcher) takeInherited(before *follow.File, in enrich.Input) {
	part := b.partOf(before)
	b.append(before.Origin(), in, part)
	before.Extend(b.current.parts[part].ticket, before.Offset())
}

// append adds the document of one event to the current batch.
func (b *Batcher) append(origin *enrich.Origin, in enrich.Input, part int) {
	batch := &b.current.bulk
	start := len(batch.Buf)
	buf, mark, ok := b.builder.Append(batch.Buf, origin, in)
	batch.Buf = buf
	if !ok {
		return
	}
	batch.Items = append(batch.Items, bulk.Item{
		Start: uint32(start), Doc: uint32(mark.Doc), Raw: uint32(mark.Raw),
		File: uint32(part), Offset: in.Offset, Tally: b.tally(mark.Stream),
	})
}

// partOf returns the number of the part of the current batch that is of file. It begins one when there is none.
func (b *Batcher) partOf(file *follow.File) int {
	if n, ok := b.parts[file]; ok {
		return n
	}
	c, n := b.current, len(b.current.parts)
	if n == 0 {
		if c.opened = b.since; c.opened.IsZero() {
			c.opened = time.Now()
		}
	}
	c.parts = append(c.parts, part{file: file, ticket: file.Send(c.opened)})
	c.bulk.Files = append(c.bulk.Files, file.Path())
	b.parts[file] = n
	return n
}

// tally returns which tally of the current batch counts a document of the data stream, 0 when none does.
func (b *Batcher) tally(stream uint16) uint16 {
	if b.ledger == nil || stream == 0 {
		return 0
	}
	batch := &b.current.bulk
	for i := len(batch.Tallies) - 1; i >= 0; i-- {
		if t := &batch.Tallies[i]; t.Stream == stream && t.Span == b.span {
			return uint16(i + 1)
		}
	}
	batch.Tallies = append(batch.Tallies, bulk.Tally{Stream: stream, Span: b.span})
	b.current.oldest = min(b.current.oldest, b.span)
	return uint16(len(batch.Tallies))
}

// DoNotWait makes the batch that is being filled due at once.
func (b *Batcher) DoNotWait() {
	if b.current != nil {
		b.current.opened = time.Time{}
	}
}

// Dispatch gives the current batch to a sender when it is full, or has waited long enough, and a sender is free.
func (b *Batcher) Dispatch(now time.Time) {
	if b.Empty() || b.Blocked() {
		return
	}
	c := b.current
	if len(c.bulk.Buf) < b.bytes && now.Sub(c.opened) < b.flush {
		return
	}
	b.busy++
	b.current = nil
	c.bulk.Streams = b.builder.Streams()
	b.work <- c
}

// Acknowledge takes a batch back from a sender, and returns the files of which more is final than before. The list is valid
// until the next call. Nothing is final of a batch that was not delivered.
func (b *Batcher) Acknowledge(batch *Batch) []*follow.File {
	b.busy--
	b.moved = b.moved[:0]
	if batch.err == nil {
		if b.ledger != nil {
			b.ledger.Add(batch.bulk.Tallies)
		}
		for _, p := range batch.parts {
			if p.file.Done(p.ticket) {
				b.moved = append(b.moved, p.file)
			}
		}
	}
	batch.parts, batch.err, batch.oldest = batch.parts[:0], nil, math.MaxInt64
	batch.bulk.Reset(b.bytes + tail.MaxLine)
	b.free = append(b.free, batch)
	return b.moved
}

// OldestSpan returns the first span of event.created of which documents are not final.
func (b *Batcher) OldestSpan() int64 {
	oldest := int64(math.MaxInt64)
	for _, batch := range b.all {
		oldest = min(oldest, batch.oldest)
	}
	return oldest
}

// Streams returns the names of all data streams that documents were made for. The list only grows.
func (b *Batcher) Streams() []string { return b.builder.Streams() }
