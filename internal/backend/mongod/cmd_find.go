package mongod

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

const firstBatchSize = 101

func (s *Server) find(q *request) (document, error) {
	run, err := q.parseFind()
	if err != nil {
		return nil, err
	}
	a := q.args()
	batchSize := a.size("batchSize", firstBatchSize)
	single, noTimeout := a.flag("singleBatch"), a.flag("noCursorTimeout")
	if a.err != nil {
		return nil, a.err
	}
	run.store, run.work = s.store, q.work
	batch, err := run.next(batchSize)
	if err != nil {
		return nil, err
	}
	return s.cursorReply(run, batch, !single, noTimeout), nil
}

func (q *request) parseFind() (*queryRun, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	a := q.args()
	run := &queryRun{query: query{ns: ns, skip: a.size("skip", 0), limit: a.size("limit", 0)}}
	filterDoc, sortDoc, projDoc := a.object("filter"), a.object("sort"), a.object("projection")
	if a.err != nil {
		return nil, a.err
	}
	if run.hint, err = parseHint(q.body.get("hint")); err != nil {
		return nil, err
	}
	if run.filter, err = parseFilter(filterDoc); err != nil {
		return nil, err
	}
	if n := sortDoc.get("$natural"); !n.missing() {
		if run.hint, err = parseHint(documentValue(sortDoc)); err != nil {
			return nil, err
		}
		sortDoc = nil
	}
	if run.order, err = parseSort(sortDoc); err != nil {
		return nil, err
	}
	run.projection, err = parseFindProjection(projDoc, run.filter)
	return run, err
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
	cur, other := s.cursors.take(v.int64(), ns)
	if other != "" {
		return nil, failure(codeUnauthorized, "Requested getMore on namespace '%s', but cursor belongs to a different namespace %s", ns, other)
	}
	if cur == nil {
		return nil, failure(codeCursorNotFound, "cursor id %d not found", v.int64())
	}
	if n == 0 {
		n = math.MaxInt32
	}
	cur.run.work = q.work
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
		if cur, _ := s.cursors.take(id.int64(), ns); cur != nil {
			killed = append(killed, id)
		} else {
			notFound = append(notFound, id)
		}
	}
	return newDocument().array("cursorsKilled", killed).array("cursorsNotFound", notFound).
		array("cursorsAlive", nil).array("cursorsUnknown", nil).ok(), nil
}

// scanAll runs visit over every document that the selection means, in one snapshot.
func (s *Server) scanAll(ns string, sel selection, w *work, visit func(d document) (bool, error)) error {
	return s.store.readCollection(ns, func(c *collTx) error {
		p, err := choosePlan(c.coll, sel)
		if err != nil {
			return err
		}
		sc, returned := newScan(p, w), int64(0)
		_, err = sc.each(c, sel.filter.only(func(_ []byte, d document) (bool, error) {
			returned++
			return visit(d)
		}))
		sc.report(ns, sel.filter, returned)
		return err
	})
}

// countQuery is a parsed count.
type countQuery struct {
	ns string
	selection
	skip, limit int64
}

func (q *request) parseCount() (*countQuery, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	a := q.args()
	c := &countQuery{ns: ns, skip: a.size("skip", 0), limit: a.number("limit", 0)}
	filterDoc := a.document("query")
	if a.err != nil {
		return nil, a.err
	}
	if c.limit < 0 {
		c.limit = -c.limit
	}
	if c.hint, err = parseHint(q.body.get("hint")); err != nil {
		return nil, err
	}
	c.filter, err = parseFilter(filterDoc)
	return c, err
}

func (s *Server) count(q *request) (document, error) {
	cq, err := q.parseCount()
	if err != nil {
		return nil, err
	}
	n := int64(0)
	err = s.store.readCollection(cq.ns, func(c *collTx) error {
		n, err = cq.run(c, q.work)
		return err
	})
	if err != nil {
		return nil, err
	}
	return newDocument().int32("n", int(max(0, n-cq.skip))).ok(), nil
}

// run counts up to skip and limit. Bounds that say all that the filter says need no documents.
func (cq *countQuery) run(c *collTx, w *work) (int64, error) {
	p, err := choosePlan(c.coll, cq.selection)
	if err != nil {
		return 0, err
	}
	n := int64(0)
	visit := func([]byte, document) (bool, error) {
		n++
		return cq.limit == 0 || n < cq.skip+cq.limit, nil
	}
	sc := newScan(p, w)
	if sc.keysOnly = p.exact; !sc.keysOnly {
		visit = cq.filter.only(visit)
	}
	_, err = sc.each(c, visit)
	sc.report(cq.ns, cq.filter, n)
	return n, err
}

// distinctQuery is a parsed distinct.
type distinctQuery struct {
	ns, key string
	selection
}

func (q *request) parseDistinct() (*distinctQuery, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	a := q.args()
	dq := &distinctQuery{ns: ns, key: a.string("key")}
	filterDoc := a.document("query")
	if a.err != nil {
		return nil, a.err
	}
	if strings.Contains(dq.key, "\x00") {
		return nil, failure(codeBadValue, "Key field cannot contain an embedded null byte")
	}
	if dq.hint, err = parseHint(q.body.get("hint")); err != nil {
		return nil, err
	}
	dq.filter, err = parseFilter(filterDoc)
	return dq, err
}

func (s *Server) distinct(q *request) (document, error) {
	dq, err := q.parseDistinct()
	if err != nil {
		return nil, err
	}
	values := []value{}
	seen := newValueSet()
	size := 0
	err = s.scanAll(dq.ns, dq.selection, q.work, func(d document) (bool, error) {
		walk(d, splitPath(dq.key), false, func(v value) bool {
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
	key := s.key(v)
	if s.keys[key] {
		return false
	}
	s.keys[key] = true
	return true
}

// key returns the same text for equal values and different ones for others.
func (s *valueSet) key(v value) string {
	if key, err := appendKey(nil, v); err == nil {
		return string(key)
	}
	for i, o := range s.other {
		if equalValues(o, v) {
			return "other " + strconv.Itoa(i)
		}
	}
	s.other = append(s.other, v.clone())
	return "other " + strconv.Itoa(len(s.other)-1)
}
