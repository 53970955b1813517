package mongod

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"go.etcd.io/bbolt"
)

// collMod changes the expiry of a TTL index; nothing else of a collection can be changed here.
func (s *Server) collMod(q *request) (document, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	a := q.args()
	spec := a.document("index")
	if a.err != nil {
		return nil, a.err
	}
	change, err := parseIndexChange(spec)
	if err != nil {
		return nil, err
	}
	b := newDocument()
	err = s.store.write(func(w *writeTx) error {
		b = newDocument() // a second run starts over
		c, err := w.collection(ns)
		if err != nil {
			return err
		}
		if c == nil {
			return failure(codeNamespaceNotFound, "ns does not exist")
		}
		if spec == nil {
			return nil
		}
		old, err := c.changeExpiry(change)
		if err != nil {
			return err
		}
		b.add("expireAfterSeconds_old", old).add("expireAfterSeconds_new", change.expire)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b.ok(), nil
}

// expiryChange is what collMod asks for: which index, and the new expiry.
type expiryChange struct {
	hint
	expire value
}

func parseIndexChange(spec document) (expiryChange, error) {
	var change expiryChange
	if spec == nil {
		return change, nil
	}
	for _, f := range documentFields(spec) {
		switch f.name {
		case "name":
			change.name = f.value.stringOr("")
		case "keyPattern":
			change.key = f.value.document()
		case "expireAfterSeconds":
			n, whole := f.value.wholeNumber()
			if !f.value.numeric() {
				return change, wrongType("collMod.index", f.name, f.value, "long, double, decimal, int")
			}
			if !whole || n < 0 || n > math.MaxInt32 {
				return change, failure(codeInvalidOptions, "TTL index 'expireAfterSeconds' option must be within an acceptable range, try a different number than %s", f.value)
			}
			change.expire = int32Value(int32(n))
		case "hidden", "unique", "prepareUnique":
			return change, unsupported("collMod of an index's '%s'", f.name)
		default:
			return change, failure(codeUnknownField, "BSON field 'collMod.index.%s' is an unknown field.", f.name)
		}
	}
	switch {
	case change.name == "" && change.key == nil:
		return change, failure(codeInvalidOptions, "must specify either index name or key pattern")
	case change.name != "" && change.key != nil:
		return change, failure(codeInvalidOptions, "Cannot specify both key pattern and name")
	case change.expire.missing():
		return change, failure(codeInvalidOptions, "no expireAfterSeconds, hidden, unique, or prepareUnique field")
	}
	return change, nil
}

// changeExpiry returns the expiry that was, missing when the index had none: MongoDB allows to add one.
func (c *collTx) changeExpiry(change expiryChange) (value, error) {
	for i, ix := range c.coll.indexes {
		if !change.names(ix.name, ix.key) {
			continue
		}
		if len(ix.fields) > 1 {
			return value{}, failure(codeInvalidOptions, "TTL indexes are single-field indexes, compound indexes do not support TTL")
		}
		indexes := slices.Clone(c.coll.indexes)
		changed := *ix
		changed.expire = change.expire
		indexes[i] = &changed
		return ix.expire, c.setIndexes(indexes)
	}
	if change.name != "" {
		return value{}, failure(codeIndexNotFound, "cannot find index %s for ns %s", change.name, c.ns)
	}
	return value{}, failure(codeIndexNotFound, "cannot find index %s for ns %s", change.key, c.ns)
}

// renameCollection moves a collection to another name, by copying: bbolt cannot rename a bucket.
func (s *Server) renameCollection(q *request) (document, error) {
	if q.db != "admin" {
		return nil, failure(codeUnauthorized, "renameCollection may only be run against the admin database.")
	}
	a := q.args()
	from, to, dropTarget := a.string(q.name), a.string("to"), a.bool("dropTarget", false)
	if a.err != nil {
		return nil, a.err
	}
	for _, ns := range []string{from, to} {
		db, coll, _ := strings.Cut(ns, ".")
		if err := checkDatabaseName(db); err != nil {
			return nil, err
		}
		if _, err := namespace(db, coll); err != nil {
			return nil, err
		}
		u := s.users.get(q.client.user) // nil: nobody has to log in
		if u != nil && !u.may(actionSchema, db) || strings.HasPrefix(coll, "system.") {
			return nil, q.unauthorized()
		}
	}
	if from == to {
		return nil, failure(codeIllegalOperation, "Can't rename a collection to itself")
	}
	err := s.store.write(func(w *writeTx) error { return w.rename(from, to, dropTarget) })
	if err != nil {
		return nil, err
	}
	return newDocument().ok(), nil
}

func (w *writeTx) rename(from, to string, dropTarget bool) error {
	source := w.tx.Bucket([]byte(from))
	if source == nil {
		return failure(codeNamespaceNotFound, "Source collection %s does not exist", from)
	}
	if w.tx.Bucket([]byte(to)) != nil {
		if !dropTarget {
			return failure(codeNamespaceExists, "target namespace exists")
		}
		if _, err := w.dropCollection(to); err != nil {
			return err
		}
	}
	w.changed = true
	target, err := w.tx.CreateBucket([]byte(to))
	if err == nil {
		err = copyBucket(target, source)
	}
	if err == nil {
		err = w.tx.DeleteBucket([]byte(from))
	}
	if err != nil {
		return &storageError{fmt.Errorf("rename collection: %w", err)}
	}
	return nil
}

func copyBucket(to, from *bbolt.Bucket) error {
	return from.ForEach(func(k, v []byte) error {
		if v != nil {
			return to.Put(k, v)
		}
		inner, err := to.CreateBucket(k)
		if err != nil {
			return err
		}
		return copyBucket(inner, from.Bucket(k))
	})
}
