package mongod

import (
	"os"
	"time"
)

// verbosity of an explain.
type verbosity int

const (
	queryPlanner verbosity = iota
	executionStats
)

// planStage is one node of a winning plan, with what it did when the plan was run.
type planStage struct {
	name     string
	details  []field
	input    *planStage
	returned int64
	keys     int64 // -1 when the stage reads none
	docs     int64 // -1 likewise
	last     []field
}

func newPlanStage(name string, input *planStage, details ...field) *planStage {
	return &planStage{name: name, input: input, details: details, keys: -1, docs: -1}
}

// explained is a plan, run or not.
type explained struct {
	ns       string
	root     *planStage
	returned int64
	scan     *scan
	millis   int64
}

func (s *Server) explain(q *request) (document, error) {
	v := q.body.get(q.name)
	if v.kind != kindDocument {
		return nil, wrongType(q.command.name, q.name, v, "object")
	}
	level := executionStats
	switch text := q.body.get("verbosity").stringOr("allPlansExecution"); text {
	case "queryPlanner":
		level = queryPlanner
	case "executionStats", "allPlansExecution":
	default:
		return nil, failure(codeBadValue, "Enumeration value '%s' for field 'explain.verbosity' is not a valid value.", text)
	}
	inner := &request{name: v.document().firstName(), body: v.document(), db: q.db, client: q.client}
	if inner.command = s.commands[inner.name]; inner.command == nil {
		return nil, failure(codeCommandNotFound, "Explain failed due to unknown command: %s", inner.name)
	}
	if err := s.authorize(inner); err != nil {
		return nil, err
	}
	if err := inner.checkFields(); err != nil {
		return nil, err
	}
	switch inner.command.name {
	case "find":
		return s.explainFind(inner, level)
	case "count":
		return s.explainCount(inner, level)
	case "distinct":
		return s.explainDistinct(inner, level)
	case "aggregate":
		pq, err := inner.parseAggregate()
		if err != nil {
			return nil, err
		}
		return s.explainPipeline(inner, pq, level)
	case "update", "delete", "findAndModify":
		return s.explainWrite(inner, level)
	default:
		return nil, failure(codeIllegalOperation, "Cannot explain cmd: %s", inner.name)
	}
}

// plan chooses the plan and, when wanted, runs it without its effects.
func (s *Server) planFor(ns string, sel selection, q *request, level verbosity, run func(c *collTx, sc *scan) (int64, error)) (*explained, error) {
	e := &explained{ns: ns}
	err := s.store.readCollection(ns, func(c *collTx) error {
		p, err := choosePlan(c.coll, sel)
		if err != nil {
			return err
		}
		e.scan = newScan(p, q.work)
		if level == executionStats {
			started := time.Now()
			e.returned, err = run(c, e.scan)
			e.millis = time.Since(started).Milliseconds()
		}
		return err
	})
	return e, err
}

// access are the stages that read: a scan of the collection, or an index and the documents that it names.
func (e *explained) access(matched int64) *planStage {
	if e.scan == nil {
		return newPlanStage("EOF", nil)
	}
	direction := "forward"
	if e.scan.reverse {
		direction = "backward"
	}
	way := field{"direction", stringValue(direction)}
	if e.scan.indexName() == "" {
		st := newPlanStage("COLLSCAN", nil, way)
		st.docs, st.returned = e.scan.docs, matched
		return st
	}
	ix := newPlanStage("IXSCAN", nil, append(e.scan.indexFields(), way)...)
	ix.keys, ix.returned = e.scan.keys, e.scan.keys
	fetch := newPlanStage("FETCH", ix)
	fetch.docs, fetch.returned = e.scan.docs, matched
	return fetch
}

// indexFields describe the index as explain does.
func (p *plan) indexFields() []field {
	key, multikey, unique, sparse, partial := idIndexSpec().get("key").document(), false, true, false, false
	if ix := p.index; ix != nil {
		key, multikey, unique, sparse, partial = ix.key, ix.multikey, ix.unique, ix.sparse, ix.partial != nil
	}
	return []field{
		{"keyPattern", documentValue(key)},
		{"indexName", stringValue(p.indexName())},
		{"isMultiKey", boolValue(multikey)},
		{"isUnique", boolValue(unique)},
		{"isSparse", boolValue(sparse)},
		{"isPartial", boolValue(partial)},
	}
}

