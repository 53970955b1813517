package mongod

import (
	"iter"
	"math/rand/v2"
	"strings"

	"go.etcd.io/bbolt"
)

// documents is a stream through the stages of a pipeline; an error ends it.
type documents = iter.Seq2[document, error]

// pipelineRun is one pipeline under way, in one snapshot.
type pipelineRun struct {
	store *store
	tx    *bbolt.Tx
	db    string
	work  *work
}

// stage turns one stream into the next. Two kinds say more about themselves, so that the first stages can use an index.
type stage struct {
	name   string
	arg    value
	run    func(r *pipelineRun, in documents) documents
	filter *filter     // of $match
	order  []sortField // of $sort
}

// stageParser parses the argument of a stage.
type stageParser = func(name string, v value) (stage, error)

func stages() []entry[stageParser] {
	return append([]entry[stageParser]{
		{name: "$match", parse: parseMatchStage},
		{name: "$sort", parse: parseSortStage},
		{name: "$limit", parse: parseCutStage},
		{name: "$skip", parse: parseCutStage},
		{name: "$count", parse: parseCountStage},
		{name: "$group", parse: parseGroupStage, note: "groups come in the order of their first document; at most 100 MiB and 1,000,000 groups"},
		{name: "$project", parse: parseProjectStage},
		{name: "$addFields", parse: parseAddFieldsStage},
		{name: "$set", parse: parseAddFieldsStage},
		{name: "$unset", parse: parseUnsetStage},
		{name: "$unwind", parse: parseUnwindStage},
		{name: "$replaceRoot", parse: parseReplaceRootStage},
		{name: "$replaceWith", parse: parseReplaceWithStage},
		{name: "$sortByCount", parse: parseSortByCountStage},
		{name: "$lookup", parse: parseLookupStage, note: "localField and foreignField only, without pipeline and let"},
		{name: "$facet", parse: parseFacetStage, note: "its input is kept in memory, at most 100 MiB"},
		{name: "$sample", parse: parseSampleStage},
		{name: "$changeStream", refused: failure(40573, "The $changeStream stage is only supported on replica sets")},
	}, refusals[stageParser]("the stage",
		"$bucket", "$bucketAuto", "$collStats", "$currentOp", "$densify", "$documents", "$fill", "$geoNear", "$graphLookup", "$indexStats", "$listSessions",
		"$merge", "$out", "$redact", "$setWindowFields", "$unionWith")...)
}

func parseStage(d document) (stage, error) {
	r := d.reader()
	key, v, ok := r.next()
	if _, _, more := r.next(); !ok || more {
		return stage{}, failure(40323, "A pipeline stage specification object must contain exactly one field.")
	}
	known := lookup(stages(), string(key))
	switch {
	case known == nil:
		return stage{}, failure(codeUnknownStage, "Unrecognized pipeline stage name: '%s'", key)
	case known.refused != nil:
		return stage{}, known.refused
	}
	st, err := known.parse(string(key), v)
	st.name, st.arg = string(key), v
	return st, err
}

