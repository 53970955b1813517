package mongod

import (
	"go.etcd.io/bbolt"
)

// pipelineQuery is a parsed aggregate: what its first stages ask of an index, and the other stages.
type pipelineQuery struct {
	ns string
	selection
	head   []stage // $match and $sort, which became the selection
	stages []stage
}

func (q *request) parseAggregate() (*pipelineQuery, error) {
	if q.body.get(q.name).numeric() {
		return nil, unsupported("aggregate on a database")
	}
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	list := q.body.get("pipeline")
	if list.kind != kindArray && q.sequences["pipeline"] == nil {
		if list.missing() {
			return nil, missingField(q.command.name, "pipeline")
		}
		return nil, failure(codeTypeMismatch, "A pipeline must be an array of objects")
	}
	for _, el := range list.elements() {
		if el.kind != kindDocument {
			return nil, failure(codeTypeMismatch, "Each element of the 'pipeline' array must be an object")
		}
	}
	pipeline, err := q.documents("pipeline")
	if err != nil {
		return nil, err
	}
	pq := &pipelineQuery{ns: ns}
	if pq.hint, err = parseHint(q.body.get("hint")); err != nil {
		return nil, err
	}
	pq.filter, _ = parseFilter(nil)
	if pq.stages, err = parsePipeline(pipeline); err != nil {
		return nil, err
	}
	if len(pq.stages) > 0 && pq.stages[0].filter != nil {
		pq.filter = pq.stages[0].filter
		pq.takeHead()
	}
	if len(pq.stages) > 0 && pq.stages[0].order != nil {
		pq.order = pq.stages[0].order
		pq.takeHead()
	}
	return pq, nil
}

func (pq *pipelineQuery) takeHead() {
	pq.head, pq.stages = append(pq.head, pq.stages[0]), pq.stages[1:]
}

func (s *Server) aggregate(q *request) (document, error) {
	pq, err := q.parseAggregate()
	if err != nil {
		return nil, err
	}
	a := q.args()
	cursorDoc := a.document("cursor")
	if a.err != nil {
		return nil, a.err
	}
	if q.body.get("explain").truthy() {
		return s.explainPipeline(q, pq, queryPlanner)
	}
	if cursorDoc == nil {
		return nil, failure(codeFailedToParse, "The 'cursor' option is required, except for aggregate with the explain argument")
	}
	c := &fieldsOf{where: "cursor", doc: cursorDoc}
	batchSize := c.size("batchSize", firstBatchSize)
	if c.err != nil {
		return nil, c.err
	}
	run := &queryRun{store: s.store, query: query{ns: pq.ns}, buffer: true}
	if run.kept, _, err = s.runPipeline(q.db, pq, q.work); err != nil {
		return nil, during("Executor error during aggregate command on namespace: "+pq.ns, err)
	}
	return s.cursorReply(run, run.fromKept(batchSize), true, false), nil
}

// runPipeline reads in one snapshot and keeps the results; the scan tells what was read.
func (s *Server) runPipeline(db string, pq *pipelineQuery, w *work) (out []document, sc *scan, err error) {
	err = s.store.read(func(tx *bbolt.Tx) error {
		r := &pipelineRun{store: s.store, tx: tx, db: db, work: w}
		c, err := s.store.openCollection(tx, pq.ns)
		if err != nil {
			return err
		}
		source := documents(func(func(document, error) bool) {})
		list := pq.stages
		if c != nil {
			p, err := choosePlan(c.coll, pq.selection)
			if err != nil {
				return err
			}
			if len(pq.order) > 0 && !p.sorted {
				list = append(pq.head[len(pq.head)-1:], pq.stages...)
			}
			sc = newScan(p, w)
			source = sc.documents(c, pq.filter)
		}
		if out, err = r.collect(r.through(list, source), "the result"); err != nil {
			return err
		}
		for _, d := range out {
			if len(d) > maxDocumentSize {
				return tooLarge(d)
			}
		}
		if sc != nil {
			sc.report(pq.ns, pq.filter, int64(len(out)))
		}
		return nil
	})
	return out, sc, err
}

// documents is the scan as the source of a pipeline.
func (s *scan) documents(c *collTx, f *filter) documents {
	return func(yield func(document, error) bool) {
		_, err := s.each(c, f.only(func(_ []byte, d document) (bool, error) { return yield(d, nil), nil }))
		if err != nil {
			yield(nil, err)
		}
	}
}
