package engine

import (
	"encoding/json"
	"fmt"
	"strings"

	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
)

// pathFilter keeps or drops parts of an answer by the patterns of filter_path. In a pattern * stands for any run of
// characters of one name and ** for any number of names; lists have no names of their own. A pattern after a minus
// drops what it names.
type pathFilter struct {
	includes, excludes [][]string
}

// parseFilterPath reads the parameter; nil is no filter.
func parseFilterPath(s string) *pathFilter {
	f := &pathFilter{}
	for p := range strings.SplitSeq(s, ",") {
		p = strings.TrimSpace(p)
		if rest, ok := strings.CutPrefix(p, "-"); ok {
			f.excludes = append(f.excludes, strings.Split(rest, "."))
		} else if p != "" {
			f.includes = append(f.includes, strings.Split(p, "."))
		}
	}
	if f.includes == nil && f.excludes == nil {
		return nil
	}
	return f
}

// apply filters an answer. An answer of which nothing is left is an empty object.
func (f *pathFilter) apply(v any) (any, error) {
	if f.includes != nil {
		kept, ok, err := include(v, f.includes)
		if err != nil {
			return nil, err
		}
		if v = kept; !ok {
			return map[string]any{}, nil
		}
	}
	if f.excludes == nil {
		return v, nil
	}
	kept, ok, err := exclude(v, f.excludes)
	if err == nil && !ok {
		kept = map[string]any{}
	}
	return kept, err
}

// children brings a value of an answer into maps and lists; other values have no parts.
func children(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any, []any, nil, string, bool, int, int64, float64:
		return v, nil
	case json.Number:
		return v, nil
	}
	b, err := esjson.Append(nil, v)
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	if len(b) == 0 || b[0] != '{' && b[0] != '[' {
		return json.RawMessage(b), nil
	}
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	var out any
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("decode answer: %w", err)
	}
	return out, nil
}

// step moves patterns below a name. Done says that one of them ends there.
func step(patterns [][]string, name string) (next [][]string, done bool) {
	for _, p := range patterns {
		if p[0] == "**" {
			next = append(next, p)
			if len(p) > 1 {
				more, end := step([][]string{p[1:]}, name)
				next, done = append(next, more...), done || end
			} else {
				done = true
			}
			continue
		}
		if !mapping.Glob(p[0], name) {
			continue
		}
		if len(p) == 1 {
			done = true
		} else {
			next = append(next, p[1:])
		}
	}
	return next, done
}

func include(v any, patterns [][]string) (any, bool, error) {
	return walk(v, func(name string, e any) (any, bool, error) {
		next, done := step(patterns, name)
		switch {
		case done:
			return e, true, nil
		case next == nil:
			return nil, false, nil
		}
		return include(e, next)
	}, func(e any) (any, bool, error) { return include(e, patterns) }, false)
}

func exclude(v any, patterns [][]string) (any, bool, error) {
	return walk(v, func(name string, e any) (any, bool, error) {
		next, done := step(patterns, name)
		switch {
		case done:
			return nil, false, nil
		case next == nil:
			return e, true, nil
		}
		return exclude(e, next)
	}, func(e any) (any, bool, error) { return exclude(e, patterns) }, true)
}

// walk rebuilds a value from the parts that member and element keep. Scalars are kept if leaf says so.
func walk(v any, member func(string, any) (any, bool, error), element func(any) (any, bool, error), leaf bool) (any, bool, error) {
	v, err := children(v)
	if err != nil {
		return nil, false, err
	}
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			kept, ok, err := member(k, e)
			if err != nil {
				return nil, false, err
			}
			if ok {
				out[k] = kept
			}
		}
		return out, len(out) > 0, nil
	case []any:
		out := []any{}
		for _, e := range v {
			kept, ok, err := element(e)
			if err != nil {
				return nil, false, err
			}
			if ok {
				out = append(out, kept)
			}
		}
		return out, len(out) > 0, nil
	}
	return v, leaf, nil
}
