package store

import (
	"bytes"
	"errors"
	"fmt"

	"kreislauf/internal/backend/mongod/raw"

	"github.com/rs/zerolog"
	"go.etcd.io/bbolt"
)

// maxFaults bounds the list of a report.
const maxFaults = 100

// Report is what Check found.
type Report struct {
	Documents map[string]int64 // by "database.collection"
	Faults    []string         // each names the collection and what is wrong; at most 100
}

// Check compares the data folder of a server that does not run with what it should be: every page of the file is used as bbolt says,
// every document is well-formed and under the key of its _id, every index is as a rebuild would make it. What is wrong is in the
// report; the error says that something could not be read.
func Check(dir string) (*Report, error) {
	st, err := Open(dir, zerolog.Nop())
	if err != nil {
		return nil, err
	}
	r := &Report{Documents: map[string]int64{}}
	err = st.read(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			r.fault("file: %v", err)
		}
		for _, ns := range namespaces(tx, "") {
			c, err := st.openCollection(tx, ns)
			if err != nil {
				r.fault("%s: %v", ns, err)
				continue
			}
			if err := r.collection(c); err != nil {
				return fmt.Errorf("check %s: %w", ns, err)
			}
		}
		return nil
	})
	return r, errors.Join(err, st.Close())
}

func (r *Report) fault(format string, args ...any) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
}

func (r *Report) collection(c *Collection) error {
	before := len(r.Faults)
	r.Documents[c.ns] = 0
	err := c.Each(func(key []byte, d raw.Document) error {
		r.Documents[c.ns]++
		if err := raw.Validate(d, 1); err != nil && !errors.Is(err, raw.ErrDecimal) {
			r.fault("%s: the document under %x is damaged: %v", c.ns, key, err)
			return nil
		}
		if want, err := DocumentKey(d.Get("_id")); err == nil && !bytes.Equal(want, key) {
			r.fault("%s: the document with %s is under the key %x", c.ns, raw.FormatField("_id", d.Get("_id")), key)
		}
		return nil
	})
	if err != nil || len(r.Faults) > before {
		return err // the keys of a document that cannot be read are unknown
	}
	for _, ix := range c.coll.indexes {
		if err := r.index(c, ix); err != nil {
			return fmt.Errorf("index %s: %w", ix.name, err)
		}
	}
	return nil
}

// index looks up every key that the documents have; what is left over in the index is too much.
func (r *Report) index(c *Collection, ix *index) error {
	bucket := c.indexBucket(ix)
	if bucket == nil {
		r.fault("%s: index %s has no keys stored", c.ns, ix.name)
		return nil
	}
	expected := map[string]bool{}
	err := c.Each(func(id []byte, d raw.Document) error {
		entries, multikey, err := ix.entries(d)
		if err != nil {
			r.fault("%s: index %s: the document with %s: %v", c.ns, ix.name, raw.FormatField("_id", d.Get("_id")), err)
			return nil
		}
		if multikey && !ix.multikey {
			r.fault("%s: index %s is not marked multikey", c.ns, ix.name)
		}
		for _, e := range entries {
			key := storedKey(e.key, id)
			expected[string(key)] = true
			if stored := bucket.Get(key); stored == nil || !bytes.Equal(idOfEntry(key, stored), id) {
				r.fault("%s: index %s lacks a key of the document with %s", c.ns, ix.name, raw.FormatField("_id", d.Get("_id")))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return bucket.ForEach(func(key, _ []byte) error {
		if !expected[string(key)] {
			r.fault("%s: index %s has the key %x, which no document has", c.ns, ix.name, key)
		}
		return nil
	})
}
