package mongod

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
)

const maxIndexes = 64

// indexesMade tells what createIndexes did: how many indexes the collection had before and has now, the one on _id among them, and
// whether it was made for them.
type indexesMade struct {
	before, after int
	created       bool
}

// createIndexes makes the indexes of a collection that do not exist yet: all of them or, on an error, none.
func (s *store) createIndexes(ns string, specs []document, ask askFunc) (made indexesMade, err error) {
	var wanted []*index
	for _, spec := range specs {
		ix, err := parseIndex(spec, ask)
		if err != nil {
			return made, err
		}
		wanted = append(wanted, ix)
	}
	err = s.write(func(w *writeTx) error {
		c, created, err := w.openForIndexes(ns, wanted)
		if err != nil {
			return err
		}
		before := len(c.coll.indexes) + 1
		if err := c.createIndexes(wanted); err != nil {
			var known *commandError
			if errors.As(err, &known) && known.code == codeDuplicateKey {
				err = during(fmt.Sprintf("Index build failed: %s: Collection %s ( %s )", newUUID(), ns, newUUID()), err)
			}
			if created { // leave no empty collection behind a failed command
				_, _ = w.dropCollection(ns)
			}
			return err
		}
		made = indexesMade{before, len(c.coll.indexes) + 1, created}
		return nil
	})
	return made, err
}

// openForIndexes opens or creates the collection once the request is known to be free of conflicts in itself.
func (w *writeTx) openForIndexes(ns string, wanted []*index) (*collTx, bool, error) {
	for i, ix := range wanted {
		for _, other := range wanted[:i] {
			same, err := other.covers(ix)
			if same {
				err = failure(codeIndexAlreadyExists, "Identical index already exists: %s", ix.name)
			}
			if err != nil {
				build := newUUID()
				return nil, false, during(fmt.Sprintf("Index build failed: %s: Collection %s ( %s ) :: caused by :: index build on empty collection failed: %s", build, ns, newUUID(), build), err)
			}
		}
	}
	return w.ensureCollection(ns)
}

// createIndexes builds what does not exist yet: all of them or, on an error, none.
func (c *collTx) createIndexes(wanted []*index) error {
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
			return undo(failure(codeCannotCreateIndex, "add index fails, too many indexes for %s key:%s", c.ns, ix.key))
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
func (ix *index) shown() document {
	spec := ix.spec().done()
	if !ix.unique {
		return spec
	}
	b := newDocument().int32("v", 2).bool("unique", true)
	for _, f := range documentFields(spec) {
		if f.name != "v" && f.name != "unique" {
			b.add(f.name, f.value)
		}
	}
	return b.done()
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
	sameKey := string(ix.key) == string(want.key) || compareDocuments(ix.key, want.key, true) == 0
	samePartial := string(ix.partialDoc) == string(want.partialDoc)
	sameOptions := ix.unique == want.unique && ix.sparse == want.sparse && samePartial
	sameExpiry := ix.expire.missing() == want.expire.missing() && (ix.expire.missing() || equalValues(ix.expire, want.expire))
	requested, existing := want.shown(), ix.shown()
	switch {
	case ix.name == want.name && sameKey && sameOptions && sameExpiry:
		return true, nil
	case ix.name == want.name && (!sameKey || !sameOptions):
		return false, failure(codeIndexKeySpecsConflict, "An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: %s, existing index: %s", requested, existing)
	case ix.name == want.name:
		return false, failure(codeIndexOptionsConflict, "An equivalent index already exists with the same name but different options. Requested index: %s, existing index: %s", requested, existing)
	case sameKey && samePartial && ix.unique == want.unique && ix.sparse == want.sparse:
		return false, failure(codeIndexOptionsConflict, "Index already exists with a different name: %s", ix.name)
	default:
		return false, nil
	}
}

// build fills the index from the documents.
func (c *collTx) build(ix *index) error {
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
				return failure(codeKeyTooLong, "key of %d bytes is too large for index %s", len(e.key), ix.name)
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

func idIndexSpec() document {
	return newDocument().int32("v", 2).doc("key", newDocument().int32("_id", 1).done()).str("name", idIndexName).done()
}
