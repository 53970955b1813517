package mongod

import (
	"math"
	"strings"

	"go.etcd.io/bbolt"
)

func (s *Server) create(q *request) (document, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	err = s.store.write(func(w *writeTx) error {
		_, _, err := w.ensureCollection(ns) // like MongoDB 7, creating it again with the same options is no error
		return err
	})
	if err != nil {
		return nil, err
	}
	return newDocument().ok(), nil
}

func (s *Server) drop(q *request) (document, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	was := 0
	err = s.store.write(func(w *writeTx) error {
		c, err := w.collection(ns)
		if c == nil || err != nil {
			return err
		}
		was = len(c.coll.indexes) + 1
		_, err = w.dropCollection(ns)
		return err
	})
	if err != nil {
		return nil, err
	}
	if was == 0 {
		return newDocument().ok(), nil
	}
	return newDocument().int32("nIndexesWas", was).str("ns", ns).ok(), nil
}

func (s *Server) dropDatabase(q *request) (document, error) {
	dropped := false
	err := s.store.write(func(w *writeTx) error {
		dropped = false
		for _, ns := range namespaces(w.tx, q.db) {
			if _, err := w.dropCollection(ns); err != nil {
				return err
			}
			dropped = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	b := newDocument()
	if dropped {
		b.str("dropped", q.db)
	}
	return b.ok(), nil
}

func (s *Server) listCollections(q *request) (document, error) {
	a := q.args()
	filterDoc, nameOnly := a.document("filter"), a.bool("nameOnly", false)
	if a.err != nil {
		return nil, a.err
	}
	f, err := parseFilter(filterDoc)
	if err != nil {
		return nil, err
	}
	var out []document
	err = s.store.read(func(tx *bbolt.Tx) error {
		for _, ns := range namespaces(tx, q.db) {
			b := newDocument().str("name", strings.TrimPrefix(ns, q.db+".")).str("type", "collection")
			if !nameOnly {
				b.doc("options", emptyDocument()).doc("info", newDocument().bool("readOnly", false).done()).doc("idIndex", idIndexSpec())
			}
			if d := b.done(); f.matches(d) {
				out = append(out, d)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	run := &queryRun{store: s.store, query: query{ns: q.db + ".$cmd.listCollections"}, buffer: true, kept: out}
	return s.cursorReply(run, run.fromKept(math.MaxInt32), true, false), nil
}

func (s *Server) listDatabases(q *request) (document, error) {
	if q.db != "admin" {
		return nil, failure(13, "listDatabases may only be run against the admin database.")
	}
	a := q.args()
	filterDoc, nameOnly := a.document("filter"), a.bool("nameOnly", false)
	if a.err != nil {
		return nil, a.err
	}
	f, err := parseFilter(filterDoc)
	if err != nil {
		return nil, err
	}
	var list []document
	total := int64(0)
	err = s.store.read(func(tx *bbolt.Tx) error {
		for name, size := range databaseSizes(tx) {
			if !q.sees(name) {
				continue
			}
			b := newDocument().str("name", name)
			if !nameOnly {
				b.int64("sizeOnDisk", size).bool("empty", false)
			}
			if d := b.done(); f.matches(d) {
				list = append(list, d)
				total += size
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	b := newDocument().add("databases", documentArray(list))
	if !nameOnly {
		b.int64("totalSize", total)
	}
	return b.ok(), nil
}

// databaseSizes yields every database with the bytes that its documents and indexes use.
func databaseSizes(tx *bbolt.Tx) func(yield func(string, int64) bool) {
	return func(yield func(string, int64) bool) {
		current, size := "", int64(0)
		for _, ns := range namespaces(tx, "") {
			db, _, _ := strings.Cut(ns, ".")
			if db != current && current != "" {
				if !yield(current, size) {
					return
				}
				size = 0
			}
			current = db
			st := tx.Bucket([]byte(ns)).Stats()
			size += int64(st.LeafInuse + st.BranchInuse)
		}
		if current != "" {
			yield(current, size)
		}
	}
}
