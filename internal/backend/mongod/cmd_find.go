package mongod

import (
	"math"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
)

const firstBatchSize = 101

func (s *Server) find(q *request) (raw.Document, error) {
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
	if run.Filter, err = query.Parse(filterDoc, q.ask()); err != nil {
		return nil, err
	}
	if run.Order, err = query.ParseSort(sortDoc); err != nil {
		return nil, err
	}
	run.projection, err = query.ParseProjection(projDoc)
	return run, err
}

// cursorReply answers with the first batch and keeps the run when it is not finished.
func (s *Server) cursorReply(run *queryRun, batch []raw.Document, keep bool) raw.Document {
	id := int64(0)
	if keep && !run.done {
		id = s.cursors.add(run)
	}
	cursor := raw.New().Add("firstBatch", raw.Documents(batch)).Int64("id", id).Str("ns", run.ns).Done()
	return raw.New().Doc("cursor", cursor).OK()
}

func (s *Server) getMore(q *request) (raw.Document, error) {
	v := q.body.Get(q.name)
	if v.Kind != raw.KindInt64 {
		return nil, wrongType(q.command.name, q.name, v, "long")
	}
	a := q.args()
	coll, n := a.string("collection"), a.size("batchSize", 0)
	if a.err != nil {
		return nil, a.err
	}
	ns := q.db + "." + coll
	cur, other := s.cursors.take(v.Int64(), ns)
	if other != "" {
		return nil, fault.New(fault.Unauthorized,
			"Requested getMore on namespace '%s', but cursor belongs to a different namespace %s", ns, other)
	}
	if cur == nil {
		return nil, fault.New(fault.CursorNotFound, "cursor id %d not found", v.Int64())
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
		id = v.Int64()
		s.cursors.put(id, cur)
	}
	cursor := raw.New().Add("nextBatch", raw.Documents(batch)).Int64("id", id).Str("ns", ns).Done()
	return raw.New().Doc("cursor", cursor).OK(), nil
}

func (s *Server) killCursors(q *request) (raw.Document, error) {
	ns := q.db + "." + q.body.Get(q.name).Text()
	list := q.body.Get("cursors")
	if list.Kind != raw.KindArray {
		return nil, missingField(q.command.name, "cursors")
	}
	var killed, notFound []raw.Value
	for _, id := range list.Elements() {
		if id.Kind != raw.KindInt64 {
			return nil, wrongType(q.command.name, "cursors.0", id, "long")
		}
		if cur, _ := s.cursors.take(id.Int64(), ns); cur != nil {
			killed = append(killed, id)
		} else {
			notFound = append(notFound, id)
		}
	}
	return raw.New().Array("cursorsKilled", killed).Array("cursorsNotFound", notFound).
		Array("cursorsAlive", nil).Array("cursorsUnknown", nil).OK(), nil
}