// express replaces the stages of a lookup of one document by a unique key, as MongoDB 8 and newer do.
func (e *explained) express(sel selection, name string) *planStage {
	if e.scan == nil || !e.scan.exact || len(e.scan.ranges) != 1 || len(sel.order) > 0 || sel.hint.given() {
		return nil
	}
	leaves := sel.filter.conjuncts(nil)
	if len(leaves) != 1 || leaves[0].op != opEqual || !e.scan.byID && (e.scan.index == nil || !e.scan.index.unique || len(e.scan.index.fields) > 1) {
		return nil
	}
	fields := e.scan.indexFields()
	st := newPlanStage(name, nil, fields[0], fields[1])
	st.keys, st.docs, st.returned = e.scan.keys, e.scan.docs, e.returned
	return st
}

func (s *Server) explainFind(q *request, level verbosity) (document, error) {
	run, err := q.parseFind()
	if err != nil {
		return nil, err
	}
	matched := int64(0)
	e, err := s.planFor(run.ns, run.selection, q, level, func(c *collTx, sc *scan) (int64, error) {
		wanted := int64(-1)
		if run.limit > 0 && (len(run.order) == 0 || sc.sorted) {
			wanted = run.skip + run.limit
		}
		_, err := sc.each(c, run.filter.only(func([]byte, document) (bool, error) {
			matched++
			return matched != wanted, nil
		}))
		return matched, err
	})
	if err != nil {
		return nil, err
	}
	e.root = e.express(run.selection, "EXPRESS_IXSCAN")
	if e.root == nil || run.projection != nil && !run.projection.simple() || run.skip > 0 || run.limit > 0 {
		e.root = e.access(matched)
	}
	if len(run.order) > 0 && e.scan != nil && !e.scan.sorted {
		e.sort(run)
	}
	e.cut(run)
	if run.projection != nil && e.scan != nil {
		name := "PROJECTION_DEFAULT"
		if run.projection.simple() {
			name = "PROJECTION_SIMPLE"
		}
		e.push(newPlanStage(name, e.root))
	}
	return s.explanation(q, e, level), nil
}

// push puts a stage that returns all that it gets on top.
func (e *explained) push(st *planStage) {
	st.returned = st.input.returned
	e.root, e.returned = st, st.returned
}

func (e *explained) sort(run *queryRun) {
	pattern := newDocument()
	for _, f := range run.order {
		direction := 1
		if f.descending {
			direction = -1
		}
		pattern.int32(f.name, direction)
	}
	st := newPlanStage("SORT", e.root, field{"sortPattern", documentValue(pattern.done())})
	if run.limit > 0 {
		st.details = append(st.details, field{"limitAmount", int32Value(int32(run.limit + run.skip))})
	}
	e.push(st)
	if run.limit > 0 {
		st.returned = min(st.returned, run.limit+run.skip)
		e.returned = st.returned
	}
}

// cut adds skip and limit. Between an index and its documents, skipped keys need no document.
func (e *explained) cut(run *queryRun) {
	sorted := e.root.name == "SORT"
	if run.skip > 0 {
		amount := field{"skipAmount", int32Value(int32(run.skip))}
		if e.root.name == "FETCH" && e.scan.exact {
			fetch := e.root
			skip := newPlanStage("SKIP", fetch.input, amount)
			skip.returned = max(0, fetch.input.returned-run.skip)
			fetch.input, fetch.docs, fetch.returned = skip, skip.returned, skip.returned
			e.scan.docs, e.returned = skip.returned, skip.returned
		} else {
			e.push(newPlanStage("SKIP", e.root, amount))
			e.root.returned = max(0, e.root.returned-run.skip)
			e.returned = e.root.returned
		}
	}
	if run.limit > 0 && !sorted {
		e.push(newPlanStage("LIMIT", e.root, field{"limitAmount", int32Value(int32(run.limit))}))
	}
}

// simple reports whether a projection only selects whole top-level fields.
func (p *projection) simple() bool {
	if len(p.root.order) > 0 || len(p.slices) > 0 || p.positional != nil {
		return false
	}
	for _, n := range p.root.children {
		if n.children != nil {
			return false
		}
	}
	return true
}

