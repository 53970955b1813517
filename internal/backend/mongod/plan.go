package mongod

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

const maxRanges = 1000

// keyRange is lo <= key < hi; a nil hi is open.
type keyRange struct{ lo, hi []byte }

// plan says which keys to read and in which direction. A nil index means the documents themselves, by _id.
// Every document it yields is still checked with the whole filter, unless the bounds say it all.
type plan struct {
	index   *index
	byID    bool // without an index: by a condition on _id or in the order of _id, not a scan of the collection
	ranges  []keyRange
	reverse bool
	sorted  bool // yields in the order that the query asks for
	exact   bool // every key of the ranges is a match
	score   int
}

// indexName returns the name that explain and the log give, "" for a scan of the collection.
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

// selection is what a query asks for: which documents, in which order, by which index.
type selection struct {
	filter *filter
	order  []sortField
	hint   hint
}

// hint names an index by its name or key, or asks for the order of the collection (natural 1 or -1).
type hint struct {
	name    string
	key     document
	natural int
}

func parseHint(v value) (hint, error) {
	switch v.kind {
	case kindMissing, kindNull:
		return hint{}, nil
	case kindString:
		return hint{name: v.text()}, nil
	case kindDocument:
		d := v.document()
		if d.firstName() != "$natural" {
			return hint{key: d}, nil
		}
		n, whole := d.get("$natural").wholeNumber()
		if !whole || n != 1 && n != -1 {
			return hint{}, failure(codeBadValue, "$natural hint must be 1 or -1")
		}
		return hint{natural: int(n)}, nil
	default:
		return hint{}, failure(codeFailedToParse, "Hint must be a string or an object")
	}
}

func (h hint) given() bool { return h.name != "" || !h.key.empty() || h.natural != 0 }

// names reports whether the hint means the index with that name and key.
func (h hint) names(name string, key document) bool {
	if h.name != "" {
		return h.name == name
	}
	return compareDocuments(h.key, key, true) == 0
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
func choosePlan(coll *collection, sel selection) (plan, error) {
	leaves := sel.filter.conjuncts(nil)
	if sel.hint.given() {
		return hintedPlan(coll, sel, leaves)
	}
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
		return collectionScan(leaves, sel), nil
	}
	return best, nil
}

func collectionScan(leaves []*filter, sel selection) plan {
	return plan{ranges: []keyRange{{}}, exact: len(leaves) == 0 && sel.filter.onlyConjuncts(), reverse: sel.hint.natural < 0}
}

func hintedPlan(coll *collection, sel selection, leaves []*filter) (plan, error) {
	if sel.hint.natural != 0 {
		return collectionScan(leaves, sel), nil
	}
	if sel.hint.names(idIndexName, idIndexSpec().get("key").document()) {
		return boundsOf(nil, leaves, sel), nil
	}
	for _, ix := range coll.indexes {
		if sel.hint.names(ix.name, ix.key) {
			return boundsOf(ix, leaves, sel), nil
		}
	}
	err := failure(codeBadValue, "error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index")
	err.whole = true
	return plan{}, err
}

