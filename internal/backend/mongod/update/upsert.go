package update

import (
	"slices"
	"strings"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
)

// UpsertBase is the document that the filter's equalities describe.
func UpsertBase(f *query.Filter) (raw.Document, error) {
	d := raw.Empty()
	var set []*query.Filter
	leaves := f.Conjuncts()
	slices.SortStableFunc(leaves, func(a, b *query.Filter) int { return comparePaths(a.Path, b.Path) })
	for _, leaf := range leaves {
		v := leaf.Value
		switch {
		case leaf.Op == query.Equal:
		case leaf.Op == query.In && len(leaf.List) == 1:
			v = leaf.List[0]
		default:
			continue
		}
		for _, other := range set {
			if other.Name == leaf.Name {
				return nil, fault.New(fault.NotSingleValue, "cannot infer query fields to set, path '%s' is matched twice", leaf.Name)
			}
			if strings.HasPrefix(leaf.Name, other.Name+".") {
				return nil, fault.New(fault.NotSingleValue,
					"cannot infer query fields to set, both paths '%s' and '%s' are matched", leaf.Name, other.Name)
			}
		}
		set = append(set, leaf)
		var err error
		if d, err = rewrite(d, leaf.Path, assignment(v)); err != nil {
			return nil, err
		}
	}
	return d, nil
}
