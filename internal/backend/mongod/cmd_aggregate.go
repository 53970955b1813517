package mongod

import "go.etcd.io/bbolt"

// pipelineQuery is a parsed aggregate: what its first stage asks of an index, and the other stages.
type pipelineQuery struct {
	ns string
	selection
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
	pq.filter, _ = parseFilter(nil)
	if pq.stages, err = parsePipeline(pipeline); err != nil {
		return nil, err
	}
	if len(pq.stages) > 0 && pq.stages[0].filter != nil {
		pq.filter, pq.stages = pq.stages[0].filter, pq.stages[1:]
	}
	return pq, nil
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
	if cursorDoc == nil {
		return nil, failure(codeFailedToParse, "The 'cursor' option is required, except for aggregate with the explain argument")
	}
	c := &fieldsOf{where: "cursor", doc: cursorDoc}
	batchSize := c.size("batchSize", firstBatchSize)
	if c.err != nil {
		return nil, c.err
	}
	run := &queryRun{store: s.store, query: query{ns: pq.ns}, buffer: true}
	if run.kept, err = s.runPipeline(pq, q.work); err != nil {
		return nil, during("Executor error during aggregate command on namespace: "+pq.ns, err)
	}
	return s.cursorReply(run, run.fromKept(batchSize), true), nil
}

// runPipeline reads in one snapshot and keeps the results.
func (s *Server) runPipeline(pq *pipelineQuery, w *work) (out []document, err error) {
	err = s.store.read(func(tx *bbolt.Tx) error {
		c, err := s.store.openCollection(tx, pq.ns)
		if c == nil || err != nil {
			return err
		}
		sc := newScan(choosePlan(c.coll, pq.selection), w)
		in := sc.documents(c, pq.filter)
		for _, st := range pq.stages {
			in = st.run(in, w)
		}
		size := 0
		for d, err := range in {
			if err == nil {
				err = w.step()
			}
			if err != nil {
				return err
			}
			if size += len(d) + 24; size > maxResultBytes {
				return memoryLimit("the result")
			}
			out = append(out, d.clone())
		}
		sc.report(pq.ns, pq.filter, int64(len(out)))
		return nil
	})
	return out, err
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
