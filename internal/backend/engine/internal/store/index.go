package store

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"kreislauf/internal/backend/engine/internal/column"
)

// Index is one open index. All methods are safe for concurrent use.
type Index struct {
	opt   Options
	codec *codec
	queue chan *batch
	stop  chan struct{} // closed by Close; ends verify
	done  sync.WaitGroup

	closing sync.RWMutex // held for reading while a batch is enqueued
	closed  bool

	// Owned by the committer.
	log       *wal
	number    uint32 // of the log and of the segment it becomes
	nextFlush int
	rawOps    []rawOp // buffers of the last frame
	opBytes   []byte
	packed    []byte
	frame     []byte

	buffers sync.Pool // of *[]byte

	idsOnce sync.Once // fills ids
	idsErr  error

	mu      sync.RWMutex // guards what follows
	segs    []*segment   // by number
	live    *live
	ids     *idTable
	deleted map[uint32]Bits // by segment number; a Bits value is never changed in place
	seq     int64
	damaged int // segments and log parts set aside
}

type batch struct {
	ops  []Op
	seal bool
	done chan batchResult
}

type batchResult struct {
	results []Result
	err     error
}

// Open reads an index from its directory, which is created if missing.
func Open(opt Options) (*Index, error) {
	c, err := sharedCodec()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(opt.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("create index directory: %w", err)
	}
	x := &Index{
		opt: opt, codec: c, queue: make(chan *batch, 64), stop: make(chan struct{}),
		live: newLive(c, 0, column.NewSet()), deleted: map[uint32]Bits{}, nextFlush: FlushDocs,
	}
	if err := x.load(); err != nil {
		return nil, fmt.Errorf("open index %s: %w", opt.Dir, err)
	}
	x.done.Go(x.commitLoop)
	x.done.Go(x.verifyAll)
	return x, nil
}

func (x *Index) load() error {
	entries, err := os.ReadDir(x.opt.Dir)
	if err != nil {
		return fmt.Errorf("list index directory: %w", err)
	}
	var logs []uint32
	var highest, lastSeg uint32
	for _, e := range entries {
		name := e.Name()
		path := filepath.Join(x.opt.Dir, name)
		kind, rest, _ := strings.Cut(name, "-")
		digits, suffix, _ := strings.Cut(rest, ".")
		n64, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || kind != "seg" && kind != "wal" {
			continue
		}
		n := uint32(n64)
		highest = max(highest, n)
		switch {
		case suffix == "tmp" || strings.HasSuffix(suffix, ".tmp"):
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("remove unfinished file: %w", err)
			}
		case strings.HasPrefix(suffix, "damaged"):
			x.damaged++
		case kind == "seg" && suffix == "":
			lastSeg = max(lastSeg, n)
			if err := x.loadSegment(path, n); err != nil {
				return err
			}
		case kind == "wal" && suffix == "":
			logs = append(logs, n)
		}
	}
	slices.SortFunc(x.segs, func(a, b *segment) int { return int(a.number) - int(b.number) })
	var base uint64
	for _, s := range x.segs {
		s.base = uint32(base)
		base += uint64(s.foot.Docs)
		x.seq += int64(s.foot.Docs)
	}
	if base > uint64(maxPlace) {
		return fmt.Errorf("index holds %d documents, more than %d", base, maxPlace)
	}
	x.live.base = uint32(base)
	return x.loadLogs(logs, lastSeg, highest)
}

// loadLogs replays the logs that no segment covers. Normally there is exactly one.
func (x *Index) loadLogs(logs []uint32, lastSeg, highest uint32) error {
	slices.Sort(logs)
	x.number = highest + 1
	var replay []uint32
	for _, n := range logs {
		if n > lastSeg {
			replay = append(replay, n)
			continue
		}
		if err := os.Remove(x.walPath(n)); err != nil {
			return fmt.Errorf("remove obsolete log: %w", err)
		}
	}
	if len(replay) > 0 {
		x.number = replay[len(replay)-1]
	} else {
		replay = []uint32{x.number}
	}
	for i, n := range replay {
		w, err := openWAL(x.walPath(n), x.opt.Log, x.replay)
		if err != nil {
			return err
		}
		x.damaged += w.damaged
		if i == len(replay)-1 {
			x.log = w
		} else if err := w.f.Close(); err != nil {
			return fmt.Errorf("close log: %w", err)
		}
	}
	return SyncDir(x.opt.Dir)
}

func (x *Index) walPath(n uint32) string {
	return filepath.Join(x.opt.Dir, fmt.Sprintf("wal-%08d", n))
}