// boundsOf turns the leaves into key ranges over the fields of an index, or over _id. Scores: 20 for an equality, 15 for $in, 10 for
// a range, 5 for the order.
func boundsOf(ix *index, leaves []*filter, sel selection) plan {
	fields, multikey := []indexField{{name: "_id", path: []string{"_id"}}}, false
	if ix != nil {
		fields, multikey = ix.fields, ix.multikey
	}
	p := plan{index: ix, byID: ix == nil}
	prefixes := [][]byte{nil}
	used, constant, consumed := 0, 0, 0
	for _, f := range fields {
		points, leaf := equalityPoints(f, leaves, ix)
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
		if leaf.op == opIn {
			p.score -= 5
		}
		if !isNull(leaf.value) {
			consumed++
		}
	}
	if used < len(fields) {
		for _, r := range regexRanges(fields[used], leaves) {
			for _, prefix := range prefixes {
				p.ranges = append(p.ranges, keyRange{join(prefix, r.lo), orSuccessor(prefix, r.hi)})
			}
		}
		if p.ranges != nil {
			p.score += 10
		} else if lo, hi, n := rangeBounds(fields[used], multikey, leaves); n > 0 {
			p.score += 10
			consumed += n
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
	if len(sel.order) > 0 && !multikey {
		if p.sorted, p.reverse = followsOrder(fields, constant, sel.order); p.sorted {
			p.score += 5
		}
	}
	p.exact = consumed == len(leaves) && sel.filter.onlyConjuncts() && !multikey && (ix == nil || ix.partial == nil || consumed > 0) && (ix == nil || !ix.sparse || consumed > 0)
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

// bounded reports whether index keys can stand for the value: arrays are stored by element, and null also means missing.
func bounded(v value) bool {
	switch v.kind {
	case kindMissing, kindNull, kindUndefined, kindArray, kindRegex, kindMinKey, kindMaxKey:
		return false
	default:
		return !isNaN(v)
	}
}

// pointsOf returns the keys under which a document that equals the value can be in the index. A sparse index lacks the documents
// that null means too.
func pointsOf(f indexField, v value, ix *index) [][]byte {
	if isNullOrMissing(v) && (ix == nil || !ix.sparse) {
		null, _ := appendIndexField(nil, f, nullValue())
		return [][]byte{null}
	}
	key, err := appendIndexField(nil, f, v)
	if err != nil || !bounded(v) {
		return nil
	}
	return [][]byte{key}
}

// equalityPoints returns the encodings that the field must have, from the $eq or $in that it returns too.
func equalityPoints(f indexField, leaves []*filter, ix *index) (points [][]byte, from *filter) {
	for _, leaf := range leaves {
		if leaf.name == f.name && leaf.op == opEqual {
			if points = pointsOf(f, leaf.value, ix); points != nil {
				return points, leaf
			}
		}
	}
	for _, leaf := range leaves {
		if leaf.name != f.name || leaf.op != opIn || len(leaf.regexs) > 0 || len(leaf.list) == 0 {
			continue
		}
		for _, v := range leaf.list {
			of := pointsOf(f, v, ix)
			if of == nil {
				return nil, nil
			}
			points = append(points, of...)
		}
		return points, leaf
	}
	return nil, nil
}

// regexRanges returns the ranges in which a regular expression with a literal beginning can match: strings that begin so, and the
// expression itself as a value.
func regexRanges(f indexField, leaves []*filter) []keyRange {
	for _, leaf := range leaves {
		if leaf.name != f.name || leaf.op != opRegex || leaf.prefix == "" {
			continue
		}
		text, err := appendIndexField(nil, f, stringValue(leaf.prefix))
		if err != nil {
			return nil
		}
		text = text[:len(text)-2] // without the end of the string
		ranges := []keyRange{{text, successor(text)}}
		if leaf.value.kind == kindRegex {
			if own, err := appendIndexField(nil, f, leaf.value); err == nil {
				ranges = append(ranges, keyRange{own, successor(own)})
			}
		}
		return ranges
	}
	return nil
}

// literalPrefix returns the characters with which every match of the pattern begins.
func literalPrefix(pattern, options string) string {
	rest, anchored := strings.CutPrefix(pattern, "^")
	if !anchored || strings.ContainsAny(options, "imx") || strings.Contains(pattern, "|") {
		return ""
	}
	end := strings.IndexAny(rest, `\.[]()*+?{}$^`)
	if end < 0 {
		return rest
	}
	if strings.IndexByte("*?{", rest[end]) >= 0 && end > 0 {
		_, size := utf8.DecodeLastRuneInString(rest[:end])
		end -= size
	}
	return rest[:end]
}

// rangeBounds returns the bounds that $gt, $gte, $lt and $lte set, within the type of their value, and how many of them it used.
// With arrays in the index two bounds may be met by two elements, so only one of them counts.
func rangeBounds(f indexField, multikey bool, leaves []*filter) (lo, hi []byte, used int) {
	for _, leaf := range leaves {
		if leaf.name != f.name || leaf.op < opLess || leaf.op > opGreaterEqual || !bounded(leaf.value) {
			continue
		}
		key, err := appendIndexField(nil, f, leaf.value)
		if err != nil {
			continue
		}
		if used == 0 {
			lo, hi = typeBounds(f, leaf.value)
		} else if multikey || lo[0] != key[0] {
			continue
		}
		used++
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
	return lo, hi, used
}

// typeBounds is the range of all values of the value's type; NaN, which is below every number, is in no range of numbers.
func typeBounds(f indexField, v value) (lo, hi []byte) {
	key, _ := appendIndexField(nil, f, v)
	lo, hi = key[:1:1], successor(key[:1])
	if v.rank() != rankNumber {
		return lo, hi
	}
	nan, _ := appendIndexField(nil, f, doubleValue(math.NaN()))
	if f.descending {
		return lo, nan
	}
	return successor(nan), hi
}

// implies reports whether every document that fulfils the leaves fulfils the partial filter: each of its conditions is among the
// leaves, or holds for a value that a leaf demands.
func implies(leaves []*filter, partial *filter) bool {
	conditions := partial.conjuncts(nil)
	if !partial.onlyConjuncts() {
		return false
	}
	for _, want := range conditions {
		if !slices.ContainsFunc(leaves, func(leaf *filter) bool { return impliesLeaf(leaf, want) }) {
			return false
		}
	}
	return true
}

// onlyConjuncts reports whether the leaves are all that the filter says.
func (f *filter) onlyConjuncts() bool {
	return f.op != opOr && f.op != opNot && (f.op != opAnd || !slices.ContainsFunc(f.subs, func(s *filter) bool { return !s.onlyConjuncts() }))
}

func impliesLeaf(leaf, want *filter) bool {
	if leaf.name != want.name {
		return false
	}
	if leaf.op == opEqual && bounded(leaf.value) {
		return want.test(leaf.value)
	}
	if want.op == opExists {
		return leaf.op == opExists || leaf.op == opRegex || leaf.op >= opLess && leaf.op <= opGreaterEqual && bounded(leaf.value)
	}
	return leaf.op == want.op && leaf.op >= opEqual && leaf.op <= opGreaterEqual && equalValues(leaf.value, want.value)
}