func parsePipeline(pipeline []document) ([]stage, error) {
	var out []stage
	for _, d := range pipeline {
		st, err := parseStage(d)
		if err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, nil
}

// through runs the stages over a stream.
func (r *pipelineRun) through(list []stage, in documents) documents {
	for _, st := range list {
		in = st.run(r, in)
	}
	return in
}

// collect keeps a stream in memory, up to the limit.
func (r *pipelineRun) collect(in documents, what string) ([]document, error) {
	var out []document
	size := 0
	for d, err := range in {
		if err == nil {
			err = r.work.step()
		}
		if err != nil {
			return nil, err
		}
		if size += len(d) + 24; size > maxResultBytes {
			return nil, memoryLimit(what)
		}
		out = append(out, d.clone())
	}
	return out, nil
}

func memoryLimit(what string) error {
	return failure(codeMemoryLimit, "Exceeded memory limit of %d bytes for %s", maxResultBytes, what)
}

// each makes a stage of a function that turns one document into at most one.
func each(f func(d document) (document, error)) stage {
	return stage{run: func(_ *pipelineRun, in documents) documents {
		return func(yield func(document, error) bool) {
			for d, err := range in {
				if err == nil {
					d, err = f(d)
				}
				if (d != nil || err != nil) && !yield(d, err) {
					return
				}
			}
		}
	}}
}

// whole makes a stage of a function that needs its whole input.
func whole(f func(r *pipelineRun, in documents) ([]document, error)) stage {
	return stage{run: func(r *pipelineRun, in documents) documents {
		return func(yield func(document, error) bool) {
			out, err := f(r, in)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, d := range out {
				if !yield(d, nil) {
					return
				}
			}
		}
	}}
}

func parseMatchStage(_ string, v value) (stage, error) {
	if v.kind != kindDocument {
		return stage{}, failure(15959, "the match filter must be an expression in an object")
	}
	f, err := parseFilter(v.document())
	if err != nil {
		return stage{}, err
	}
	st := each(func(d document) (document, error) {
		ok, err := f.accepts(d)
		if !ok {
			d = nil
		}
		return d, err
	})
	st.filter = f
	return st, nil
}

func parseSortStage(_ string, v value) (stage, error) {
	if v.kind != kindDocument {
		return stage{}, failure(15973, "the $sort key specification must be an object")
	}
	order, err := parseSort(v.document())
	if err != nil {
		return stage{}, err
	}
	if len(order) == 0 {
		return stage{}, failure(15976, "$sort stage must have at least one sort key")
	}
	st := whole(func(_ *pipelineRun, in documents) ([]document, error) {
		s := &sorter{order: order}
		for d, err := range in {
			if err == nil {
				err = s.add(d)
			}
			if err != nil {
				return nil, err
			}
		}
		return s.documents(), nil
	})
	st.order = order
	return st, nil
}

func parseCutStage(name string, v value) (stage, error) {
	code := 5107201
	if name == "$skip" {
		code = 5107200
	}
	n, whole := v.wholeNumber()
	switch {
	case !v.numeric():
		return stage{}, failure(code, "invalid argument to %s stage: Expected a number in: %s: %s", name, name, v)
	case !whole:
		return stage{}, failure(code, "invalid argument to %s stage: Expected an integer: %s: %s", name, name, v)
	case n < 0:
		return stage{}, failure(code, "invalid argument to %s stage: Expected a non-negative number in: %s: %s", name, name, v)
	case n == 0 && name == "$limit":
		return stage{}, failure(15958, "the limit must be positive")
	}
	return stage{run: func(_ *pipelineRun, in documents) documents {
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
	}}, nil
}

func parseCountStage(_ string, v value) (stage, error) {
	name := v.stringOr("")
	switch {
	case v.kind != kindString:
		return stage{}, failure(40156, "the count field must be a non-empty string")
	case name == "":
		return stage{}, failure(40157, "the count field must be a non-empty string")
	case strings.Contains(name, "\x00"):
		return stage{}, failure(40159, "the count field cannot contain a null byte")
	case strings.HasPrefix(name, "$"):
		return stage{}, failure(40158, "the count field cannot be a $-prefixed path")
	case strings.Contains(name, "."):
		return stage{}, failure(40160, "the count field cannot contain '.'")
	}
	return whole(func(_ *pipelineRun, in documents) ([]document, error) {
		n := int32(0)
		for _, err := range in {
			if err != nil {
				return nil, err
			}
			n++
		}
		if n == 0 {
			return nil, nil
		}
		return []document{newDocument().add(name, int32Value(n)).done()}, nil
	}), nil
}

func parseSampleStage(_ string, v value) (stage, error) {
	if v.kind != kindDocument {
		return stage{}, failure(28745, "the $sample stage specification must be an object")
	}
	size := v.document().get("size")
	for _, f := range documentFields(v.document()) {
		if f.name != "size" {
			return stage{}, failure(28748, "unrecognized option to $sample: %s", f.name)
		}
	}
	n, isWhole := size.wholeNumber()
	switch {
	case size.missing():
		return stage{}, failure(28749, "$sample stage must specify a size")
	case !size.numeric():
		return stage{}, failure(28746, "size argument to $sample must be a number")
	case !isWhole || n <= 0:
		return stage{}, failure(28747, "size argument to $sample must be a positive integer")
	}
	return whole(func(r *pipelineRun, in documents) ([]document, error) {
		docs, err := r.collect(in, "$sample")
		rand.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
		return docs[:min(n, int64(len(docs)))], err
	}), nil
}