func (x *Index) loadSegment(path string, n uint32) error {
	s, err := openSegment(path, n, x.codec)
	if errors.Is(err, ErrDamaged) {
		return x.aside(path, err)
	}
	if err != nil {
		return err
	}
	del, err := os.ReadFile(path + ".del")
	if err == nil {
		if x.deleted[n], err = decodeBits(del, s.foot.Docs); err != nil {
			return x.aside(path+".del", err)
		}
	} else if !os.IsNotExist(err) {
		return fmt.Errorf("read deletions: %w", err)
	}
	x.segs = append(x.segs, s)
	return nil
}

// aside renames a damaged file so that it is not read again and can be examined.
func (x *Index) aside(path string, cause error) error {
	if err := os.Rename(path, path+".damaged"); err != nil {
		return fmt.Errorf("set damaged file aside: %w", err)
	}
	x.damaged++
	x.opt.Log.Error().Err(cause).Str("aside", path+".damaged").Msg("damaged segment set aside: documents in it are lost from searches")
	return nil
}

// verifyAll compares the bytes of all segments with their checksums, newest first, so that the first searches after
// a start rarely have to.
func (x *Index) verifyAll() {
	x.mu.RLock()
	segs := x.segs
	x.mu.RUnlock()
	for _, s := range slices.Backward(segs) {
		select {
		case <-x.stop:
			return
		default:
		}
		if err := x.readFailed(s, s.verify()); err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, os.ErrNotExist) {
			x.opt.Log.Error().Err(err).Msg("segment could not be verified")
		}
	}
}

// loadIDs fills the id table with the ids of all documents, once, when the first write or read by id needs it.
func (x *Index) loadIDs() error {
	x.idsOnce.Do(func() { x.idsErr = x.fillIDs() })
	return x.idsErr
}

func (x *Index) fillIDs() error {
	x.mu.RLock()
	segs, deleted, l, number := x.segs, maps.Clone(x.deleted), x.live, x.number
	x.mu.RUnlock()
	total := 0
	for _, s := range segs {
		total += s.foot.Docs
	}
	table := newIDTable(total + FlushDocs)
	for _, s := range segs {
		err := x.readFailed(s, s.verify())
		var col *column.Column
		if err == nil {
			col, err = s.column(NewCache(0), IDField)
			err = x.readFailed(s, err)
		}
		if errors.Is(err, ErrDamaged) {
			continue // its ids can be created again
		}
		if err != nil {
			return fmt.Errorf("read ids: %w", err)
		}
		del := deleted[s.number]
		for doc := range s.foot.Docs {
			if from, to := col.Range(doc); from < to && !del.Has(doc) {
				table.insert(hashID(col.Str(from)), s.base+uint32(doc))
			}
		}
	}
	for doc := range l.set.Docs() { // read again from the log; nothing is added before this is done
		if !deleted[number].Has(doc) {
			table.insert(hashID(l.set.Str(IDField, doc)), l.base+uint32(doc))
		}
	}
	x.mu.Lock()
	x.ids = table
	x.mu.Unlock()
	return nil
}

// locate finds the segment and document of a place. The segment is nil for the documents in memory; ok is false if
// the segment was set aside. The caller holds mu.
func (x *Index) locate(place uint32) (seg *segment, doc int, ok bool) {
	if place >= x.live.base {
		return nil, int(place - x.live.base), true
	}
	i, found := slices.BinarySearchFunc(x.segs, place, func(s *segment, p uint32) int { return cmp.Compare(s.base, p) })
	if !found {
		i--
	}
	if i < 0 || int(place-x.segs[i].base) >= x.segs[i].foot.Docs {
		return nil, 0, false
	}
	return x.segs[i], int(place - x.segs[i].base), true
}

// slot finds the slot of an id in the table, or -1. Of a segment that cannot be read it finds nothing, and the
// error is returned for the caller to handle without mu, which it holds now.
func (x *Index) slot(h uint64, id string) (slot int, failed *segment, err error) {
	slot = x.ids.find(h, func(place uint32) bool {
		seg, doc, ok := x.locate(place)
		if !ok || err != nil {
			return false
		}
		if seg == nil {
			return x.live.set.Str(IDField, doc) == id
		}
		col, cerr := seg.column(x.opt.Cache, IDField)
		if cerr != nil {
			failed, err = seg, cerr
			return false
		}
		from, to := col.Range(doc)
		return from < to && col.Str(from) == id
	})
	return slot, failed, err
}

