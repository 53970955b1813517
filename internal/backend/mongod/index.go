package mongod

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"
)

// index describes one secondary index.
type index struct {
	name       string
	key        document
	fields     []indexField
	unique     bool
	sparse     bool
	partialDoc document // nil without a partialFilterExpression
	partial    *filter
	expire     value // expireAfterSeconds as given, or missing
	multikey   bool  // some document has put an array into the index
}

type indexField struct {
	name       string
	path       []string
	descending bool
}

// indexEntry is one key of a document: the values and their encoding without the document's id.
type indexEntry struct {
	key    []byte
	values []value
}

// spec is the index as listIndexes shows it.
func (ix *index) spec() *builder {
	b := newDocument().int32("v", 2).doc("key", ix.key).str("name", ix.name)
	if ix.unique {
		b.bool("unique", true)
	}
	if ix.sparse {
		b.bool("sparse", true)
	}
	if ix.partialDoc != nil {
		b.doc("partialFilterExpression", ix.partialDoc)
	}
	return b.add("expireAfterSeconds", ix.expire)
}

func (ix *index) stored() document { return ix.spec().bool("multikey", ix.multikey).done() }

func parseStoredIndex(d document) (*index, error) {
	ix := &index{
		name:     d.get("name").text(),
		key:      d.get("key").document(),
		unique:   d.get("unique").truthy(),
		sparse:   d.get("sparse").truthy(),
		expire:   d.get("expireAfterSeconds"),
		multikey: d.get("multikey").truthy(),
	}
	if p := d.get("partialFilterExpression"); p.kind == kindDocument {
		f, err := parseFilter(p.document(), nil)
		if err != nil {
			return nil, err
		}
		ix.partialDoc, ix.partial = p.document(), f
	}
	ix.fields = indexFields(ix.key)
	return ix, nil
}

func indexFields(key document) []indexField {
	var out []indexField
	r := key.reader()
	for {
		name, v, ok := r.next()
		if !ok {
			return out
		}
		out = append(out, indexField{
			name:       string(name),
			path:       splitPath(string(name)),
			descending: v.numeric() && compareNumbers(v, int32Value(0)) < 0,
		})
	}
}

// entries returns the keys that the document has in the index and whether an array produced them.
func (ix *index) entries(d document) ([]indexEntry, bool, error) {
	if ix.partial != nil && !ix.partial.matches(d) {
		return nil, false, nil
	}
	out := []indexEntry{{}}
	exists, arrayField := false, ""
	for _, f := range ix.fields {
		values, isArray, present := fieldValues(d, f.path)
		exists = exists || present
		if isArray {
			if arrayField != "" {
				return nil, false, failure(codeParallelArrays, "cannot index parallel arrays [%s] [%s]", f.path[0], arrayField)
			}
			arrayField = f.path[0]
		}
		var next []indexEntry
		for _, e := range out {
			for _, v := range values {
				if v.hasDecimal() {
					return nil, false, unsupported("a Decimal128 in an index key")
				}
				key := appendIndexField(append([]byte(nil), e.key...), f, v)
				next = append(next, indexEntry{key: key, values: append(append([]value(nil), e.values...), v)})
			}
		}
		out = next
	}
	if ix.sparse && !exists {
		return nil, false, nil
	}
	return distinctEntries(out), arrayField != "", nil
}

func appendIndexField(dst []byte, f indexField, v value) []byte {
	start := len(dst)
	dst = appendKey(dst, v)
	if f.descending {
		invert(dst[start:])
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

func (c *collTx) indexBucket(ix *index) *bbolt.Bucket {
	return c.bucket.Bucket([]byte(indexPrefix + ix.name))
}

func duplicateKey(ns, indexName string, key document, values []value) error {
	shown := newDocument()
	for i, f := range indexFields(key) {
		shown.add(f.name, values[i])
	}
	keyValue := shown.done()
	return &commandError{
		code:    codeDuplicateKey,
		message: fmt.Sprintf("E11000 duplicate key error collection: %s index: %s dup key: %s", ns, indexName, keyValue),
		details: newDocument().doc("keyPattern", key).doc("keyValue", keyValue).done(),
	}
}
