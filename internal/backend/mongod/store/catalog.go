package store

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"

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
	raw  []byte // as it is stored
	coll *description
}

func (c *catalogCache) get(ns string, stored []byte) (*description, error) {
	c.mu.Lock()
	cached, ok := c.parsed[ns]
	c.mu.Unlock()
	if ok && bytes.Equal(cached.raw, stored) {
		return cached.coll, nil
	}
	own := raw.Document(stored).Clone()
	coll := &description{}
	for _, spec := range own.Get("indexes").Elements() {
		ix, err := parseStoredIndex(spec.Document())
		if err != nil {
			return nil, fmt.Errorf("read index of %s: %v", ns, err) // %v: the fault is in the file, not in what the client asked
		}
		coll.indexes = append(coll.indexes, ix)
	}
	c.mu.Lock()
	c.parsed[ns] = cachedCollection{raw: own, coll: coll}
	c.mu.Unlock()
	return coll, nil
}

// Collection is one collection inside one transaction.
type Collection struct {
	ns     string
	bucket *bbolt.Bucket
	docs   *bbolt.Bucket
	coll   *description
	write  *Tx // nil when reading
}

// openCollection returns nil when the collection does not exist.
func (s *Store) openCollection(tx *bbolt.Tx, ns string) (*Collection, error) {
	bucket := tx.Bucket([]byte(ns))
	if bucket == nil {
		return nil, nil
	}
	coll, err := s.catalog.get(ns, bucket.Get([]byte(metaKey)))
	if err != nil {
		return nil, err
	}
	return &Collection{ns: ns, bucket: bucket, docs: bucket.Bucket([]byte(docsBucket)), coll: coll}, nil
}

// Collection opens a collection for writing; it returns nil when there is none.
func (w *Tx) Collection(ns string) (*Collection, error) {
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

// EnsureCollection opens a collection and creates it when there is none.
func (w *Tx) EnsureCollection(ns string) (c *Collection, created bool, err error) {
	if c, err = w.Collection(ns); c != nil || err != nil {
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
	c, err = w.Collection(ns)
	return c, true, err
}

func saveMeta(bucket *bbolt.Bucket, coll *description) error {
	var specs []raw.Value
	for _, ix := range coll.indexes {
		specs = append(specs, raw.Doc(ix.stored()))
	}
	meta := raw.New().Array("indexes", specs).Done()
	if err := bucket.Put([]byte(metaKey), meta); err != nil {
		return &storageError{fmt.Errorf("save collection: %w", err)}
	}
	return nil
}

// setIndexes replaces the description of the collection's indexes.
func (c *Collection) setIndexes(indexes []*index) error {
	c.write.changed = true
	c.coll = &description{indexes: indexes}
	return saveMeta(c.bucket, c.coll)
}

// DropCollection removes a collection with its indexes, if there is one.
func (w *Tx) DropCollection(ns string) (existed bool, err error) {
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

// CheckDatabaseName refuses what cannot be the name of a database.
func CheckDatabaseName(db string) error {
	if db == "" || len(db) > 63 || strings.ContainsAny(db, "/\\. \"$\x00") {
		return fault.New(fault.InvalidNamespace, "Invalid namespace specified '%s'", db)
	}
	return nil
}

// Namespace checks a collection name and joins it to its database.
func Namespace(db, coll string) (string, error) {
	ns := db + "." + coll
	if coll == "" {
		return "", fault.New(fault.InvalidNamespace, "Invalid namespace specified: %s", db)
	}
	if strings.Contains(coll, "$") {
		return "", fault.New(fault.InvalidNamespace, "Invalid collection name: %s", coll)
	}
	if strings.HasPrefix(coll, ".") || strings.ContainsAny(coll, "$\x00") || len(ns) > maxNamespace {
		return "", fault.New(fault.InvalidNamespace, "Invalid namespace specified '%s'", ns)
	}
	return ns, nil
}

// Namespaces lists the collections of a database; "" means all.
func (w *Tx) Namespaces(db string) []string { return namespaces(w.tx, db) }
