package mongod

import (
	"bytes"
	"fmt"

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

func newScan(p plan, w *work) *scan {
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
