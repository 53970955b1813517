package store

import (
	"bytes"
	"errors"
	"time"

	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"

	"go.etcd.io/bbolt"
)

// sweepBatch bounds how long one sweep step keeps other writes waiting.
const sweepBatch = 1000

// ttlIndex names an index whose documents expire.
type ttlIndex struct {
	ns, name string
	seconds  int32
}

// DeleteExpired deletes every document whose time in an index with expireAfterSeconds is over, until it is told to stop.
func (s *Store) DeleteExpired(now time.Time, stop <-chan struct{}) error {
	due, unreadable := s.ttlIndexes()
	for _, t := range due {
		for {
			n, err := s.sweepStep(t, now.Add(-time.Duration(t.seconds)*time.Second))
			if err != nil {
				return err
			}
			select {
			case <-stop:
				return nil
			default:
			}
			if n < sweepBatch {
				break
			}
		}
	}
	return unreadable
}

// ttlIndexes lists them. A collection that cannot be read is an error and does not keep the others from being listed.
func (s *Store) ttlIndexes() (due []ttlIndex, unreadable error) {
	err := s.read(func(tx *bbolt.Tx) error {
		for _, ns := range namespaces(tx, "") {
			c, err := s.openCollection(tx, ns)
			if err != nil {
				unreadable = errors.Join(unreadable, err)
				continue
			}
			for _, ix := range c.coll.indexes {
				if !ix.expire.Missing() {
					due = append(due, ttlIndex{ns, ix.name, ix.expire.Int32()})
				}
			}
		}
		return nil
	})
	return due, errors.Join(unreadable, err)
}

// sweepStep deletes up to sweepBatch documents that have a date at or before the limit in the index.
func (s *Store) sweepStep(t ttlIndex, limit time.Time) (int, error) {
	n := 0
	err := s.Write(func(w *Tx) error {
		n = 0
		c, err := w.Collection(t.ns)
		if c == nil || err != nil {
			return err
		}
		for _, ix := range c.coll.indexes {
			if ix.name != t.name || ix.expire.Missing() {
				continue
			}
			for _, key := range expired(c.indexBucket(ix), ix.fields[0], limit) {
				d := raw.Document(c.docs.Get(key))
				if d == nil {
					continue // an array put it into the list twice
				}
				if err := c.Remove(key, d.Clone()); err != nil {
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
	one := &query.Filter{Op: query.LessEqual, Name: f.name, Value: raw.Date(limit)}
	lo, hi, _ := rangeBounds(f, false, []*query.Filter{one})
	var keys [][]byte
	c := b.Cursor()
	for k, v := c.Seek(lo); k != nil && bytes.Compare(k, hi) < 0 && len(keys) < sweepBatch; k, v = c.Next() {
		keys = append(keys, bytes.Clone(idOfEntry(k, v)))
	}
	return keys
}
