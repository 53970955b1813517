package mongod

import (
	"iter"
	"strings"
)

// documents is a stream through the stages of a pipeline; an error ends it.
type documents = iter.Seq2[document, error]

// stage turns one stream into the next.
type stage func(in documents) documents

func (s *Server) aggregate(q *request) (document, error) {
	if q.body.get(q.name).numeric() {
		return nil, unsupported("aggregate on a database")
	}
	ns, err := q.namespace()
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
	c := &fieldsOf{where: "aggregate.cursor", doc: cursorDoc}
	batchSize := c.size("batchSize", firstBatchSize)
	if c.err != nil {
		return nil, c.err
	}
	pipeline, err := q.documents("pipeline")
	if err != nil {
		return nil, err
	}
	f, stages, err := parsePipeline(pipeline)
	if err != nil {
		return nil, err
	}
	run := &queryRun{store: s.store, query: query{ns: ns}, buffer: true}
	if run.kept, err = s.runPipeline(ns, f, stages); err != nil {
		return nil, err
	}
	return s.cursorReply(run, run.fromKept(batchSize), true, false), nil
}

// runPipeline reads the matching documents in one snapshot and keeps the results.
func (s *Server) runPipeline(ns string, f *filter, stages []stage) ([]document, error) {
	source := documents(func(yield func(document, error) bool) {
		err := s.scanAll(ns, f, func(d document) (bool, error) { return yield(d, nil), nil })
		if err != nil {
			yield(nil, err)
		}
	})
	for _, st := range stages {
		source = st(source)
	}
	var out []document
	size := 0
	for d, err := range source {
		if err != nil {
			return nil, err
		}
		if size += len(d); size > maxResultBytes {
			return nil, failure(codeMemoryLimit, "aggregate result is larger than %d bytes", maxResultBytes)
		}
		out = append(out, d.clone())
	}
	return out, nil
}

// parsePipeline returns the filter of a leading $match, which may use an index, and the other stages.
func parsePipeline(pipeline []document) (*filter, []stage, error) {
	first := &filter{op: opAnd}
	var stages []stage
	for i, d := range pipeline {
		r := d.reader()
		key, v, ok := r.next()
		if _, _, more := r.next(); !ok || more {
			return nil, nil, failure(40323, "A pipeline stage specification object must contain exactly one field.")
		}
		if i == 0 && string(key) == "$match" && v.kind == kindDocument {
			f, err := parseFilter(v.document())
			if err != nil {
				return nil, nil, err
			}
			first = f
			continue
		}
		st, err := parseStage(string(key), v)
		if err != nil {
			return nil, nil, err
		}
		stages = append(stages, st)
	}
	return first, stages, nil
}

func parseStage(name string, v value) (stage, error) {
	switch name {
	case "$match":
		return parseMatchStage(v)
	case "$sort":
		return parseSortStage(v)
	case "$limit", "$skip":
		return parseCutStage(name, v)
	case "$count":
		return parseCountStage(v)
	case "$group":
		return parseGroupStage(v)
	default:
		return nil, failure(codeUnknownStage, "Unrecognized pipeline stage name: '%s'", name)
	}
}

func parseMatchStage(v value) (stage, error) {
	if v.kind != kindDocument {
		return nil, failure(15959, "the match filter must be an expression in an object")
	}
	f, err := parseFilter(v.document())
	if err != nil {
		return nil, err
	}
	return func(in documents) documents {
		return func(yield func(document, error) bool) {
			for d, err := range in {
				if (err != nil || f.matches(d)) && !yield(d, err) {
					return
				}
			}
		}
	}, nil
}

func parseSortStage(v value) (stage, error) {
	if v.kind != kindDocument {
		return nil, failure(15973, "the $sort key specification must be an object")
	}
	order, err := parseSort(v.document())
	if err != nil {
		return nil, err
	}
	if len(order) == 0 {
		return nil, failure(15976, "$sort stage must have at least one sort key")
	}
	return func(in documents) documents {
		return func(yield func(document, error) bool) {
			s := &sorter{order: order}
			for d, err := range in {
				if err == nil {
					err = s.add(d)
				}
				if err != nil {
					yield(nil, err)
					return
				}
			}
			for _, d := range s.documents() {
				if !yield(d, nil) {
					return
				}
			}
		}
	}, nil
}

func parseCutStage(name string, v value) (stage, error) {
	n, whole := v.wholeNumber()
	if name == "$skip" {
		if !whole || n < 0 {
			return nil, failure(5107200, "invalid argument to $skip stage: Expected a non-negative number in: $skip: %s", v)
		}
	} else if !whole || n < 0 {
		return nil, failure(5107201, "invalid argument to $limit stage: Expected a non-negative number in: $limit: %s", v)
	} else if n == 0 {
		return nil, failure(15958, "the limit must be positive")
	}
	return func(in documents) documents {
		return func(yield func(document, error) bool) {
			seen := int64(0)
			for d, err := range in {
				seen++
				if err == nil && name == "$skip" && seen <= n {
					continue
				}
				if !yield(d, err) || name == "$limit" && seen >= n {
					return
				}
			}
		}
	}, nil
}

func parseCountStage(v value) (stage, error) {
	name := ""
	if v.kind == kindString {
		name = v.text()
	}
	switch {
	case v.kind != kindString:
		return nil, failure(40156, "the count field must be a non-empty string")
	case name == "":
		return nil, failure(40157, "the count field must be a non-empty string")
	case strings.HasPrefix(name, "$"):
		return nil, failure(40158, "the count field cannot be a $-prefixed path")
	case strings.Contains(name, "."):
		return nil, failure(40160, "the count field cannot contain '.'")
	}
	return func(in documents) documents {
		return func(yield func(document, error) bool) {
			n := int32(0)
			for _, err := range in {
				if err != nil {
					yield(nil, err)
					return
				}
				n++
			}
			if n > 0 {
				yield(newDocument().add(name, int32Value(n)).done(), nil)
			}
		}
	}, nil
}
