package store

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"kreislauf/elk/engine/internal/column"
)

// Index is one open index. All methods are safe for concurrent use.
type Index struct {
	opt   Options
	codec *codec
	hash  hasher
	queue chan *batch
	done  chan struct{} // closed by the committer when it ends

	closing sync.RWMutex // held for reading while a batch is enqueued
	closed  bool

	// Owned by the committer.
	log       *wal
	number    uint32 // of the log and of the segment it becomes
	nextFlush int

	mu      sync.RWMutex // guards what follows
	segs    []*segment   // by number
	live    *live
	ids     map[idHash]location
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
		opt: opt, codec: c, hash: newHasher(), queue: make(chan *batch, 64), done: make(chan struct{}),
		live: newLive(), ids: map[idHash]location{}, deleted: map[uint32]Bits{}, nextFlush: FlushDocs,
	}
	if err := x.load(); err != nil {
		return nil, fmt.Errorf("open index %s: %w", opt.Dir, err)
	}
	go x.commitLoop()
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
	total := 0
	for _, s := range x.segs {
		total += s.foot.Docs
	}
	x.ids = make(map[idHash]location, total)
	for _, s := range x.segs {
		if err := x.loadIDs(s); err != nil {
			return err
		}
	}
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
		w, err := openWAL(x.walPath(n), x.codec, x.opt.Log, x.replay)
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

func (x *Index) loadIDs(s *segment) error {
	col, err := s.column(NewCache(0), IDField)
	if err != nil {
		return err
	}
	del := x.deleted[s.number]
	for doc := range s.foot.Docs {
		from, to := col.Range(doc)
		if from < to && !del.Has(doc) {
			x.ids[x.hash.sum(col.Str(from))] = location{s.number, uint32(doc)}
		}
	}
	x.seq += int64(s.foot.Docs)
	return nil
}

// replay applies one frame of the log after a restart.
func (x *Index) replay(raw []rawOp) error {
	ops := make([]Op, 0, len(raw))
	for _, r := range raw {
		op := Op{Kind: r.kind, ID: r.id}
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
	x.apply(ops)
	return nil
}

// apply makes durable operations visible.
func (x *Index) apply(ops []Op) {
	x.mu.Lock()
	defer x.mu.Unlock()
	touched := map[uint32]Bits{}
	for _, op := range ops {
		h := x.hash.sum(op.ID)
		if at, ok := x.ids[h]; ok {
			bits := touched[at.seg]
			if bits == nil {
				bits = slices.Clone(x.deleted[at.seg])
			}
			touched[at.seg] = bits.With(int(at.doc))
			delete(x.ids, h)
		}
		x.seq++
		if op.Kind == Delete {
			continue
		}
		x.ids[h] = location{x.number, uint32(x.live.set.Docs())}
		x.add(op)
	}
	maps.Copy(x.deleted, touched)
}

func (x *Index) add(op Op) {
	l := x.live
	values := append(op.Doc.Values, column.Value{Field: IDField, Kind: column.String, Str: op.ID})
	if !l.set.Add(values) {
		x.opt.Log.Error().Str("id", op.ID).Msg("a field has values of two kinds: those of this document are not searchable")
	}
	l.sources = append(l.sources, op.Doc.Source)
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
	st := Stats{Docs: len(x.ids), Segments: len(x.segs), Damaged: x.damaged, Bytes: int64(x.live.bytes)}
	for _, s := range x.segs {
		st.Bytes += s.size
	}
	for _, b := range x.deleted {
		st.Deleted += b.Count()
	}
	return st
}

// Get returns the source of a document by id.
func (x *Index) Get(id string) (source []byte, found bool, err error) {
	x.mu.RLock()
	at, ok := x.ids[x.hash.sum(id)]
	number := x.number
	var seg *segment
	if ok && at.seg == number {
		source = x.live.sources[at.doc]
	} else if ok {
		for _, s := range x.segs {
			if s.number == at.seg {
				seg = s
			}
		}
	}
	x.mu.RUnlock()
	if seg != nil {
		source, err = seg.source(x.opt.Cache, int(at.doc))
	}
	return source, ok, err
}
