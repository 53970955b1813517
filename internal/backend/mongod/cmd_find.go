package mongod

import (
	"math"
	"slices"
	"strings"
)

const firstBatchSize = 101

func (s *Server) find(q *request) (document, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	a := q.args()
	run := &queryRun{store: s.store, query: query{ns: ns, skip: a.size("skip", 0), limit: a.size("limit", 0)}}
	batchSize := a.size("batchSize", firstBatchSize)
	single, noTimeout := a.bool("singleBatch", false), a.bool("noCursorTimeout", false)
	filterDoc, sortDoc, projDoc := a.object("filter"), a.object("sort"), a.object("projection")
	if a.err != nil {
		return nil, a.err
	}
	if run.filter, err = parseFilter(filterDoc); err != nil {
		return nil, err
	}
	if run.order, err = parseSort(sortDoc); err != nil {
		return nil, err
	}
	if run.projection, err = parseProjection(projDoc); err != nil {
		return nil, err
	}
	batch, err := run.next(batchSize)
	if err != nil {
		return nil, err
	}
	return s.cursorReply(run, batch, !single, noTimeout), nil
}

// cursorReply answers with the first batch and keeps the run when it is not finished.
func (s *Server) cursorReply(run *queryRun, batch []document, keep, noTimeout bool) document {
	id := int64(0)
	if keep && !run.done {
		id = s.cursors.add(run, noTimeout)
	}
	cursor := newDocument().add("firstBatch", documentArray(batch)).int64("id", id).str("ns", run.ns).done()
	return newDocument().doc("cursor", cursor).ok()
}

func (s *Server) getMore(q *request) (document, error) {
	v := q.body.get(q.name)
	if v.kind != kindInt64 {
		return nil, wrongType(q.command.name, q.name, v, "long")
	}
	a := q.args()
	coll, n := a.string("collection"), a.size("batchSize", 0)
	if a.err != nil {
		return nil, a.err
	}
	ns := q.db + "." + coll
	cur := s.cursors.take(v.int64(), ns)
	if cur == nil {
		return nil, failure(codeCursorNotFound, "cursor id %d not found", v.int64())
	}
	if n == 0 {
		n = math.MaxInt32
	}
	batch, err := cur.run.next(n)
	if err != nil {
		return nil, err
	}
	id := int64(0)
	if !cur.run.done {
		id = v.int64()
		s.cursors.put(id, cur)
	}
	cursor := newDocument().add("nextBatch", documentArray(batch)).int64("id", id).str("ns", ns).done()
	return newDocument().doc("cursor", cursor).ok(), nil
}

func (s *Server) killCursors(q *request) (document, error) {
	ns := q.db + "." + q.body.get(q.name).text()
	list := q.body.get("cursors")
	if list.kind != kindArray {
		return nil, missingField(q.command.name, "cursors")
	}
	var killed, notFound []value
	for _, id := range list.elements() {
		if id.kind != kindInt64 {
			return nil, wrongType(q.command.name, "cursors.0", id, "long")
		}
		if s.cursors.take(id.int64(), ns) != nil {
			killed = append(killed, id)
		} else {
			notFound = append(notFound, id)
		}
	}
	return newDocument().array("cursorsKilled", killed).array("cursorsNotFound", notFound).
		array("cursorsAlive", nil).array("cursorsUnknown", nil).ok(), nil
}

// scanAll runs visit over every document that matches the filter, in one snapshot.
func (s *Server) scanAll(ns string, f *filter, visit func(d document) (bool, error)) error {
	return s.store.readCollection(ns, func(c *collTx) error {
		_, err := newScan(choosePlan(c.coll, f, nil)).each(c, func(_ []byte, d document) (bool, error) {
			if !f.matches(d) {
				return true, nil
			}
			return visit(d)
		})
		return err
	})
}

func (s *Server) count(q *request) (document, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	a := q.args()
	filterDoc, skip, limit := a.document("query"), a.size("skip", 0), a.number("limit", 0)
	if a.err != nil {
		return nil, a.err
	}
	if limit < 0 {
		limit = -limit
	}
	f, err := parseFilter(filterDoc)
	if err != nil {
		return nil, err
	}
	n := int64(0)
	err = s.scanAll(ns, f, func(document) (bool, error) {
		n++
		return limit == 0 || n < skip+limit, nil
	})
	if err != nil {
		return nil, err
	}
	return newDocument().int32("n", int(max(0, n-skip))).ok(), nil
}

func (s *Server) distinct(q *request) (document, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	a := q.args()
	key, filterDoc := a.string("key"), a.document("query")
	if a.err != nil {
		return nil, a.err
	}
	if strings.Contains(key, "\x00") {
		return nil, failure(codeBadValue, "Key field cannot contain an embedded null byte")
	}
	f, err := parseFilter(filterDoc)
	if err != nil {
		return nil, err
	}
	values := []value{}
	seen := newValueSet()
	size := 0
	err = s.scanAll(ns, f, func(d document) (bool, error) {
		walk(d, splitPath(key), false, func(v value) bool {
			found := []value{v}
			if v.kind == kindArray {
				found = v.elements()
			}
			for _, v := range found {
				if !v.missing() && seen.add(v) {
					values = append(values, value{kind: v.kind, data: append([]byte(nil), v.data...)})
					size += len(v.data) + 16
				}
			}
			return false
		})
		if size > maxDocumentSize {
			return false, failure(17217, "distinct too big, 16mb cap")
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(values, compareValues)
	return newDocument().array("values", values).ok(), nil
}

// valueSet is a set under MongoDB's equality: 1 and 1.0 are the same.
type valueSet struct {
	keys  map[string]bool
	other []value // values without an exact key
}

func newValueSet() *valueSet { return &valueSet{keys: map[string]bool{}} }

// add reports whether the value was new.
func (s *valueSet) add(v value) bool {
	if key, err := appendKey(nil, v); err == nil {
		if s.keys[string(key)] {
			return false
		}
		s.keys[string(key)] = true
		return true
	}
	for _, o := range s.other {
		if equalValues(o, v) {
			return false
		}
	}
	s.other = append(s.other, value{kind: v.kind, data: append([]byte(nil), v.data...)})
	return true
}
