package store

import (
	"math"
	"slices"

	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
)

const maxRanges = 1000

// keyRange is lo <= key < hi; a nil hi is open.
type keyRange struct{ lo, hi []byte }

// plan says which keys to read and in which direction. A nil index means the documents themselves, by _id.
// Every document it yields is still checked with the whole filter.
type plan struct {
	index   *index
	byID    bool // without an index: by a condition on _id or in the order of _id, not a scan of the collection
	ranges  []keyRange
	reverse bool
	Sorted  bool // yields in the order that the query asks for
	score   int
}

// indexName returns the name that the log gives, "" for a scan of the collection.
func (p *plan) indexName() string {
	switch {
	case p.index != nil:
		return p.index.name
	case p.byID:
		return idIndexName
	default:
		return ""
	}
}

// Selection is what a query asks for: which documents, in which order.
type Selection struct {
	Filter *query.Filter
	Order  []query.SortField
}

// choosePlan picks the index with the longest run of equalities, then ranges, then the one that gives the sort order.
func choosePlan(coll *description, sel Selection) plan {
	leaves := sel.Filter.Conjuncts()
	best := boundsOf(nil, leaves, sel)
	if best.score >= 15 {
		best.score += 50 // points by _id need no second lookup
	}
	for _, ix := range coll.indexes {
		if ix.partial != nil && !implies(leaves, ix.partial) {
			continue
		}
		p := boundsOf(ix, leaves, sel)
		if ix.sparse && p.score < 10 { // no bound: documents may be missing from the index
			continue
		}
		if p.score > best.score {
			best = p
		}
	}
	if best.score == 0 {
		return plan{ranges: []keyRange{{}}}
	}
	return best
}

// boundsOf turns the leaves into key ranges over the fields of an index, or over _id. Scores: 20 for an equality, 15 for $in, 10 for
// a range, 5 for the order.
func boundsOf(ix *index, leaves []*query.Filter, sel Selection) plan {
	fields, multikey := []indexField{{name: "_id", path: []string{"_id"}}}, false
	if ix != nil {
		fields, multikey = ix.fields, ix.multikey
	}
	p := plan{index: ix, byID: ix == nil}
	prefixes := [][]byte{nil}
	used, constant := 0, 0
	for _, f := range fields {
		points, op := equalityPoints(f, leaves, ix)
		if len(points) == 0 || len(prefixes)*len(points) > maxRanges {
			break
		}
		var next [][]byte
		for _, prefix := range prefixes {
			for _, point := range points {
				next = append(next, join(prefix, point))
			}
		}
		prefixes = next
		if constant == used && len(points) == 1 {
			constant++
		}
		used++
		p.score += 20
		if op == query.In {
			p.score -= 5
		}
	}
	if used < len(fields) {
		if lo, hi, found := rangeBounds(fields[used], multikey, leaves); found {
			p.score += 10
			for _, prefix := range prefixes {
				p.ranges = append(p.ranges, keyRange{join(prefix, lo), orSuccessor(prefix, hi)})
			}
		}
	}
	if p.ranges == nil {
		for _, prefix := range prefixes {
			p.ranges = append(p.ranges, keyRange{prefix, raw.Successor(prefix)})
		}
	}
	slices.SortFunc(p.ranges, func(a, b keyRange) int { return slices.Compare(a.lo, b.lo) })
	p.ranges = slices.CompactFunc(p.ranges, func(a, b keyRange) bool { return string(a.lo) == string(b.lo) })
	if len(sel.Order) > 0 && !multikey {
		if p.Sorted, p.reverse = followsOrder(fields, constant, sel.Order); p.Sorted {
			p.score += 5
		}
	}
	return p
}

func join(prefix, rest []byte) []byte { return append(append([]byte(nil), prefix...), rest...) }

// orSuccessor joins an upper bound to its prefix; without one the range ends with the prefix.
func orSuccessor(prefix, hi []byte) []byte {
	if hi == nil {
		return raw.Successor(prefix)
	}
	return join(prefix, hi)
}

// followsOrder reports whether reading the fields behind the first used ones gives the order, and whether backwards.
// The used fields are constant in the range, so the order may name them anywhere.
func followsOrder(fields []indexField, used int, order []query.SortField) (sorted, reverse bool) {
	next := used
	for _, s := range order {
		if slices.ContainsFunc(fields[:used], func(f indexField) bool { return f.name == s.Name }) {
			continue
		}
		if next >= len(fields) || fields[next].name != s.Name {
			return false, false
		}
		backwards := fields[next].descending != s.Descending
		if next > used && backwards != reverse {
			return false, false
		}
		reverse = backwards
		next++
	}
	return true, reverse
}

