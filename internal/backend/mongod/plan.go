package mongod

import "slices"

const maxRanges = 1000

// keyRange is lo <= key < hi; a nil hi is open.
type keyRange struct{ lo, hi []byte }

// plan says which keys to read and in which direction. A nil index means the documents themselves, by _id.
// Every document it yields is still checked with the whole filter.
type plan struct {
	index   *index
	ranges  []keyRange
	reverse bool
	sorted  bool // yields in the order that the query asks for
	score   int
}

// conjuncts flattens the leaves that every match must fulfil.
func (f *filter) conjuncts(out []*filter) []*filter {
	if f.op == opAnd {
		for _, s := range f.subs {
			out = s.conjuncts(out)
		}
		return out
	}
	if f.op == opOr && len(f.subs) == 1 {
		return f.subs[0].conjuncts(out)
	}
	if f.op == opOr || f.op == opNot {
		return out
	}
	return append(out, f)
}

// choosePlan picks the index with the longest run of equalities, then ranges, then the one that gives the sort order.
func choosePlan(coll *collection, f *filter, order []sortField) plan {
	leaves := f.conjuncts(nil)
	idFields := []indexField{{name: "_id", path: []string{"_id"}}}
	best := boundsOf(idFields, false, leaves, order)
	if best.score >= 15 {
		best.score += 50 // points by _id need no second lookup
	}
	for _, ix := range coll.indexes {
		if ix.partial != nil && !implies(leaves, ix.partial) {
			continue
		}
		p := boundsOf(ix.fields, ix.multikey, leaves, order)
		p.index = ix
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

// boundsOf turns the leaves into key ranges over the fields. Scores: 20 for an equality, 15 for $in, 10 for a range, 5 for the order.
func boundsOf(fields []indexField, multikey bool, leaves []*filter, order []sortField) plan {
	prefixes := [][]byte{nil}
	p := plan{}
	used := 0
	for _, f := range fields {
		points, isIn := equalityPoints(f, leaves)
		if len(points) == 0 || len(prefixes)*len(points) > maxRanges {
			break
		}
		var next [][]byte
		for _, prefix := range prefixes {
			for _, point := range points {
				next = append(next, append(append([]byte(nil), prefix...), point...))
			}
		}
		prefixes = next
		used++
		p.score += 20
		if isIn {
			p.score -= 5
		}
	}
	if used < len(fields) {
		if lo, hi, ok := rangeBounds(fields[used], multikey, leaves); ok {
			p.score += 10
			for _, prefix := range prefixes {
				p.ranges = append(p.ranges, keyRange{join(prefix, lo), orSuccessor(prefix, hi)})
			}
		}
	}
	if p.ranges == nil {
		for _, prefix := range prefixes {
			p.ranges = append(p.ranges, keyRange{prefix, successor(prefix)})
		}
	}
	slices.SortFunc(p.ranges, func(a, b keyRange) int { return slices.Compare(a.lo, b.lo) })
	p.ranges = slices.CompactFunc(p.ranges, func(a, b keyRange) bool { return string(a.lo) == string(b.lo) })
	if len(order) > 0 && len(p.ranges) == 1 && !multikey {
		p.sorted, p.reverse = followsOrder(fields, used, order)
		if p.sorted {
			p.score += 5
		}
	}
	return p
}

func join(prefix, rest []byte) []byte { return append(append([]byte(nil), prefix...), rest...) }

// orSuccessor joins an upper bound to its prefix; without one the range ends with the prefix.
func orSuccessor(prefix, hi []byte) []byte {
	if hi == nil {
		return successor(prefix)
	}
	return join(prefix, hi)
}

// followsOrder reports whether reading the fields behind the first used ones gives the order, and whether backwards.
// The used fields are constant in the range, so the order may name them anywhere.
func followsOrder(fields []indexField, used int, order []sortField) (sorted, reverse bool) {
	next := used
	for _, s := range order {
		if slices.ContainsFunc(fields[:used], func(f indexField) bool { return f.name == s.name }) {
			continue
		}
		if next >= len(fields) || fields[next].name != s.name {
			return false, false
		}
		backwards := fields[next].descending != s.descending
		if next > used && backwards != reverse {
			return false, false
		}
		reverse = backwards
		next++
	}
	return true, reverse
}

// bounded reports whether index keys can stand for the value: null also means missing, arrays are stored by element.
func bounded(v value) bool {
	switch v.kind {
	case kindMissing, kindNull, kindUndefined, kindArray, kindRegex, kindMinKey, kindMaxKey:
		return false
	default:
		return !isNaN(v)
	}
}

// equalityPoints returns the encodings that the field must have, from $eq or $in.
func equalityPoints(f indexField, leaves []*filter) (points [][]byte, isIn bool) {
	for _, leaf := range leaves {
		if leaf.name == f.name && leaf.op == opEqual && bounded(leaf.value) {
			if key, err := appendIndexField(nil, f, leaf.value); err == nil {
				return [][]byte{key}, false
			}
		}
	}
	for _, leaf := range leaves {
		if leaf.name != f.name || leaf.op != opIn || len(leaf.regexs) > 0 || len(leaf.list) == 0 {
			continue
		}
		for _, v := range leaf.list {
			key, err := appendIndexField(nil, f, v)
			if err != nil || !bounded(v) {
				return nil, false
			}
			points = append(points, key)
		}
		return points, true
	}
	return nil, false
}

// rangeBounds returns the bounds that $gt, $gte, $lt and $lte set, within the type of their value. With arrays in the index
// two bounds may be met by two elements, so only one of them counts.
func rangeBounds(f indexField, multikey bool, leaves []*filter) (lo, hi []byte, ok bool) {
	for _, leaf := range leaves {
		if leaf.name != f.name || leaf.op < opLess || leaf.op > opGreaterEqual || !bounded(leaf.value) {
			continue
		}
		key, err := appendIndexField(nil, f, leaf.value)
		if err != nil {
			continue
		}
		if !ok {
			lo, hi = key[:1:1], successor(key[:1])
			ok = true
		} else if multikey || lo[0] != key[0] {
			continue
		}
		upper := leaf.op == opLess || leaf.op == opLessEqual
		inclusive := leaf.op == opLessEqual || leaf.op == opGreaterEqual
		if upper != f.descending { // the bound is the end of the range
			if inclusive {
				key = successor(key)
			}
			if slices.Compare(key, hi) < 0 {
				hi = key
			}
		} else {
			if !inclusive {
				key = successor(key)
			}
			if slices.Compare(key, lo) > 0 {
				lo = key
			}
		}
	}
	return lo, hi, ok
}

// implies reports whether every document that fulfils the leaves fulfils the partial filter: each of its conditions is among the
// leaves, or holds for a value that a leaf demands.
func implies(leaves []*filter, partial *filter) bool {
	conditions := partial.conjuncts(nil)
	if !onlyConjuncts(partial) {
		return false
	}
	for _, want := range conditions {
		if !slices.ContainsFunc(leaves, func(leaf *filter) bool { return impliesLeaf(leaf, want) }) {
			return false
		}
	}
	return true
}

func onlyConjuncts(f *filter) bool {
	return f.op != opOr && f.op != opNot && (f.op != opAnd || !slices.ContainsFunc(f.subs, func(s *filter) bool { return !onlyConjuncts(s) }))
}

func impliesLeaf(leaf, want *filter) bool {
	if leaf.name != want.name {
		return false
	}
	if leaf.op == opEqual && bounded(leaf.value) {
		return want.test(leaf.value)
	}
	if want.op == opExists {
		return leaf.op == opExists || leaf.op >= opLess && leaf.op <= opGreaterEqual && bounded(leaf.value)
	}
	return leaf.op == want.op && leaf.op >= opEqual && leaf.op <= opGreaterEqual && equalValues(leaf.value, want.value)
}
