package mongod

import (
	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/pipeline"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/store"
)

// pipelineQuery is a parsed aggregate: what its first stage asks of an index, and the other stages.
type pipelineQuery struct {
	ns string
	store.Selection
	stages []pipeline.Stage
}

func (q *request) parseAggregate() (*pipelineQuery, error) {
	if q.body.Get(q.name).Numeric() {
		return nil, fault.Unsupported("aggregate on a database")
	}
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	list := q.body.Get("pipeline")
	if list.Kind != raw.KindArray && q.sequences["pipeline"] == nil {
		if list.Missing() {
			return nil, missingField(q.command.name, "pipeline")
		}
		return nil, fault.New(fault.TypeMismatch, "A pipeline must be an array of objects")
	}
	for _, el := range list.Elements() {
		if el.Kind != raw.KindDocument {
			return nil, fault.New(fault.TypeMismatch, "Each element of the 'pipeline' array must be an object")
		}
	}
	stages, err := q.documents("pipeline")
	if err != nil {
		return nil, err
	}
	pq := &pipelineQuery{ns: ns}
	pq.Filter, _ = query.Parse(nil, nil)
	if pq.stages, err = pipeline.Parse(stages, q.ask()); err != nil {
		return nil, err
	}
	if len(pq.stages) > 0 && pq.stages[0].Filter != nil {
		pq.Filter, pq.stages = pq.stages[0].Filter, pq.stages[1:]
	}
	return pq, nil
}

func (s *Server) aggregate(q *request) (raw.Document, error) {
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
		return nil, fault.New(fault.FailedToParse, "The 'cursor' option is required, except for aggregate with the explain argument")
	}
	c := &fieldsOf{where: "cursor", doc: cursorDoc}
	batchSize := c.size("batchSize", firstBatchSize)
	if c.err != nil {
		return nil, c.err
	}
	run := &queryRun{store: s.store, findQuery: findQuery{ns: pq.ns}, buffer: true}
	if run.kept, err = s.runPipeline(pq, q.work); err != nil {
		return nil, fault.During("Executor error during aggregate command on namespace: "+pq.ns, err)
	}
	return s.cursorReply(run, run.fromKept(batchSize), true), nil
}

// runPipeline reads in one snapshot and keeps the results.
func (s *Server) runPipeline(pq *pipelineQuery, w *store.Work) (out []raw.Document, err error) {
	err = s.store.ReadCollection(pq.ns, func(c *store.Collection) error {
		sc := c.Scan(pq.Selection, w)
		if out, err = pipeline.Run(pq.stages, sc.Documents(c, pq.Filter), w.Step); err != nil {
			return err
		}
		sc.Report(pq.ns, pq.Filter, int64(len(out)))
		return nil
	})
	return out, err
}
