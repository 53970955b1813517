package mongod

import "iter"

// documents is a stream through the stages of a pipeline; an error ends it.
type documents = iter.Seq2[document, error]

// stage turns one stream into the next.
type stage struct {
	run    func(in documents, step func() error) documents
	filter *filter // of $match: as the first stage it can use an index
}

// stageParser parses the argument of a stage.
type stageParser = func(name string, v value, ask askFunc) (stage, error)

func stages() table[stageParser] {
	return table[stageParser]{"stage", []entry[stageParser]{
		{name: "$match", parse: parseMatchStage},
		{name: "$skip", parse: parseCutStage},
		{name: "$limit", parse: parseCutStage},
		{name: "$group", parse: parseGroupStage, note: "groups come in the order of their first document; at most 100 MiB and 1,000,000 groups"},
	}}
}

// parsePipeline reads the stages; ask, which may be nil, is told them and the operators in them.
func parsePipeline(pipeline []document, ask askFunc) ([]stage, error) {
	var out []stage
	for _, d := range pipeline {
		st, err := parseStage(d, ask)
		if err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, nil
}

func parseStage(d document, ask askFunc) (stage, error) {
	r := d.reader()
	key, v, ok := r.next()
	if _, _, more := r.next(); !ok || more {
		return stage{}, failure(40323, "A pipeline stage specification object must contain exactly one field.")
	}
	known := stages().find(string(key), ask)
	if known == nil {
		return stage{}, failure(codeUnknownStage, "Unrecognized pipeline stage name: '%s'", key)
	}
	return known.parse(string(key), v, ask)
}

// runStages puts the stages behind the source and collects what comes out. step is called for every document, and its error ends it.
func runStages(list []stage, source documents, step func() error) ([]document, error) {
	for _, st := range list {
		source = st.run(source, step)
	}
	var out []document
	size := 0
	for d, err := range source {
		if err == nil {
			err = step()
		}
		if err != nil {
			return nil, err
		}
		if size += len(d) + 24; size > maxResultBytes {
			return nil, memoryLimit("the result")
		}
		out = append(out, d.clone())
	}
	return out, nil
}

func memoryLimit(what string) error {
	return failure(codeMemoryLimit, "Exceeded memory limit of %d bytes for %s", maxResultBytes, what)
}

func parseMatchStage(_ string, v value, ask askFunc) (stage, error) {
	if v.kind != kindDocument {
		return stage{}, failure(15959, "the match filter must be an expression in an object")
	}
	f, err := parseFilter(v.document(), ask)
	if err != nil {
		return stage{}, err
	}
	run := func(in documents, _ func() error) documents {
		return func(yield func(document, error) bool) {
			for d, err := range in {
				if (err != nil || f.matches(d)) && !yield(d, err) {
					return
				}
			}
		}
	}
	return stage{run: run, filter: f}, nil
}

func parseCutStage(name string, v value, _ askFunc) (stage, error) {
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
	return stage{run: func(in documents, _ func() error) documents {
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
