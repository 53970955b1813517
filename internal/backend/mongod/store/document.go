package store

import (
	"fmt"
	"slices"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"

	"go.etcd.io/bbolt"
)

// indexChange is what a document's change does to one index. It is computed and checked for all indexes before anything is written,
// so a command that fails leaves the document and its index keys as they were, without a rollback of the shared transaction.
type indexChange struct {
	index       *index
	bucket      *bbolt.Bucket
	remove, add []indexEntry
	multikey    bool
}

// DocumentKey returns the key of a document's _id.
func DocumentKey(id raw.Value) ([]byte, error) {
	if id.HasDecimal() {
		return nil, fault.Unsupported("a Decimal128 in an _id")
	}
	key := raw.AppendKey(nil, id)
	if len(key) > maxKeySize/2 {
		return nil, fault.New(fault.KeyTooLong, "_id of %d bytes is too large for a key", len(key))
	}
	return key, nil
}

// checkID refuses the types that MongoDB refuses for _id.
func checkID(id raw.Value) error {
	switch id.Kind {
	case raw.KindArray, raw.KindRegex, raw.KindUndefined:
		return fault.New(fault.InvalidIDField, "The '_id' value cannot be of type %s", raw.KindName(id.Kind))
	case raw.KindDocument:
		if query.IsOperators(id) {
			return fault.New(fault.DollarPrefixed,
				"_id fields may not contain '$'-prefixed fields: %s is not valid for storage.", id.Document().FirstName())
		}
	}
	return nil
}

// Insert adds a document that has its _id first.
func (c *Collection) Insert(d raw.Document) error {
	id := d.Get("_id")
	if err := checkID(id); err != nil {
		return err
	}
	key, err := DocumentKey(id)
	if err != nil {
		return err
	}
	if c.docs.Get(key) != nil {
		return duplicateKey(c.ns, idIndexName, raw.New().Int32("_id", 1).Done(), []raw.Value{id})
	}
	return c.Put(key, nil, d)
}

// Put stores new under key in place of old (nil when there was none) and maintains every index.
func (c *Collection) Put(key []byte, old, new raw.Document) error {
	changes, err := c.indexChanges(key, old, new)
	if err != nil {
		return err
	}
	if err := c.applyIndexChanges(key, changes); err != nil {
		return err
	}
	if err := c.docs.Put(key, new); err != nil {
		return &storageError{fmt.Errorf("store document: %w", err)}
	}
	return nil
}

// Remove deletes the document under key.
func (c *Collection) Remove(key []byte, old raw.Document) error {
	changes, err := c.indexChanges(key, old, nil)
	if err != nil {
		return err
	}
	if err := c.applyIndexChanges(key, changes); err != nil {
		return err
	}
	if err := c.docs.Delete(key); err != nil {
		return &storageError{fmt.Errorf("delete document: %w", err)}
	}
	return nil
}

func (c *Collection) indexChanges(key []byte, old, new raw.Document) ([]indexChange, error) {
	var changes []indexChange
	for _, ix := range c.coll.indexes {
		change := indexChange{index: ix}
		var before, after []indexEntry
		var err error
		if old != nil {
			if before, _, err = ix.entries(old); err != nil {
				return nil, err
			}
		}
		if new != nil {
			if after, change.multikey, err = ix.entries(new); err != nil {
				return nil, err
			}
		}
		change.remove, change.add = without(before, after), without(after, before)
		if len(change.remove)+len(change.add) == 0 {
			continue
		}
		change.bucket = c.indexBucket(ix)
		for _, e := range change.add {
			if len(e.key)+len(key) > maxKeySize {
				return nil, fault.New(fault.KeyTooLong, "key of %d bytes is too large for index %s", len(e.key), ix.name)
			}
			if ix.unique && conflict(change.bucket, e.key, key) {
				return nil, duplicateKey(c.ns, ix.name, ix.key, e.values)
			}
		}
		changes = append(changes, change)
	}
	return changes, nil
}

func (c *Collection) applyIndexChanges(key []byte, changes []indexChange) error {
	c.write.changed = true
	for _, change := range changes {
		for _, e := range change.remove {
			if err := change.bucket.Delete(storedKey(e.key, key)); err != nil {
				return &storageError{fmt.Errorf("delete index key: %w", err)}
			}
		}
		for _, e := range change.add {
			if err := putEntry(change.bucket, e.key, key); err != nil {
				return &storageError{fmt.Errorf("store index key: %w", err)}
			}
		}
		if change.multikey && !change.index.multikey {
			if err := c.markMultikey(change.index.name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Collection) markMultikey(name string) error {
	indexes := slices.Clone(c.coll.indexes)
	for i, ix := range indexes {
		if ix.name == name {
			marked := *ix
			marked.multikey = true
			indexes[i] = &marked
		}
	}
	return c.setIndexes(indexes)
}

// without returns the entries of a whose key is not in b.
func without(a, b []indexEntry) []indexEntry {
	if len(b) == 0 {
		return a
	}
	var out []indexEntry
	for _, e := range a {
		if !slices.ContainsFunc(b, func(x indexEntry) bool { return string(x.key) == string(e.key) }) {
			out = append(out, e)
		}
	}
	return out
}

// Get returns a copy of the document under key, or nil.
func (c *Collection) Get(key []byte) raw.Document { return raw.Document(c.docs.Get(key)).Clone() }

// Each calls visit with every document, in the order of the keys. Its arguments are valid only inside the transaction.
func (c *Collection) Each(visit func(key []byte, d raw.Document) error) error {
	return c.docs.ForEach(func(key, d []byte) error { return visit(key, d) })
}
