package mongod

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"go.etcd.io/bbolt"
)

// Names inside a collection's bucket.
const (
	docsBucket   = "docs"
	metaKey      = "meta"
	indexPrefix  = "index/"
	idIndexName  = "_id_"
	maxNamespace = 255
	docsFill     = 0.9 // of a page after a split: most _id values grow, so little is inserted into full pages later
)

// description is the parsed, immutable description of one collection at one moment.
type description struct {
	indexes []*index // without _id_
}

// catalogCache keeps parsed descriptions. An entry is used only while the stored bytes are still the same, so a reader on an
// old snapshot gets the description of that snapshot.
type catalogCache struct {
	mu     sync.Mutex
	parsed map[string]cachedCollection
}

type cachedCollection struct {
	raw  []byte
	coll *description
}

func (c *catalogCache) get(ns string, raw []byte) (*description, error) {
	c.mu.Lock()
	cached, ok := c.parsed[ns]
	c.mu.Unlock()
	if ok && bytes.Equal(cached.raw, raw) {
		return cached.coll, nil
	}
	own := document(raw).clone()
	coll := &description{}
	for _, spec := range own.get("indexes").elements() {
		ix, err := parseStoredIndex(spec.document())
		if err != nil {
			return nil, fmt.Errorf("read index of %s: %w", ns, err)
		}
		coll.indexes = append(coll.indexes, ix)
	}
	c.mu.Lock()
	c.parsed[ns] = cachedCollection{raw: own, coll: coll}
	c.mu.Unlock()
	return coll, nil
}

// collTx is one collection inside one transaction.
type collTx struct {
	ns     string
	bucket *bbolt.Bucket
	docs   *bbolt.Bucket
	coll   *description
	write  *writeTx // nil when reading
}

// openCollection returns nil when the collection does not exist.
func (s *store) openCollection(tx *bbolt.Tx, ns string) (*collTx, error) {
	bucket := tx.Bucket([]byte(ns))
	if bucket == nil {
		return nil, nil
	}
	coll, err := s.catalog.get(ns, bucket.Get([]byte(metaKey)))
	if err != nil {
		return nil, err
	}
	return &collTx{ns: ns, bucket: bucket, docs: bucket.Bucket([]byte(docsBucket)), coll: coll}, nil
}

// collection opens a collection for writing; it returns nil when there is none.
func (w *writeTx) collection(ns string) (*collTx, error) {
	c, err := w.store.openCollection(w.tx, ns)
	if err != nil {
		return nil, &storageError{err}
	}
	if c != nil {
		c.write = w
		c.docs.FillPercent = docsFill
	}
	return c, nil
}

// ensureCollection opens a collection and creates it when there is none.
func (w *writeTx) ensureCollection(ns string) (c *collTx, created bool, err error) {
	if c, err = w.collection(ns); c != nil || err != nil {
		return c, false, err
	}
	bucket, err := w.tx.CreateBucket([]byte(ns))
	if err != nil {
		return nil, false, &storageError{fmt.Errorf("create collection: %w", err)}
	}
	if _, err := bucket.CreateBucket([]byte(docsBucket)); err != nil {
		return nil, false, &storageError{fmt.Errorf("create collection: %w", err)}
	}
	w.changed = true
	if err := saveMeta(bucket, &description{}); err != nil {
		return nil, false, err
	}
	c, err = w.collection(ns)
	return c, true, err
}

func saveMeta(bucket *bbolt.Bucket, coll *description) error {
	var specs []value
	for _, ix := range coll.indexes {
		specs = append(specs, documentValue(ix.stored()))
	}
	raw := newDocument().array("indexes", specs).done()
	if err := bucket.Put([]byte(metaKey), raw); err != nil {
		return &storageError{fmt.Errorf("save collection: %w", err)}
	}
	return nil
}

// setIndexes replaces the description of the collection's indexes.
func (c *collTx) setIndexes(indexes []*index) error {
	c.write.changed = true
	c.coll = &description{indexes: indexes}
	return saveMeta(c.bucket, c.coll)
}

func (w *writeTx) dropCollection(ns string) (existed bool, err error) {
	if w.tx.Bucket([]byte(ns)) == nil {
		return false, nil
	}
	w.changed = true
	if err := w.tx.DeleteBucket([]byte(ns)); err != nil {
		return false, &storageError{fmt.Errorf("drop collection: %w", err)}
	}
	return true, nil
}

// namespaces lists "database.collection" names in order; db "" means all databases.
func namespaces(tx *bbolt.Tx, db string) []string {
	prefix := ""
	if db != "" {
		prefix = db + "."
	}
	var names []string
	c := tx.Cursor()
	for k, _ := c.Seek([]byte(prefix)); k != nil && strings.HasPrefix(string(k), prefix); k, _ = c.Next() {
		names = append(names, string(k))
	}
	return names
}

func checkDatabaseName(db string) error {
	if db == "" || len(db) > 63 || strings.ContainsAny(db, "/\\. \"$\x00") {
		return failure(codeInvalidNamespace, "Invalid namespace specified '%s'", db)
	}
	return nil
}

// namespace checks a collection name and joins it to its database.
func namespace(db, coll string) (string, error) {
	ns := db + "." + coll
	if coll == "" {
		return "", failure(codeInvalidNamespace, "Invalid namespace specified: %s", db)
	}
	if strings.Contains(coll, "$") {
		return "", failure(codeInvalidNamespace, "Invalid collection name: %s", coll)
	}
	if strings.HasPrefix(coll, ".") || strings.ContainsAny(coll, "$\x00") || len(ns) > maxNamespace {
		return "", failure(codeInvalidNamespace, "Invalid namespace specified '%s'", ns)
	}
	return ns, nil
}

// namespaces lists the collections of a database; "" means all.
func (w *writeTx) namespaces(db string) []string { return namespaces(w.tx, db) }
