package store

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"

	"go.etcd.io/bbolt"
)

// index describes one secondary index.
type index struct {
	name       string
	key        raw.Document
	fields     []indexField
	unique     bool
	sparse     bool
	partialDoc raw.Document // nil without a partialFilterExpression
	partial    *query.Filter
	expire     raw.Value // expireAfterSeconds as given, or missing
	multikey   bool      // some document has put an array into the index
}

type indexField struct {
	name       string
	path       []string
	descending bool
}

// indexEntry is one key of a document: the values and their encoding without the document's id.
type indexEntry struct {
	key    []byte
	values []raw.Value
}

// spec is the index as listIndexes shows it.
func (ix *index) spec() *raw.Builder {
	b := raw.New().Int32("v", 2).Doc("key", ix.key).Str("name", ix.name)
	if ix.unique {
		b.Bool("unique", true)
	}
	if ix.sparse {
		b.Bool("sparse", true)
	}
	if ix.partialDoc != nil {
		b.Doc("partialFilterExpression", ix.partialDoc)
	}
	return b.Add("expireAfterSeconds", ix.expire)
}

func (ix *index) stored() raw.Document { return ix.spec().Bool("multikey", ix.multikey).Done() }

func parseStoredIndex(d raw.Document) (*index, error) {
	ix := &index{
		name:     d.Get("name").Text(),
		key:      d.Get("key").Document(),
		unique:   d.Get("unique").Truthy(),
		sparse:   d.Get("sparse").Truthy(),
		expire:   d.Get("expireAfterSeconds"),
		multikey: d.Get("multikey").Truthy(),
	}
	if p := d.Get("partialFilterExpression"); p.Kind == raw.KindDocument {
		f, err := query.Parse(p.Document(), nil)
		if err != nil {
			return nil, err
		}
		ix.partialDoc, ix.partial = p.Document(), f
	}
	ix.fields = indexFields(ix.key)
	return ix, nil
}

func indexFields(key raw.Document) []indexField {
	var out []indexField
	r := key.Reader()
	for {
		name, v, ok := r.Next()
		if !ok {
			return out
		}
		out = append(out, indexField{
			name:       string(name),
			path:       query.SplitPath(string(name)),
			descending: v.Numeric() && raw.CompareNumbers(v, raw.Int32(0)) < 0,
		})
	}
}

// entries returns the keys that the document has in the index and whether an array produced them.
func (ix *index) entries(d raw.Document) ([]indexEntry, bool, error) {
	if ix.partial != nil && !ix.partial.Matches(d) {
		return nil, false, nil
	}
	out := []indexEntry{{}}
	exists, arrayField := false, ""
	for _, f := range ix.fields {
		values, isArray, present := query.FieldValues(d, f.path)
		exists = exists || present
		if isArray {
			if arrayField != "" {
				return nil, false, fault.New(fault.ParallelArrays, "cannot index parallel arrays [%s] [%s]", f.path[0], arrayField)
			}
			arrayField = f.path[0]
		}
		var next []indexEntry
		for _, e := range out {
			for _, v := range values {
				if v.HasDecimal() {
					return nil, false, fault.Unsupported("a Decimal128 in an index key")
				}
				key := appendIndexField(append([]byte(nil), e.key...), f, v)
				next = append(next, indexEntry{key: key, values: append(append([]raw.Value(nil), e.values...), v)})
			}
		}
		out = next
	}
	if ix.sparse && !exists {
		return nil, false, nil
	}
	return distinctEntries(out), arrayField != "", nil
}

func appendIndexField(dst []byte, f indexField, v raw.Value) []byte {
	start := len(dst)
	dst = raw.AppendKey(dst, v)
	if f.descending {
		raw.Invert(dst[start:])
	}
	return dst
}

func distinctEntries(in []indexEntry) []indexEntry {
	if len(in) < 2 {
		return in
	}
	seen := make(map[string]bool, len(in))
	out := in[:0]
	for _, e := range in {
		if !seen[string(e.key)] {
			seen[string(e.key)] = true
			out = append(out, e)
		}
	}
	return out
}

// storedKey is the key in the index bucket: the fields, then the document's id, so that equal values can repeat.
func storedKey(fields, id []byte) []byte {
	return append(append(make([]byte, 0, len(fields)+len(id)), fields...), id...)
}

// idOfEntry returns the document id inside a stored key; the entry's value is the length of the fields.
func idOfEntry(key, length []byte) []byte { return key[binary.BigEndian.Uint16(length):] }

func putEntry(b *bbolt.Bucket, fields, id []byte) error {
	return b.Put(storedKey(fields, id), binary.BigEndian.AppendUint16(nil, uint16(len(fields))))
}

// conflict returns whether another document than id has the same fields.
func conflict(b *bbolt.Bucket, fields, id []byte) bool {
	c := b.Cursor()
	for k, v := c.Seek(fields); k != nil && bytes.HasPrefix(k, fields); k, v = c.Next() {
		if !bytes.Equal(idOfEntry(k, v), id) {
			return true
		}
	}
	return false
}

func (c *Collection) indexBucket(ix *index) *bbolt.Bucket {
	return c.bucket.Bucket([]byte(indexPrefix + ix.name))
}

func duplicateKey(ns, indexName string, key raw.Document, values []raw.Value) error {
	shown := raw.New()
	for i, f := range indexFields(key) {
		shown.Add(f.name, values[i])
	}
	keyValue := shown.Done()
	return &fault.Error{
		Code:    fault.DuplicateKey,
		Message: fmt.Sprintf("E11000 duplicate key error collection: %s index: %s dup key: %s", ns, indexName, keyValue),
		Details: raw.New().Doc("keyPattern", key).Doc("keyValue", keyValue).Done(),
	}
}
