package store

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/klauspost/compress/s2"
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
		x.done.Wait()
		return nil
	}
	x.closed = true
	close(x.queue)
	close(x.stop)
	x.closing.Unlock()
	x.done.Wait()
	if err := x.log.f.Close(); err != nil {
		return fmt.Errorf("close log: %w", err)
	}
	return nil
}

// commitLoop is the only writer of the index: it takes all waiting batches and makes them durable together.
func (x *Index) commitLoop() {
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
	durable, answers, err := x.decide(group)
	if err == nil {
		err = x.persist(durable)
	}
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
func (x *Index) decide(group []*batch) (durable []Op, answers []batchResult, err error) {
	answers = make([]batchResult, len(group))
	count := 0
	for _, b := range group {
		count += len(b.ops)
	}
	if count == 0 {
		return nil, answers, nil
	}
	if err := x.loadIDs(); err != nil {
		return nil, answers, err
	}
	durable = make([]Op, 0, count)
	state := make(map[string]bool, count) // what the group itself changes: id exists or not
	seq := x.seq                          // only the committer writes it
	for i, b := range group {
		answers[i].results = make([]Result, len(b.ops))
		for j, op := range b.ops {
			exists, changed := state[op.ID]
			if !changed {
				if op.place, exists, err = x.find(op.ID); err != nil {
					return nil, answers, err
				}
				op.fresh, op.placed = !exists, exists
			}
			r := Result{Outcome: outcome(op.Kind, exists), Seq: seq}
			if r.Outcome != Conflict && r.Outcome != NotFound {
				seq++
				state[op.ID] = op.Kind != Delete
				durable = append(durable, op)
			}
			answers[i].results[j] = r
		}
	}
	return durable, answers, nil
}

// find looks for an id. What is in a damaged segment does not exist any more.
func (x *Index) find(id string) (place uint32, found bool, err error) {
	h := hashID(id)
	for {
		x.mu.RLock()
		slot, failed, err := x.slot(h, id)
		if slot >= 0 {
			place = x.ids.places[slot]
		}
		x.mu.RUnlock()
		if err == nil {
			return place, slot >= 0, nil
		}
		if err := x.readFailed(failed, err); !errors.Is(err, ErrDamaged) {
			return 0, false, err
		}
	}
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
	x.rawOps = slices.Grow(x.rawOps[:0], len(ops))[:len(ops)]
	raw := x.rawOps
	for i, op := range ops {
		raw[i] = rawOp{kind: op.Kind, id: op.ID}
		if op.Doc != nil {
			raw[i].source = op.Doc.Source
		}
	}
	x.opBytes = encodeOps(x.opBytes[:0], raw)
	if need := s2.MaxEncodedLen(len(x.opBytes)); need > cap(x.packed) {
		x.packed = make([]byte, need)
	}
	x.frame = appendFrame(x.frame[:0], s2.Encode(x.packed[:cap(x.packed)], x.opBytes))
	clear(raw) // so that the documents are not held
	if err := x.log.append(x.frame); err != nil {
		return err
	}
	return x.apply(ops)
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
	next, err := openWAL(x.walPath(x.number+1), x.opt.Log, func([]rawOp) error { return errors.New("log is not new") })
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
	old, gone := x.log, x.live.owner
	x.mu.Lock()
	x.segs = append(slices.Clone(x.segs), seg)
	x.live = newLive(x.codec, seg.base+uint32(seg.foot.Docs), x.live.set.Reset())
	x.number++
	x.log = next
	x.mu.Unlock()
	x.nextFlush = FlushDocs
	x.opt.Cache.drop(gone)
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
