package store

import (
	"bytes"
	"fmt"
	"iter"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"

	"go.etcd.io/bbolt"
)

// Scan reads the keys of a plan. It remembers the last key, so it can go on in a later transaction without holding one open in between.
type Scan struct {
	plan
	current int
	last    []byte
	seen    map[string]bool // documents already visited: one may have several keys, or fall into several ranges

	Work     *Work
	docs     int64 // examined so far
	reported bool
}

// Scan begins to read what the selection means, in the way that needs the fewest keys.
func (c *Collection) Scan(sel Selection, w *Work) *Scan {
	p := choosePlan(c.coll, sel)
	s := &Scan{plan: p, Work: w}
	if p.index != nil && p.index.multikey {
		s.seen = map[string]bool{}
	}
	return s
}

// Each calls visit with every document of the remaining ranges until it returns false. done is true when all were visited.
// The arguments of visit are valid only inside the transaction.
func (s *Scan) Each(c *Collection, visit func(key []byte, d raw.Document) (bool, error)) (done bool, err error) {
	for ; s.current < len(s.ranges); s.current++ {
		r := s.ranges[s.current]
		if s.reverse {
			r = s.ranges[len(s.ranges)-1-s.current]
		}
		more, err := s.eachInRange(c, r, visit)
		if err != nil || !more {
			return false, err
		}
		s.last = nil
	}
	return true, nil
}

func (s *Scan) eachInRange(c *Collection, r keyRange, visit func([]byte, raw.Document) (bool, error)) (bool, error) {
	bucket := c.docs
	if s.index != nil {
		if bucket = c.indexBucket(s.index); bucket == nil { // dropped between two batches
			return false, fault.New(fault.QueryPlanKilled, "query plan killed :: index '%s' dropped", s.index.name)
		}
	}
	cursor := bucket.Cursor()
	k, v := s.position(cursor, r)
	for ; k != nil && inRange(k, r, s.reverse); k, v = s.step(cursor) {
		if err := s.Work.Step(); err != nil {
			return false, err
		}
		id, d := k, raw.Document(v)
		if s.index != nil {
			id = idOfEntry(k, v)
			if s.seen != nil {
				if s.seen[string(id)] {
					continue
				}
				s.seen[string(id)] = true
			}
			if d = c.docs.Get(id); d == nil {
				return false, fmt.Errorf("index %s of %s names a document that does not exist", s.index.name, c.ns)
			}
		}
		s.docs++
		more, err := visit(id, d)
		if err != nil {
			return false, err
		}
		if !more {
			s.last = bytes.Clone(k)
			return false, nil
		}
	}
	return true, nil
}

func (s *Scan) step(cursor *bbolt.Cursor) (k, v []byte) {
	if s.reverse {
		return cursor.Prev()
	}
	return cursor.Next()
}

// position goes to the first key of the range, or to the one behind the last key that was visited.
func (s *Scan) position(cursor *bbolt.Cursor, r keyRange) (k, v []byte) {
	if !s.reverse {
		if s.last == nil {
			return cursor.Seek(r.lo)
		}
		k, v = cursor.Seek(s.last)
		if bytes.Equal(k, s.last) {
			return cursor.Next()
		}
		return k, v
	}
	end := r.hi
	if s.last != nil {
		end = s.last
	}
	if end == nil {
		return cursor.Last()
	}
	if k, _ = cursor.Seek(end); k == nil {
		return cursor.Last()
	}
	return cursor.Prev()
}

func inRange(k []byte, r keyRange, reverse bool) bool {
	if reverse {
		return bytes.Compare(k, r.lo) >= 0
	}
	return r.hi == nil || bytes.Compare(k, r.hi) < 0
}

// Only calls visit with the documents that the filter accepts.
func Only(f *query.Filter, visit func(key []byte, d raw.Document) (bool, error)) func(key []byte, d raw.Document) (bool, error) {
	return func(key []byte, d raw.Document) (bool, error) {
		if !f.Matches(d) {
			return true, nil
		}
		return visit(key, d)
	}
}

// FindKeys returns the keys of the matching documents, in order, or only the first.
func (c *Collection) FindKeys(sel Selection, first bool, wk *Work) ([][]byte, error) {
	sc := c.Scan(sel, wk)
	var keys [][]byte
	var err error
	if len(sel.Order) > 0 && !sc.Sorted {
		keys, err = c.firstSorted(sel, sc)
	} else {
		_, err = sc.Each(c, Only(sel.Filter, func(key []byte, _ raw.Document) (bool, error) {
			keys = append(keys, append([]byte(nil), key...))
			return !first, nil
		}))
	}
	sc.Report(c.ns, sel.Filter, int64(len(keys)))
	return keys, err
}

func (c *Collection) firstSorted(sel Selection, sc *Scan) ([][]byte, error) {
	s := &query.Sorter{Order: sel.Order, Keep: 1}
	_, err := sc.Each(c, Only(sel.Filter, func(_ []byte, d raw.Document) (bool, error) { return true, s.Add(d) }))
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	for _, d := range s.Documents() {
		key, err := DocumentKey(d.Get("_id"))
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// Documents is the scan as a stream of the documents that the filter accepts.
func (s *Scan) Documents(c *Collection, f *query.Filter) iter.Seq2[raw.Document, error] {
	return func(yield func(raw.Document, error) bool) {
		_, err := s.Each(c, Only(f, func(_ []byte, d raw.Document) (bool, error) { return yield(d, nil), nil }))
		if err != nil {
			yield(nil, err)
		}
	}
}
