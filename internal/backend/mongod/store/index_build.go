package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/registry"
)

const maxIndexes = 64

// IndexesMade tells what createIndexes did: how many indexes the collection had before and has now, the one on _id among them, and
// whether it was made for them.
type IndexesMade struct {
	Before, After int
	Created       bool
}

// CreateIndexes makes the indexes of a collection that do not exist yet: all of them or, on an error, none.
func (s *Store) CreateIndexes(ns string, specs []raw.Document, ask registry.Ask) (made IndexesMade, err error) {
	var wanted []*index
	for _, spec := range specs {
		ix, err := parseIndex(spec, ask)
		if err != nil {
			return made, err
		}
		wanted = append(wanted, ix)
	}
	err = s.Write(func(w *Tx) error {
		c, created, err := w.openForIndexes(ns, wanted)
		if err != nil {
			return err
		}
		before := len(c.coll.indexes) + 1
		if err := c.createIndexes(wanted); err != nil {
			var known *fault.Error
			if errors.As(err, &known) && known.Code == fault.DuplicateKey {
				err = fault.During(fmt.Sprintf("Index build failed: %s: Collection %s ( %s )", newUUID(), ns, newUUID()), err)
			}
			if created { // leave no empty collection behind a failed command
				_, _ = w.DropCollection(ns)
			}
			return err
		}
		made = IndexesMade{before, len(c.coll.indexes) + 1, created}
		return nil
	})
	return made, err
}

// openForIndexes opens or creates the collection once the request is known to be free of conflicts in itself.
func (w *Tx) openForIndexes(ns string, wanted []*index) (*Collection, bool, error) {
	for i, ix := range wanted {
		for _, other := range wanted[:i] {
			same, err := other.covers(ix)
			if same {
				err = fault.New(fault.IndexAlreadyExists, "Identical index already exists: %s", ix.name)
			}
			if err != nil {
				build := newUUID()
				what := "Index build failed: %s: Collection %s ( %s ) :: caused by :: index build on empty collection failed: %s"
				return nil, false, fault.During(fmt.Sprintf(what, build, ns, newUUID(), build), err)
			}
		}
	}
	return w.EnsureCollection(ns)
}

// createIndexes builds what does not exist yet: all of them or, on an error, none.
func (c *Collection) createIndexes(wanted []*index) error {
	indexes := slices.Clone(c.coll.indexes)
	var built []*index
	undo := func(err error) error {
		for _, ix := range built {
			if derr := c.bucket.DeleteBucket([]byte(indexPrefix + ix.name)); derr != nil {
				return &storageError{fmt.Errorf("remove unfinished index: %w", derr)}
			}
		}
		return err
	}
	for _, ix := range wanted {
		exists := ix.isIDIndex()
		for _, old := range indexes {
			same, err := old.covers(ix)
			if err != nil {
				return undo(err)
			}
			exists = exists || same
		}
		if exists {
			continue
		}
		if len(indexes)+1 >= maxIndexes {
			return undo(fault.New(fault.CannotCreateIndex, "add index fails, too many indexes for %s key:%s", c.ns, ix.key))
		}
		built = append(built, ix)
		if err := c.build(ix); err != nil {
			return undo(err)
		}
		indexes = append(indexes, ix)
	}
	if len(built) == 0 {
		return nil
	}
	return c.setIndexes(indexes)
}

// shown is the index as the errors about clashes show it.
func (ix *index) shown() raw.Document {
	spec := ix.spec().Done()
	if !ix.unique {
		return spec
	}
	b := raw.New().Int32("v", 2).Bool("unique", true)
	for _, f := range raw.Fields(spec) {
		if f.Name != "v" && f.Name != "unique" {
			b.Add(f.Name, f.Value)
		}
	}
	return b.Done()
}

// newUUID is for the ids that MongoDB gives index builds and collections in its errors.
func newUUID() string {
	var id [16]byte
	rand.Read(id[:])
	id[6], id[8] = id[6]&0xf|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// covers reports whether the wanted index already is this one; a clash of name, key or options is an error.
func (ix *index) covers(want *index) (bool, error) {
	sameKey := string(ix.key) == string(want.key) || raw.CompareDocuments(ix.key, want.key, true) == 0
	samePartial := string(ix.partialDoc) == string(want.partialDoc)
	sameOptions := ix.unique == want.unique && ix.sparse == want.sparse && samePartial
	sameExpiry := ix.expire.Missing() == want.expire.Missing() && (ix.expire.Missing() || raw.Equal(ix.expire, want.expire))
	requested, existing := want.shown(), ix.shown()
	switch {
	case ix.name == want.name && sameKey && sameOptions && sameExpiry:
		return true, nil
	case ix.name == want.name && (!sameKey || !sameOptions):
		return false, fault.New(fault.IndexKeySpecsConflict,
			"An existing index has the same name as the requested index. When index names are not specified, they are auto "+
				"generated and can cause conflicts. Please refer to our documentation. Requested index: %s, existing index: %s", requested, existing)
	case ix.name == want.name:
		return false, fault.New(fault.IndexOptionsConflict,
			"An equivalent index already exists with the same name but different options. Requested index: %s, existing index: %s",
			requested, existing)
	case sameKey && samePartial && ix.unique == want.unique && ix.sparse == want.sparse:
		return false, fault.New(fault.IndexOptionsConflict, "Index already exists with a different name: %s", ix.name)
	default:
		return false, nil
	}
}

// build fills the index from the documents.
func (c *Collection) build(ix *index) error {
	c.write.changed = true
	bucket, err := c.bucket.CreateBucket([]byte(indexPrefix + ix.name))
	if err != nil {
		return &storageError{fmt.Errorf("create index: %w", err)}
	}
	return c.docs.ForEach(func(key, raw []byte) error {
		entries, multikey, err := ix.entries(raw)
		if err != nil {
			return err
		}
		ix.multikey = ix.multikey || multikey
		for _, e := range entries {
			if len(e.key)+len(key) > maxKeySize {
				return fault.New(fault.KeyTooLong, "key of %d bytes is too large for index %s", len(e.key), ix.name)
			}
			if ix.unique && conflict(bucket, e.key, key) {
				return duplicateKey(c.ns, ix.name, ix.key, e.values)
			}
			if err := putEntry(bucket, e.key, key); err != nil {
				return &storageError{fmt.Errorf("store index key: %w", err)}
			}
		}
		return nil
	})
}

func idIndexSpec() raw.Document {
	return raw.New().Int32("v", 2).Doc("key", raw.New().Int32("_id", 1).Done()).Str("name", idIndexName).Done()
}
