package mongod

import "math"

const firstBatchSize = 101

func (s *Server) find(q *request) (document, error) {
	run, err := q.parseFind()
	if err != nil {
		return nil, err
	}
	a := q.args()
	batchSize := a.size("batchSize", firstBatchSize)
	single := a.flag("singleBatch")
	if a.err != nil {
		return nil, a.err
	}
	run.store, run.work = s.store, q.work
	batch, err := run.next(batchSize)
	if err != nil {
		return nil, err
	}
	return s.cursorReply(run, batch, !single), nil
}

func (q *request) parseFind() (*queryRun, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	a := q.args()
	run := &queryRun{findQuery: findQuery{ns: ns, skip: a.size("skip", 0), limit: a.size("limit", 0)}}
	filterDoc, sortDoc, projDoc := a.object("filter"), a.object("sort"), a.object("projection")
	if a.err != nil {
		return nil, a.err
	}
	if run.filter, err = parseFilter(filterDoc, q.ask()); err != nil {
		return nil, err
	}
	if run.order, err = parseSort(sortDoc); err != nil {
		return nil, err
	}
	run.projection, err = parseProjection(projDoc)
	return run, err
}

// cursorReply answers with the first batch and keeps the run when it is not finished.
func (s *Server) cursorReply(run *queryRun, batch []document, keep bool) document {
	id := int64(0)
	if keep && !run.done {
		id = s.cursors.add(run)
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
