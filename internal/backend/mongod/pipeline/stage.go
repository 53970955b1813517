// Package pipeline reads the stages of an aggregate and runs a stream of documents through them: select, cut, count and sum.
//
// It bounds what a group and a result hold in memory. Where the documents come from is the caller's business: it may hand the first
// $match to an index and leave it out.
package pipeline

import (
	"iter"
	"slices"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/registry"
)

// Documents is a stream through the stages of a pipeline; an error ends it.
type Documents = iter.Seq2[raw.Document, error]

// Stage turns one stream into the next.
type Stage struct {
	run    func(in Documents, step func() error) Documents
	Filter *query.Filter // of $match: as the first stage it can use an index
}

// stageParser parses the argument of a stage.
type stageParser = func(name string, v raw.Value, ask registry.Ask) (Stage, error)

// Names lists the stages and the accumulators of $group.
func Names() []registry.Name { return slices.Concat(stages().Names(), accumulators().Names()) }

func stages() registry.Table[stageParser] {
	return registry.Table[stageParser]{Kind: "stage", Entries: []registry.Entry[stageParser]{
		{Name: "$match", Parse: parseMatchStage},
		{Name: "$skip", Parse: parseCutStage},
		{Name: "$limit", Parse: parseCutStage},
		{Name: "$group", Parse: parseGroupStage, Note: "groups come in the order of their first document; at most 100 MiB and 1,000,000 groups"},
	}}
}

// Parse reads the stages; ask, which may be nil, is told them and the operators in them.
func Parse(list []raw.Document, ask registry.Ask) ([]Stage, error) {
	var out []Stage
	for _, d := range list {
		st, err := parseStage(d, ask)
		if err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, nil
}

func parseStage(d raw.Document, ask registry.Ask) (Stage, error) {
	r := d.Reader()
	key, v, ok := r.Next()
	if _, _, more := r.Next(); !ok || more {
		return Stage{}, fault.New(40323, "A pipeline stage specification object must contain exactly one field.")
	}
	known := stages().Find(string(key), ask)
	if known == nil {
		return Stage{}, fault.New(fault.UnknownStage, "Unrecognized pipeline stage name: '%s'", key)
	}
	return known.Parse(string(key), v, ask)
}

// Run puts the stages behind the source and collects what comes out. step is called for every document, and its error ends it.
func Run(list []Stage, source Documents, step func() error) ([]raw.Document, error) {
	for _, st := range list {
		source = st.run(source, step)
	}
	var out []raw.Document
	size := 0
	for d, err := range source {
		if err == nil {
			err = step()
		}
		if err != nil {
			return nil, err
		}
		if size += len(d) + 24; size > query.MaxResultBytes {
			return nil, memoryLimit("the result")
		}
		out = append(out, d.Clone())
	}
	return out, nil
}

func memoryLimit(what string) error {
	return fault.New(fault.MemoryLimit, "Exceeded memory limit of %d bytes for %s", query.MaxResultBytes, what)
}

func parseMatchStage(_ string, v raw.Value, ask registry.Ask) (Stage, error) {
	if v.Kind != raw.KindDocument {
		return Stage{}, fault.New(15959, "the match filter must be an expression in an object")
	}
	f, err := query.Parse(v.Document(), ask)
	if err != nil {
		return Stage{}, err
	}
	run := func(in Documents, _ func() error) Documents {
		return func(yield func(raw.Document, error) bool) {
			for d, err := range in {
				if (err != nil || f.Matches(d)) && !yield(d, err) {
					return
				}
			}
		}
	}
	return Stage{run: run, Filter: f}, nil
}

func parseCutStage(name string, v raw.Value, _ registry.Ask) (Stage, error) {
	code := 5107201
	if name == "$skip" {
		code = 5107200
	}
	n, whole := v.WholeNumber()
	switch {
	case !v.Numeric():
		return Stage{}, fault.New(code, "invalid argument to %s stage: Expected a number in: %s: %s", name, name, v)
	case !whole:
		return Stage{}, fault.New(code, "invalid argument to %s stage: Expected an integer: %s: %s", name, name, v)
	case n < 0:
		return Stage{}, fault.New(code, "invalid argument to %s stage: Expected a non-negative number in: %s: %s", name, name, v)
	case n == 0 && name == "$limit":
		return Stage{}, fault.New(15958, "the limit must be positive")
	}
	return Stage{run: func(in Documents, _ func() error) Documents {
		return func(yield func(raw.Document, error) bool) {
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