// bounded reports whether index keys can stand for the value: arrays are stored by element, and null also means missing.
func bounded(v raw.Value) bool {
	switch v.Kind {
	case raw.KindMissing, raw.KindNull, raw.KindUndefined, raw.KindArray, raw.KindRegex, raw.KindMinKey, raw.KindMaxKey:
		return false
	default:
		return !query.IsNaN(v)
	}
}

// pointOf returns the key under which a document that equals the value must be in the index. A sparse index lacks the documents that
// null means too.
func pointOf(f indexField, v raw.Value, ix *index) ([]byte, bool) {
	if query.IsNullOrMissing(v) && (ix == nil || !ix.sparse) {
		return appendIndexField(nil, f, raw.Null()), true
	}
	return appendIndexField(nil, f, v), bounded(v)
}

// equalityPoints returns the encodings that the field must have, and from which operator: equality or $in.
func equalityPoints(f indexField, leaves []*query.Filter, ix *index) (points [][]byte, from query.Op) {
	for _, leaf := range leaves {
		if leaf.Name == f.name && leaf.Op == query.Equal {
			if point, ok := pointOf(f, leaf.Value, ix); ok {
				return [][]byte{point}, query.Equal
			}
		}
	}
	for _, leaf := range leaves {
		if leaf.Name != f.name || leaf.Op != query.In {
			continue
		}
		for _, v := range leaf.List {
			point, ok := pointOf(f, v, ix)
			if !ok {
				return nil, query.In
			}
			points = append(points, point)
		}
		return points, query.In
	}
	return nil, query.Equal
}

// rangeBounds returns the bounds that $gt, $gte, $lt and $lte set, within the type of their value.
// With arrays in the index two bounds may be met by two elements, so only one of them counts.
func rangeBounds(f indexField, multikey bool, leaves []*query.Filter) (lo, hi []byte, found bool) {
	for _, leaf := range leaves {
		if leaf.Name != f.name || leaf.Op < query.Less || leaf.Op > query.GreaterEqual || !bounded(leaf.Value) {
			continue
		}
		key := appendIndexField(nil, f, leaf.Value)
		if !found {
			lo, hi = typeBounds(f, leaf.Value)
		} else if multikey || lo[0] != key[0] {
			continue
		}
		found = true
		upper := leaf.Op == query.Less || leaf.Op == query.LessEqual
		inclusive := leaf.Op == query.LessEqual || leaf.Op == query.GreaterEqual
		if upper != f.descending { // the bound is the end of the range
			if inclusive {
				key = raw.Successor(key)
			}
			if slices.Compare(key, hi) < 0 {
				hi = key
			}
		} else {
			if !inclusive {
				key = raw.Successor(key)
			}
			if slices.Compare(key, lo) > 0 {
				lo = key
			}
		}
	}
	return lo, hi, found
}

// typeBounds is the range of all values of the value's type; NaN, which is below every number, is in no range of numbers.
func typeBounds(f indexField, v raw.Value) (lo, hi []byte) {
	key := appendIndexField(nil, f, v)
	lo, hi = key[:1:1], raw.Successor(key[:1])
	if !v.Numeric() {
		return lo, hi
	}
	nan := appendIndexField(nil, f, raw.Double(math.NaN()))
	if f.descending {
		return lo, nan
	}
	return raw.Successor(nan), hi
}

// implies reports whether every document that fulfils the leaves fulfils the partial filter: each of its conditions is among the
// leaves, or holds for a value that a leaf demands.
func implies(leaves []*query.Filter, partial *query.Filter) bool {
	conditions := partial.Conjuncts()
	if !partial.OnlyConjuncts() {
		return false
	}
	for _, want := range conditions {
		if !slices.ContainsFunc(leaves, func(leaf *query.Filter) bool { return impliesLeaf(leaf, want) }) {
			return false
		}
	}
	return true
}

func impliesLeaf(leaf, want *query.Filter) bool {
	if leaf.Name != want.Name {
		return false
	}
	if leaf.Op == query.Equal && bounded(leaf.Value) {
		return want.Test(leaf.Value)
	}
	if want.Op == query.Exists {
		return leaf.Op == query.Exists || leaf.Op >= query.Less && leaf.Op <= query.GreaterEqual && bounded(leaf.Value)
	}
	return leaf.Op == want.Op && leaf.Op >= query.Equal && leaf.Op <= query.GreaterEqual && raw.Equal(leaf.Value, want.Value)
}
