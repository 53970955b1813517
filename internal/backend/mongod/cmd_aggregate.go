package mongod

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
	pq.filter, _ = parseFilter(nil, nil)
	if pq.stages, err = parsePipeline(pipeline, q.ask()); err != nil {
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
	run := &queryRun{store: s.store, findQuery: findQuery{ns: pq.ns}, buffer: true}
	if run.kept, err = s.runPipeline(pq, q.work); err != nil {
		return nil, during("Executor error during aggregate command on namespace: "+pq.ns, err)
	}
	return s.cursorReply(run, run.fromKept(batchSize), true), nil
}

// runPipeline reads in one snapshot and keeps the results.
func (s *Server) runPipeline(pq *pipelineQuery, w *work) (out []document, err error) {
	err = s.store.readCollection(pq.ns, func(c *collTx) error {
		sc := c.scan(pq.selection, w)
		if out, err = runStages(pq.stages, sc.documents(c, pq.filter), w.step); err != nil {
			return err
		}
		sc.report(pq.ns, pq.filter, int64(len(out)))
		return nil
	})
	return out, err
}
