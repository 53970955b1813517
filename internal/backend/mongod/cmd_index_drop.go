package mongod

import (
	"fmt"
	"math"
	"slices"

	"go.etcd.io/bbolt"
)

func (s *Server) listIndexes(q *request) (document, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	var specs []document
	err = s.store.readCollection(ns, func(c *collTx) error {
		specs = append(specs, idIndexSpec())
		for _, ix := range c.coll.indexes {
			specs = append(specs, ix.spec().done())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if specs == nil {
		return nil, failure(codeNamespaceNotFound, "ns does not exist: %s", ns)
	}
	run := &queryRun{store: s.store, query: query{ns: ns}, buffer: true, kept: specs}
	return s.cursorReply(run, run.fromKept(math.MaxInt32), true, false), nil
}

func idIndexSpec() document {
	return newDocument().int32("v", 2).doc("key", newDocument().int32("_id", 1).done()).str("name", idIndexName).done()
}

func (s *Server) dropIndexes(q *request) (document, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	arg := q.body.get("index")
	if arg.missing() {
		return nil, missingField("dropIndexes", "index")
	}
	if arg.kind != kindString && arg.kind != kindDocument && arg.kind != kindArray {
		return nil, wrongType(q.command.name, "index", arg, "string, object")
	}
	was := 0
	err = s.store.write(func(w *writeTx) error {
		c, err := w.collection(ns)
		if err != nil {
			return err
		}
		if c == nil {
			return failure(codeNamespaceNotFound, "ns not found %s", ns)
		}
		was = len(c.coll.indexes) + 1
		return c.dropIndexes(arg)
	})
	if err != nil {
		return nil, err
	}
	b := newDocument().int32("nIndexesWas", was)
	if arg.stringOr("") == "*" {
		b.str("msg", "non-_id indexes dropped for collection")
	}
	return b.ok(), nil
}

// dropIndexes takes a name, "*", an array of names or a key document.
func (c *collTx) dropIndexes(arg value) error {
	drop := map[string]bool{}
	names := []value{arg}
	if arg.kind == kindArray {
		names = arg.elements()
	}
	for _, v := range names {
		found := false
		for _, ix := range c.coll.indexes {
			all := v.kind == kindString && v.text() == "*"
			byName := v.kind == kindString && v.text() == ix.name
			byKey := v.kind == kindDocument && compareDocuments(v.document(), ix.key, true) == 0
			if all || byName || byKey {
				found, drop[ix.name] = true, true
			}
		}
		switch {
		case found, v.kind == kindString && v.text() == "*":
		case v.kind == kindString && v.text() == idIndexName, v.kind == kindDocument && compareDocuments(v.document(), idIndexSpec().get("key").document(), true) == 0:
			return failure(codeInvalidOptions, "cannot drop _id index")
		case v.kind == kindString:
			return failure(codeIndexNotFound, "index not found with name [%s]", v.text())
		default:
			return failure(codeIndexNotFound, "can't find index with key: %s", v)
		}
	}
	return c.removeIndexes(drop)
}

func (c *collTx) removeIndexes(drop map[string]bool) error {
	if len(drop) == 0 {
		return nil
	}
	for name := range drop {
		if err := c.bucket.DeleteBucket([]byte(indexPrefix + name)); err != nil {
			return &storageError{fmt.Errorf("drop index: %w", err)}
		}
	}
	kept := slices.DeleteFunc(slices.Clone(c.coll.indexes), func(ix *index) bool { return drop[ix.name] })
	return c.setIndexes(kept)
}

// indexesOf calls visit with every index of every collection.
func (s *store) indexesOf(visit func(ns string, ix *index)) error {
	return s.read(func(tx *bbolt.Tx) error {
		for _, ns := range namespaces(tx, "") {
			c, err := s.openCollection(tx, ns)
			if err != nil {
				return err
			}
			for _, ix := range c.coll.indexes {
				visit(ns, ix)
			}
		}
		return nil
	})
}
