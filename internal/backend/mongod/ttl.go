package mongod

import (
	"bytes"
	"time"

	"go.etcd.io/bbolt"
)

// sweepBatch bounds how long one sweep step keeps other writes waiting.
const sweepBatch = 1000

// sweepLoop deletes expired documents and cursors until the server stops.
func (s *Server) sweepLoop() {
	defer s.tasks.Done()
	ticker := time.NewTicker(s.opts.SweepInterval)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-ticker.C:
			s.cursors.expire(now)
			if err := s.sweep(now); err != nil {
				s.log.Error().Err(err).Msg("delete expired documents")
			}
		}
	}
}

type ttlIndex struct {
	ns, name string
	seconds  int32
}

func (s *Server) sweep(now time.Time) error {
	var due []ttlIndex
	err := s.store.indexesOf(func(ns string, ix *index) {
		if !ix.expire.missing() {
			due = append(due, ttlIndex{ns, ix.name, ix.expire.int32()})
		}
	})
	if err != nil {
		return err
	}
	for _, t := range due {
		for {
			n, err := s.sweepStep(t, now.Add(-time.Duration(t.seconds)*time.Second))
			if err != nil {
				return err
			}
			select {
			case <-s.stop:
				return nil
			default:
			}
			if n < sweepBatch {
				break
			}
		}
	}
	return nil
}

// sweepStep deletes up to sweepBatch documents that have a date at or before the limit in the index.
func (s *Server) sweepStep(t ttlIndex, limit time.Time) (int, error) {
	n := 0
	err := s.store.write(func(w *writeTx) error {
		n = 0
		c, err := w.collection(t.ns)
		if c == nil || err != nil {
			return err
		}
		for _, ix := range c.coll.indexes {
			if ix.name != t.name || ix.expire.missing() {
				continue
			}
			for _, key := range expired(c.indexBucket(ix), ix.fields[0], limit) {
				d := document(c.docs.Get(key))
				if d == nil {
					continue // an array put it into the list twice
				}
				if err := c.remove(key, d.clone()); err != nil {
					return err
				}
				n++
			}
		}
		return nil
	})
	return n, err
}

func expired(b *bbolt.Bucket, f indexField, limit time.Time) [][]byte {
	one := &filter{op: opLessEqual, name: f.name, value: dateValue(limit)}
	lo, hi, _ := rangeBounds(f, false, []*filter{one})
	var keys [][]byte
	c := b.Cursor()
	for k, v := c.Seek(lo); k != nil && bytes.Compare(k, hi) < 0 && len(keys) < sweepBatch; k, v = c.Next() {
		keys = append(keys, bytes.Clone(idOfEntry(k, v)))
	}
	return keys
}