// replay applies one frame of the log after a restart.
func (x *Index) replay(raw []rawOp) error {
	ops := make([]Op, 0, len(raw))
	for _, r := range raw {
		// A creation is in the log only if its id did not exist.
		op := Op{Kind: r.kind, ID: r.id, fresh: r.kind == Create}
		if r.kind != Delete {
			doc, err := x.opt.Read(r.id, r.source)
			if err != nil {
				x.opt.Log.Error().Err(err).Str("id", r.id).Msg("stored document does not fit the mapping any more: it is lost from searches")
				x.damaged++
				continue
			}
			op.Doc = doc
		}
		ops = append(ops, op)
	}
	return x.apply(ops)
}

// apply makes durable operations visible.
func (x *Index) apply(ops []Op) error {
	if slices.ContainsFunc(ops, func(op Op) bool { return !op.fresh }) {
		if err := x.loadIDs(); err != nil {
			return err
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	touched := map[uint32]Bits{}
	for i := range ops {
		op := &ops[i]
		h := hashID(op.ID)
		if !op.fresh {
			if slot := x.slotOf(h, op); slot >= 0 {
				x.delete(x.ids.places[slot], touched)
				x.ids.remove(slot)
			}
		}
		x.seq++
		if op.Kind == Delete {
			continue
		}
		if x.ids != nil { // else loadIDs finds it, later
			x.ids.insert(h, x.live.base+uint32(x.live.set.Docs()))
		}
		x.add(op)
	}
	maps.Copy(x.deleted, touched)
	return nil
}

// slotOf finds the slot of an operation's id, or -1. An id in a segment that turns out to be damaged is not found: the
// next read sets that segment aside.
func (x *Index) slotOf(h uint64, op *Op) int {
	if op.placed {
		return x.ids.find(h, func(place uint32) bool { return place == op.place })
	}
	slot, _, err := x.slot(h, op.ID)
	if err != nil {
		x.opt.Log.Error().Err(err).Str("id", op.ID).Msg("an earlier document of this id cannot be looked for")
	}
	return slot
}

// delete marks the document of a place as deleted, in copies of the sets that readers may hold.
func (x *Index) delete(place uint32, touched map[uint32]Bits) {
	seg, doc, ok := x.locate(place)
	if !ok {
		return
	}
	number := x.number
	if seg != nil {
		number = seg.number
	}
	bits := touched[number]
	if bits == nil {
		bits = slices.Clone(x.deleted[number])
	}
	touched[number] = bits.With(doc)
}

func (x *Index) add(op *Op) {
	l := x.live
	if !l.set.Add(append(op.Doc.Values, column.Value{Field: IDField, Kind: column.String, Str: op.ID})) {
		x.opt.Log.Error().Str("id", op.ID).Msg("a field has values of two kinds: those of this document are not searchable")
	}
	l.sources.add(op.Doc)
	l.bytes += len(op.Doc.Source)
	if op.Doc.HasTime {
		l.minTime, l.maxTime = min(l.minTime, op.Doc.MinTime), max(l.maxTime, op.Doc.MaxTime)
	}
}

// Stats describe an index. Bytes are those of its files, Deleted documents still on disk.
type Stats struct {
	Docs, Deleted, Segments, Damaged int
	Bytes                            int64
}

// Stats returns the current figures.
func (x *Index) Stats() Stats {
	x.mu.RLock()
	defer x.mu.RUnlock()
	st := Stats{Docs: x.live.set.Docs(), Segments: len(x.segs), Damaged: x.damaged, Bytes: x.live.sources.size()}
	for _, s := range x.segs {
		st.Bytes += s.size
		st.Docs += s.foot.Docs
		st.Deleted += x.deleted[s.number].Count()
	}
	st.Deleted += x.deleted[x.number].Count()
	st.Docs -= st.Deleted
	return st
}

// Get returns the source of a document by id.
func (x *Index) Get(id string) (source []byte, found bool, err error) {
	if err := x.loadIDs(); err != nil {
		return nil, false, err
	}
	h := hashID(id)
	x.mu.RLock()
	slot, failed, err := x.slot(h, id)
	if slot < 0 || err != nil {
		x.mu.RUnlock()
		return nil, false, x.readFailed(failed, err)
	}
	seg, doc, _ := x.locate(x.ids.places[slot])
	live := x.live.sources.view()
	owner := x.live.owner
	x.mu.RUnlock()
	if seg == nil {
		source, err = live.source(x.opt.Cache, owner, doc)
		return source, err == nil, err
	}
	source, err = seg.source(x.opt.Cache, doc)
	return source, err == nil, x.readFailed(seg, err)
}
