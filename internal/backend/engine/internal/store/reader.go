package store

import (
	"errors"
	"os"
	"slices"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/eserr"
)

// Reader is the constant view of one segment, or of the documents in memory.
type Reader struct {
	Docs             int
	MinTime, MaxTime int64 // of @timestamp, in milliseconds; MinTime > MaxTime if no document has one
	Deleted          Bits
	index            *Index
	seg              *segment
	cols             map[string]*column.Column // without a segment
	live             *live
	sources          *sources
}

// View returns the readers of all documents visible now, in the order they were written. Segments are verified before
// they are read for the first time; damaged ones are set aside and missing.
func (x *Index) View() ([]*Reader, error) {
	readers := x.view()
	out := readers[:0]
	for _, r := range readers {
		if r.seg == nil || r.seg.verified.Load() {
			out = append(out, r)
			continue
		}
		switch err := x.readFailed(r.seg, r.seg.verify()); {
		case err == nil:
			out = append(out, r)
		case !errors.Is(err, ErrDamaged):
			return nil, err
		}
	}
	return out, nil
}

func (x *Index) view() []*Reader {
	x.mu.RLock()
	defer x.mu.RUnlock()
	out := make([]*Reader, 0, len(x.segs)+1)
	for _, s := range x.segs {
		out = append(out, &Reader{
			Docs: s.foot.Docs, MinTime: s.foot.MinTime, MaxTime: s.foot.MaxTime,
			Deleted: x.deleted[s.number], index: x, seg: s,
		})
	}
	if n := x.live.set.Docs(); n > 0 {
		out = append(out, &Reader{
			Docs: n, MinTime: x.live.minTime, MaxTime: x.live.maxTime, Deleted: x.deleted[x.number],
			index: x, cols: x.live.set.Views(), live: x.live, sources: x.live.sources.view(),
		})
	}
	return out
}

// Column returns the values of a field; it is empty, not nil, if no document has one.
func (r *Reader) Column(name string) (*column.Column, error) {
	if r.seg == nil {
		if c := r.cols[name]; c != nil {
			return c, nil
		}
		return &column.Column{}, nil
	}
	c, err := r.seg.column(r.index.opt.Cache, name)
	return c, r.index.readFailed(r.seg, err)
}

// Derived returns what build makes of the columns of a segment, kept in the cache under a name; bytes is its size.
// It reports false for the documents in memory, which change.
func (r *Reader) Derived(name string, build func() (value any, bytes int)) (any, bool) {
	if r.seg == nil {
		return nil, false
	}
	key := cacheKey{r.seg, name}
	if v, ok := r.index.opt.Cache.get(key); ok {
		return v, true
	}
	v, size := build()
	r.index.opt.Cache.put(key, v, size)
	return v, true
}

// Source returns the stored JSON of a document.
func (r *Reader) Source(doc int) ([]byte, error) {
	if r.seg == nil {
		return r.sources.source(r.index.opt.Cache, r.live.owner, doc)
	}
	b, err := r.seg.source(r.index.opt.Cache, doc)
	return b, r.index.readFailed(r.seg, err)
}

// ID returns the id of a document.
func (r *Reader) ID(doc int) (string, error) {
	if r.seg == nil {
		c := r.cols[IDField]
		return c.Str(uint32(doc)), nil
	}
	id, err := r.seg.id(r.index.opt.Cache, doc)
	return id, r.index.readFailed(r.seg, err)
}

// Find returns the documents that have one of the values in a field whose values are stored in a form that can be
// searched as it is; ok is false for other fields.
func (r *Reader) Find(field string, values []string) (found Bits, ok bool, err error) {
	if r.seg == nil {
		return nil, false, nil
	}
	found, ok, err = r.seg.findPacked(&r.index.buffers, field, values)
	return found, ok, r.index.readFailed(r.seg, err)
}

// MayHave is false only if no document has exactly that value.
func (r *Reader) MayHave(field, value string) bool {
	return r.seg == nil || r.seg.filter.has(termHash(field, value))
}

// readFailed sets a damaged segment aside. The search that met it fails; later ones run without it, and the
// index is reported as damaged.
func (x *Index) readFailed(s *segment, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrNotExist):
		return eserr.New(503, "no_shard_available_action_exception", "the index was deleted while it was searched")
	case !errors.Is(err, ErrDamaged):
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if i := slices.Index(x.segs, s); i >= 0 {
		// Its places are not found any more, so its ids can be created again.
		x.segs = slices.Delete(slices.Clone(x.segs), i, i+1)
		delete(x.deleted, s.number)
		x.opt.Cache.drop(s)
		if asideErr := x.aside(s.path, err); asideErr != nil {
			return errors.Join(err, asideErr)
		}
	}
	return err
}
