package main

import (
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// rawWrite is a document and its index key that wait for their commit.
type rawWrite struct {
	key, value, index []byte
	done              chan error
}

// rawStore is the least that group commit on bbolt costs for the same data: writers hand documents to one goroutine, which puts all that
// wait, and an index key for each, into one transaction.
type rawStore struct {
	db    *bbolt.DB
	queue chan *rawWrite
	ended chan struct{}
}

// openRaw makes the file and puts n documents into it.
func openRaw(path string, n int) (*rawStore, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, InitialMmapSize: 256 << 20, PageSize: 8192})
	if err != nil {
		return nil, fmt.Errorf("raw loop: %w", err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range []string{"documents", "index"} {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		for i := range n {
			w, err := newRawWrite(i)
			if err == nil {
				err = w.put(tx)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("raw loop: %w", err), db.Close())
	}
	s := &rawStore{db: db, queue: make(chan *rawWrite, 512), ended: make(chan struct{})}
	go s.loop()
	return s, nil
}

func newRawWrite(i int) (*rawWrite, error) {
	d := document(i)
	value, err := bson.Marshal(d)
	key := []byte(d[0].Value.(string))
	return &rawWrite{key, value, append(binary.BigEndian.AppendUint64(nil, uint64(i)), key...), make(chan error, 1)}, err
}

func (w *rawWrite) put(tx *bbolt.Tx) error {
	return errors.Join(tx.Bucket([]byte("documents")).Put(w.key, w.value), tx.Bucket([]byte("index")).Put(w.index, nil))
}

func (s *rawStore) loop() {
	defer close(s.ended)
	for w := range s.queue {
		batch := []*rawWrite{w}
		for len(s.queue) > 0 {
			batch = append(batch, <-s.queue)
		}
		err := s.db.Update(func(tx *bbolt.Tx) error {
			for _, w := range batch {
				if err := w.put(tx); err != nil {
					return err
				}
			}
			return nil
		})
		for _, w := range batch {
			w.done <- err
		}
	}
}

// insert stores the document i and returns after the sync.
func (s *rawStore) insert(i int) error {
	w, err := newRawWrite(i)
	if err != nil {
		return err
	}
	s.queue <- w
	return <-w.done
}

func (s *rawStore) close() error {
	close(s.queue)
	<-s.ended
	return s.db.Close()
}
