package mongod

import (
	"bytes"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"
)

// scan reads the keys of a plan. It remembers the last key, so it can go on in a later transaction without holding one open in between.
type scan struct {
	plan
	current int
	last    []byte
	seen    map[string]bool // documents already visited: one may have several keys, or fall into several ranges

	work     *work
	docs     int64 // examined so far
	reported bool
}

// scan begins to read what the selection means, in the way that needs the fewest keys.
func (c *collTx) scan(sel selection, w *work) *scan {
	p := choosePlan(c.coll, sel)
	s := &scan{plan: p, work: w}
	if p.index != nil && p.index.multikey {
		s.seen = map[string]bool{}
	}
	return s
}

// each calls visit with every document of the remaining ranges until it returns false. done is true when all were visited.
// The arguments of visit are valid only inside the transaction.
func (s *scan) each(c *collTx, visit func(key []byte, d document) (bool, error)) (done bool, err error) {
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

func (s *scan) eachInRange(c *collTx, r keyRange, visit func([]byte, document) (bool, error)) (bool, error) {
	bucket := c.docs
	if s.index != nil {
		if bucket = c.indexBucket(s.index); bucket == nil { // dropped between two batches
			return false, failure(codeQueryPlanKilled, "query plan killed :: index '%s' dropped", s.index.name)
		}
	}
	cursor := bucket.Cursor()
	k, v := s.position(cursor, r)
	for ; k != nil && inRange(k, r, s.reverse); k, v = s.step(cursor) {
		if err := s.work.step(); err != nil {
			return false, err
		}
		id, d := k, document(v)
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

func (s *scan) step(cursor *bbolt.Cursor) (k, v []byte) {
	if s.reverse {
		return cursor.Prev()
	}
	return cursor.Next()
}

// position goes to the first key of the range, or to the one behind the last key that was visited.
func (s *scan) position(cursor *bbolt.Cursor, r keyRange) (k, v []byte) {
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

// only calls visit with the documents that the filter accepts.
func only(f *filter, visit func(key []byte, d document) (bool, error)) func(key []byte, d document) (bool, error) {
	return func(key []byte, d document) (bool, error) {
		if !f.matches(d) {
			return true, nil
		}
		return visit(key, d)
	}
}

// findKeys returns the keys of the matching documents, in order, or only the first.
func (c *collTx) findKeys(sel selection, first bool, wk *work) ([][]byte, error) {
	sc := c.scan(sel, wk)
	var keys [][]byte
	var err error
	if len(sel.order) > 0 && !sc.sorted {
		keys, err = c.firstSorted(sel, sc)
	} else {
		_, err = sc.each(c, only(sel.filter, func(key []byte, _ document) (bool, error) {
			keys = append(keys, append([]byte(nil), key...))
			return !first, nil
		}))
	}
	sc.report(c.ns, sel.filter, int64(len(keys)))
	return keys, err
}

func (c *collTx) firstSorted(sel selection, sc *scan) ([][]byte, error) {
	s := &sorter{order: sel.order, keep: 1}
	_, err := sc.each(c, only(sel.filter, func(_ []byte, d document) (bool, error) { return true, s.add(d) }))
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	for _, d := range s.documents() {
		key, err := documentKey(d.get("_id"))
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// documents is the scan as a stream of the documents that the filter accepts.
func (s *scan) documents(c *collTx, f *filter) iter.Seq2[document, error] {
	return func(yield func(document, error) bool) {
		_, err := s.each(c, only(f, func(_ []byte, d document) (bool, error) { return yield(d, nil), nil }))
		if err != nil {
			yield(nil, err)
		}
	}
}
