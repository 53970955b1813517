package mongod

import (
	"slices"
	"strings"
)

// upsertBase is the document that the filter's equalities describe.
func upsertBase(f *filter) (document, error) {
	d := emptyDocument()
	var set []*filter
	leaves := f.conjuncts()
	slices.SortStableFunc(leaves, func(a, b *filter) int { return comparePaths(a.path, b.path) })
	for _, leaf := range leaves {
		v := leaf.value
		switch {
		case leaf.op == opEqual:
		case leaf.op == opIn && len(leaf.list) == 1:
			v = leaf.list[0]
		default:
			continue
		}
		for _, other := range set {
			if other.name == leaf.name {
				return nil, failure(codeNotSingleValue, "cannot infer query fields to set, path '%s' is matched twice", leaf.name)
			}
			if strings.HasPrefix(leaf.name, other.name+".") {
				return nil, failure(codeNotSingleValue, "cannot infer query fields to set, both paths '%s' and '%s' are matched", leaf.name, other.name)
			}
		}
		set = append(set, leaf)
		var err error
		if d, err = rewrite(d, leaf.path, assignment(v)); err != nil {
			return nil, err
		}
	}
	return d, nil
}
