package mongod

import "slices"

type filterOp int

const (
	opAnd filterOp = iota
	opOr
	opNot // of its only sub
	opEqual
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opIn
	opExists
	opElemDocument // $elemMatch with a query: subs[0] is matched with each element
	opElemValue    // $elemMatch with operators: subs[0] is tested on each element
)

// filter is a parsed query. The leaves carry a path, except inside $elemMatch with operators, where they test the element itself.
type filter struct {
	op     filterOp
	name   string // dotted path
	path   []string
	value  value
	list   []value // opIn
	subs   []*filter
	source document // what the whole query was parsed from
}

// matches reports whether the document fulfils the query.
func (f *filter) matches(d document) bool {
	switch f.op {
	case opAnd:
		for _, s := range f.subs {
			if !s.matches(d) {
				return false
			}
		}
		return true
	case opOr:
		for _, s := range f.subs {
			if s.matches(d) {
				return true
			}
		}
		return false
	case opNot:
		return !f.subs[0].matches(d)
	default:
		return walk(d, f.path, f.expandsArrays(), f.test)
	}
}

// expandsArrays tells whether the operator also looks at the elements of an array at the end of its path.
func (f *filter) expandsArrays() bool {
	switch f.op {
	case opExists, opElemDocument, opElemValue:
		return false
	default:
		return true
	}
}

// test applies a leaf, or the logic inside $elemMatch and $pull, to one value.
func (f *filter) test(v value) bool {
	switch f.op {
	case opAnd:
		for _, s := range f.subs {
			if !s.test(v) {
				return false
			}
		}
		return true
	case opOr:
		for _, s := range f.subs {
			if s.test(v) {
				return true
			}
		}
		return false
	case opNot:
		return !f.subs[0].test(v)
	case opEqual, opLess, opLessEqual, opGreater, opGreaterEqual:
		return f.testComparison(v)
	case opIn:
		return f.testIn(v)
	case opExists:
		return !v.missing()
	case opElemDocument, opElemValue:
		return f.testElements(v)
	default:
		return false
	}
}

func isNull(v value) bool {
	return v.kind == kindNull || v.kind == kindMissing || v.kind == kindUndefined
}

// isNullOrMissing is what a query for null finds; the deprecated undefined is not part of it.
func isNullOrMissing(v value) bool { return v.kind == kindNull || v.kind == kindMissing }

func (f *filter) testComparison(v value) bool {
	if isNull(f.value) {
		return isNullOrMissing(v) && (f.op == opEqual || f.op == opLessEqual || f.op == opGreaterEqual)
	}
	extreme := f.value.kind == kindMinKey || f.value.kind == kindMaxKey
	if v.missing() && !extreme {
		return false
	}
	if v.rank() != f.value.rank() && !extreme {
		return false
	}
	c := compareValues(v, f.value)
	if f.op != opEqual && v.rank() == rankNumber && !extreme && isNaN(v) != isNaN(f.value) {
		return false // NaN is not in any range of numbers
	}
	switch f.op {
	case opEqual:
		return c == 0
	case opLess:
		return c < 0
	case opLessEqual:
		return c <= 0
	case opGreater:
		return c > 0
	default:
		return c >= 0
	}
}

func isNaN(v value) bool {
	return v.kind == kindDouble && v.double() != v.double()
}

func (f *filter) testIn(v value) bool {
	for _, want := range f.list {
		if isNull(want) {
			if isNullOrMissing(v) {
				return true
			}
		} else if !v.missing() && v.rank() == want.rank() && compareValues(v, want) == 0 {
			return true
		}
	}
	return false
}

func (f *filter) testElements(v value) bool {
	if v.kind != kindArray {
		return false
	}
	r := v.document().reader()
	for {
		_, el, ok := r.next()
		if !ok {
			return false
		}
		if f.testElement(el) {
			return true
		}
	}
}

// testElement applies $elemMatch to one element.
func (f *filter) testElement(el value) bool {
	if f.op == opElemValue {
		return f.subs[0].test(el)
	}
	return (el.kind == kindDocument || el.kind == kindArray) && f.subs[0].matches(el.document())
}

// conjuncts are the leaves that every match must fulfil.
func (f *filter) conjuncts() []*filter {
	switch {
	case f.op == opAnd, f.op == opOr && len(f.subs) == 1:
		var out []*filter
		for _, s := range f.subs {
			out = append(out, s.conjuncts()...)
		}
		return out
	case f.op == opOr, f.op == opNot:
		return nil
	default:
		return []*filter{f}
	}
}

// onlyConjuncts reports whether the leaves are all that the filter says.
func (f *filter) onlyConjuncts() bool {
	return f.op != opOr && f.op != opNot && (f.op != opAnd || !slices.ContainsFunc(f.subs, func(s *filter) bool { return !s.onlyConjuncts() }))
}
