package mongod

import "regexp"

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
	opRegex
	opExists
	opSize
	opType
	opElemDocument // $elemMatch with a query: subs[0] is matched with each element
	opElemValue    // $elemMatch with operators: subs[0] is tested on each element
	opMod
	opExpr // an expression over the whole document
)

// filter is a parsed query. The leaves carry a path, except inside $elemMatch with operators, where they test the element itself.
type filter struct {
	op       filterOp
	name     string // dotted path
	path     []string
	value    value
	list     []value // opIn, opType (as int32 kinds)
	regexp   *regexp.Regexp
	prefix   string    // opRegex: with what every match begins
	regexs   []*filter // regular expressions inside opIn
	size     int64     // opSize; opMod: the divisor
	rest     int64     // opMod
	expr     expression
	subs     []*filter
	computes bool     // there is an opExpr in it
	source   document // what the whole query was parsed from
}

// accepts is matches for a whole query, which may fail in an expression of its own.
func (f *filter) accepts(d document) (bool, error) {
	if !f.computes {
		return f.matches(d), nil
	}
	switch f.op {
	case opExpr:
		v, err := f.expr(newScope(d))
		return err == nil && v.truthy(), err
	case opNot:
		ok, err := f.subs[0].accepts(d)
		return !ok && err == nil, err
	default: // opAnd, opOr
		for _, s := range f.subs {
			if ok, err := s.accepts(d); err != nil || ok == (f.op == opOr) {
				return ok, err
			}
		}
		return f.op == opAnd, nil
	}
}

// matches reports whether the document fulfils the query; an expression that fails is not fulfilled.
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
	case opExpr:
		v, err := f.expr(newScope(d))
		return err == nil && v.truthy()
	default:
		return walk(d, f.path, f.expandsArrays(), f.test)
	}
}

// expandsArrays tells whether the operator also looks at the elements of an array at the end of its path.
func (f *filter) expandsArrays() bool {
	switch f.op {
	case opExists, opSize, opElemDocument, opElemValue:
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
	case opRegex:
		return f.testRegex(v)
	case opExists:
		return !v.missing()
	case opSize:
		return v.kind == kindArray && int64(len(v.elements())) == f.size
	case opType:
		return f.testType(v)
	case opMod:
		return f.testMod(v)
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
	switch v.kind {
	case kindDouble:
		f := v.double()
		return f != f
	case kindDecimal:
		r, f := exactNumber(v)
		return r == nil && f != f
	default:
		return false
	}
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
	for _, re := range f.regexs {
		if re.testRegex(v) {
			return true
		}
	}
	return false
}

func (f *filter) testRegex(v value) bool {
	switch v.kind {
	case kindString, kindSymbol:
		return f.regexp.Match(v.data[4 : len(v.data)-1])
	case kindRegex:
		return equalValues(v, f.value)
	default:
		return false
	}
}

func (f *filter) testType(v value) bool {
	if v.missing() {
		return false
	}
	for _, want := range f.list {
		if byte(want.int32()) == v.kind || (want.int32() == typeNumber && v.numeric()) {
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

func (f *filter) testMod(v value) bool {
	if !v.numeric() {
		return false
	}
	n, whole := v.wholeNumber()
	if !whole {
		x := v.float()
		if !(x > -(1<<63) && x < 1<<63) { // NaN too
			return false
		}
		n = int64(x)
	}
	if f.size == -1 {
		return f.rest == 0
	}
	return n%f.size == f.rest
}
