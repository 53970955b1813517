package store

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

// maxGroup bounds the operations that share one sync, so that no writer waits for too many others.
const maxGroup = 20_000

// ErrClosed is returned for writes to a closed index.
var ErrClosed = errors.New("index is closed")

// Write makes the operations durable and visible, in order, and returns one result each. On an error wrapping
// ErrWrite none of them happened.
func (x *Index) Write(ops []Op) ([]Result, error) {
	return x.send(&batch{ops: ops, done: make(chan batchResult, 1)})
}

// Seal writes what is in memory to a segment. It is called when an index will not be written for long.
func (x *Index) Seal() error {
	_, err := x.send(&batch{seal: true, done: make(chan batchResult, 1)})
	return err
}

func (x *Index) send(b *batch) ([]Result, error) {
	x.closing.RLock()
	if x.closed {
		x.closing.RUnlock()
		return nil, ErrClosed
	}
	x.queue <- b
	x.closing.RUnlock()
	r := <-b.done
	return r.results, r.err
}

// Close ends the committer after the writes that wait, and closes the log.
func (x *Index) Close() error {
	x.closing.Lock()
	if x.closed {
		x.closing.Unlock()
		<-x.done
		return nil
	}
	x.closed = true
	close(x.queue)
	x.closing.Unlock()
	<-x.done
	if err := x.log.f.Close(); err != nil {
		return fmt.Errorf("close log: %w", err)
	}
	return nil
}

// commitLoop is the only writer of the index: it takes all waiting batches and makes them durable together.
func (x *Index) commitLoop() {
	defer close(x.done)
	for first := range x.queue {
		group := []*batch{first}
		for size := len(first.ops); size < maxGroup; {
			select {
			case b, ok := <-x.queue:
				if ok {
					group = append(group, b)
					size += len(b.ops)
					continue
				}
			default:
			}
			break
		}
		x.commit(group)
	}
}

func (x *Index) commit(group []*batch) {
	durable, answers := x.decide(group)
	err := x.persist(durable)
	if err != nil {
		x.opt.Log.Error().Err(err).Int("operations", len(durable)).Msg("write refused")
	}
	for i, b := range group {
		switch {
		case b.seal:
			answers[i].err = x.flush()
		case err != nil:
			answers[i] = batchResult{err: fmt.Errorf("%w: %w", ErrWrite, err)}
		}
		b.done <- answers[i]
	}
	x.maybeFlush()
}

// decide works out what each operation of a group does, and which of them change the index.
func (x *Index) decide(group []*batch) (durable []Op, answers []batchResult) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	answers = make([]batchResult, len(group))
	state := map[idHash]bool{} // what the group itself changes: id exists or not
	seq := x.seq
	for i, b := range group {
		answers[i].results = make([]Result, len(b.ops))
		for j, op := range b.ops {
			h := x.hash.sum(op.ID)
			exists, changed := state[h]
			if !changed {
				_, exists = x.ids[h]
			}
			r := Result{Outcome: outcome(op.Kind, exists), Seq: seq}
			if r.Outcome != Conflict && r.Outcome != NotFound {
				seq++
				state[h] = op.Kind != Delete
				durable = append(durable, op)
			}
			answers[i].results[j] = r
		}
	}
	return durable, answers
}

func outcome(kind OpKind, exists bool) Outcome {
	switch {
	case kind == Create && exists:
		return Conflict
	case kind == Delete && !exists:
		return NotFound
	case kind == Delete:
		return Deleted
	case exists:
		return Updated
	}
	return Created
}

func (x *Index) persist(ops []Op) error {
	if len(ops) == 0 {
		return nil
	}
	raw := make([]rawOp, len(ops))
	for i, op := range ops {
		raw[i] = rawOp{kind: op.Kind, id: op.ID}
		if op.Doc != nil {
			raw[i].source = op.Doc.Source
		}
	}
	body := encodeOps(raw)
	if err := x.log.append(appendFrame(nil, x.codec.fast.EncodeAll(body, nil))); err != nil {
		return err
	}
	// The sources of the frame replace those of the request, whose buffer can then be freed.
	stored, err := decodeOps(body)
	if err != nil {
		return fmt.Errorf("read back own frame: %w", err)
	}
	for i, s := range stored {
		if ops[i].Doc != nil {
			ops[i].Doc.Source = s.source
		}
	}
	x.apply(ops)
	return nil
}

// maybeFlush writes a segment once enough documents are in memory. A failure is tried again a thousand
// documents later; the log keeps them safe.
func (x *Index) maybeFlush() {
	if docs := x.live.set.Docs(); docs < x.nextFlush && x.live.bytes < FlushBytes*x.nextFlush/FlushDocs {
		return
	}
	if err := x.flush(); err != nil {
		x.nextFlush = x.live.set.Docs() + 1024
		x.opt.Log.Error().Err(err).Msg("segment not written; documents stay in the log")
	}
}

// flush turns the documents in memory into a segment and starts a new log.
func (x *Index) flush() error {
	if x.live.set.Docs() == 0 {
		return nil
	}
	next, err := openWAL(x.walPath(x.number+1), x.codec, x.opt.Log, func([]rawOp) error { return errors.New("log is not new") })
	if err != nil {
		return err
	}
	if err := x.writeDeletions(); err != nil {
		return errors.Join(err, next.f.Close(), os.Remove(x.walPath(x.number+1)))
	}
	seg, err := writeSegment(x.opt.Dir, x.number, x.codec, x.live, x.opt.IsTerm)
	if err != nil {
		return errors.Join(err, next.f.Close(), os.Remove(x.walPath(x.number+1)))
	}
	old := x.log
	x.mu.Lock()
	x.segs = append(slices.Clone(x.segs), seg)
	x.live = newLive()
	x.number++
	x.log = next
	x.mu.Unlock()
	x.nextFlush = FlushDocs
	if err := errors.Join(old.f.Close(), os.Remove(x.walPath(x.number-1))); err != nil {
		// The segment is durable; the log is obsolete and is removed at the next start at the latest.
		x.opt.Log.Warn().Err(err).Msg("obsolete log not removed")
	}
	return nil
}

// writeDeletions makes the deletions durable that only the log knows.
func (x *Index) writeDeletions() error {
	for n, bits := range x.deleted {
		if err := WriteFile(segPath(x.opt.Dir, n)+".del", bits.encode()); err != nil {
			return fmt.Errorf("write deletions: %w", err)
		}
	}
	return nil
}