func (s *Server) explainCount(q *request, level verbosity) (document, error) {
	cq, err := q.parseCount()
	if err != nil {
		return nil, err
	}
	matched := int64(0)
	e, err := s.planFor(cq.ns, cq.selection, q, level, func(c *collTx, sc *scan) (int64, error) {
		sc.keysOnly = sc.exact
		visit := func([]byte, document) (bool, error) {
			matched++
			return cq.limit == 0 || matched < cq.skip+cq.limit, nil
		}
		if !sc.keysOnly {
			visit = cq.filter.only(visit)
		}
		_, err := sc.each(c, visit)
		return 0, err
	})
	if err != nil {
		return nil, err
	}
	switch {
	case e.scan != nil && e.scan.exact && e.scan.indexName() == "":
		e.root = newPlanStage("RECORD_STORE_FAST_COUNT", nil)
	case e.scan != nil && e.scan.exact:
		st := newPlanStage("COUNT_SCAN", nil, e.scan.indexFields()...)
		st.keys, st.returned = e.scan.keys, matched
		e.root = newPlanStage("COUNT", st)
	default:
		e.root = newPlanStage("COUNT", e.access(matched))
	}
	return s.explanation(q, e, level), nil
}

func (s *Server) explainDistinct(q *request, level verbosity) (document, error) {
	dq, err := q.parseDistinct()
	if err != nil {
		return nil, err
	}
	e, err := s.planFor(dq.ns, dq.selection, q, level, countMatches(dq.filter, false))
	if err != nil {
		return nil, err
	}
	e.root = e.access(e.returned)
	return s.explanation(q, e, level), nil
}

func countMatches(f *filter, first bool) func(c *collTx, sc *scan) (int64, error) {
	return func(c *collTx, sc *scan) (int64, error) {
		n := int64(0)
		_, err := sc.each(c, f.only(func([]byte, document) (bool, error) {
			n++
			return !first, nil
		}))
		return n, err
	}
}

// explainPipeline names the stages behind the ones that an index can serve.
func (s *Server) explainPipeline(q *request, pq *pipelineQuery, level verbosity) (document, error) {
	e, err := s.planFor(pq.ns, pq.selection, q, level, countMatches(pq.filter, false))
	if err != nil {
		return nil, err
	}
	e.root = e.access(e.returned)
	if len(pq.order) > 0 && e.scan != nil && !e.scan.sorted {
		e.sort(&queryRun{query: query{selection: pq.selection}})
	}
	if len(pq.stages) == 0 {
		return s.explanation(q, e, level), nil
	}
	list := []document{newDocument().doc("$cursor", e.body(level)).done()}
	for _, st := range pq.stages {
		arg := st.arg
		if st.name == "$unwind" && arg.kind == kindString {
			arg = documentValue(newDocument().add("path", arg).done())
		}
		list = append(list, newDocument().add(st.name, arg).done())
	}
	return s.about(newDocument().str("explainVersion", "1").add("stages", documentArray(list)), q), nil
}

// explanation is the answer for a plan that is not part of a longer pipeline.
func (s *Server) explanation(q *request, e *explained, level verbosity) document {
	b := newDocument().str("explainVersion", "1")
	return s.about(appendFields(b, e.body(level)), q)
}

func (s *Server) about(b *builder, q *request) document {
	host, _ := os.Hostname()
	server := newDocument().str("host", host).str("version", serverVersion).done()
	return b.doc("command", q.body).doc("serverInfo", server).ok()
}

func (e *explained) body(level verbosity) document {
	planner := newDocument().str("namespace", e.ns).bool("indexFilterSet", false).
		doc("winningPlan", e.root.render(false)).array("rejectedPlans", nil)
	b := newDocument().doc("queryPlanner", planner.done())
	if level == queryPlanner {
		return b.done()
	}
	stats := newDocument().bool("executionSuccess", true).int32("nReturned", int(e.returned)).int32("executionTimeMillis", int(e.millis))
	keys, docs := int64(0), int64(0)
	if e.scan != nil {
		keys, docs = e.scan.keys, e.scan.docs
	}
	stats.int32("totalKeysExamined", int(keys)).int32("totalDocsExamined", int(docs)).doc("executionStages", e.root.render(true))
	return b.doc("executionStats", stats.done()).done()
}

func (p *planStage) render(stats bool) document {
	b := newDocument().str("stage", p.name)
	if stats {
		b.int32("nReturned", int(p.returned))
	}
	for _, f := range p.details {
		b.add(f.name, f.value)
	}
	if stats {
		if p.keys >= 0 {
			b.int32("keysExamined", int(p.keys))
		}
		if p.docs >= 0 {
			b.int32("docsExamined", int(p.docs))
		}
		for _, f := range p.last {
			b.add(f.name, f.value)
		}
	}
	if p.input != nil {
		b.doc("inputStage", p.input.render(stats))
	}
	return b.done()
}
