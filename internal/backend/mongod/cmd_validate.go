package mongod

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"
)

// maxFaults bounds each list of a validate reply.
const maxFaults = 100

// validation compares a collection with what its documents say it should be: every document well-formed and under the key of its _id,
// every index as a rebuild would make it.
type validation struct {
	*collTx
	records        int64
	corrupt        []value
	errors         []value
	keys           *builder // keysPerIndex
	details        *builder // indexDetails
	missing, extra []value
}

// validate is MongoDB's command. With full it also checks every page of the file.
func (s *Server) validate(q *request) (document, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	full := q.args().bool("full", false)
	var reply document
	err = s.store.read(func(tx *bbolt.Tx) error {
		c, err := s.store.openCollection(tx, ns)
		if err != nil {
			return err
		}
		if c == nil {
			return failure(codeNamespaceNotFound, "Collection '%s' does not exist to validate.", ns)
		}
		v := &validation{collTx: c, keys: newDocument(), details: newDocument()}
		if full {
			for err := range tx.Check() {
				v.fault(&v.errors, stringValue("file: "+err.Error()))
			}
		}
		if err := v.run(); err != nil {
			return err
		}
		reply = v.reply()
		return nil
	})
	return reply, err
}

func (v *validation) run() error {
	err := v.docs.ForEach(func(key, raw []byte) error {
		v.records++
		if validate(raw, 1) != nil || !isUnder(document(raw), key) {
			v.fault(&v.corrupt, binaryValue(bytes.Clone(key)))
		}
		return nil
	})
	if err != nil {
		return err
	}
	v.keys.int64(idIndexName, v.records)
	v.details.doc(idIndexName, newDocument().bool("valid", len(v.corrupt) == 0).done())
	if len(v.corrupt) > 0 {
		return nil // the keys of a document that cannot be read are unknown
	}
	for _, ix := range v.coll.indexes {
		if err := v.index(ix); err != nil {
			return err
		}
	}
	return nil
}

func isUnder(d document, key []byte) bool {
	want, err := documentKey(d.get("_id"))
	return err == nil && bytes.Equal(want, key)
}

// index looks up every key that the documents have, then, if the numbers differ, the document of every key.
func (v *validation) index(ix *index) error {
	bucket := v.indexBucket(ix)
	if bucket == nil {
		v.fault(&v.errors, stringValue("index "+ix.name+" has no keys stored"))
		v.details.doc(ix.name, newDocument().bool("valid", false).done())
		return nil
	}
	faults := len(v.missing) + len(v.extra)
	expected, found := int64(0), int64(0)
	err := v.docs.ForEach(func(id, raw []byte) error {
		entries, multikey, err := ix.entries(raw)
		if err != nil {
			return fmt.Errorf("keys of a document in index %s: %w", ix.name, err)
		}
		if multikey && !ix.multikey {
			v.fault(&v.errors, stringValue("index "+ix.name+" is not marked multikey"))
		}
		for _, e := range entries {
			expected++
			if stored := bucket.Get(storedKey(e.key, id)); stored == nil || !bytes.Equal(idOfEntry(storedKey(e.key, id), stored), id) {
				v.fault(&v.missing, v.entry(ix, id))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := bucket.ForEach(func(_, _ []byte) error { found++; return nil }); err != nil {
		return err
	}
	if found != expected || len(v.missing)+len(v.extra) > faults {
		if err := v.findExtra(ix, bucket); err != nil {
			return err
		}
	}
	v.keys.int64(ix.name, found)
	v.details.doc(ix.name, newDocument().bool("valid", found == expected && len(v.missing)+len(v.extra) == faults).done())
	return nil
}

func (v *validation) findExtra(ix *index, bucket *bbolt.Bucket) error {
	return bucket.ForEach(func(key, length []byte) error {
		id := idOfEntry(key, length)
		if raw := v.docs.Get(id); raw != nil {
			entries, _, err := ix.entries(raw)
			if err != nil {
				return err
			}
			for _, e := range entries {
				if bytes.Equal(storedKey(e.key, id), key) {
					return nil
				}
			}
		}
		v.fault(&v.extra, v.entry(ix, id))
		return nil
	})
}

// entry names a key by its index and its document.
func (v *validation) entry(ix *index, id []byte) value {
	b := newDocument().str("indexName", ix.name)
	if raw := v.docs.Get(id); raw != nil {
		b.add("idKey", document(raw).clone().get("_id"))
	}
	return documentValue(b.done())
}

func (v *validation) fault(list *[]value, fault value) {
	if len(*list) < maxFaults {
		*list = append(*list, fault)
	}
}

func (v *validation) reply() document {
	valid := len(v.corrupt)+len(v.errors)+len(v.missing)+len(v.extra) == 0
	return newDocument().str("ns", v.ns).int32("nInvalidDocuments", len(v.corrupt)).int64("nrecords", v.records).
		int32("nIndexes", len(v.coll.indexes)+1).doc("keysPerIndex", v.keys.done()).doc("indexDetails", v.details.done()).
		array("corruptRecords", v.corrupt).bool("repaired", false).bool("valid", valid).array("warnings", nil).array("errors", v.errors).
		array("extraIndexEntries", v.extra).array("missingIndexEntries", v.missing).ok()
}
