// Package query reads what a client asks for (filters, sorts, projections) and applies it to documents.
//
// It owns how a dotted path leads through documents and arrays, which filters, sorts, indexes and updates share. It knows nothing of
// storage: package store plans with the leaves of a Filter, and checks every document with the whole of it.
//
// It has no regular expressions and computes no fields.
package query

import (
	"slices"

	"kreislauf/internal/backend/mongod/raw"
)

// Op is the operator of a filter.
type Op int

// The operators.
const (
	And Op = iota
	Or
	Not // of its only sub
	Equal
	Less
	LessEqual
	Greater
	GreaterEqual
	In
	Exists
	ElemDocument // $elemMatch with a query: subs[0] is matched with each element
	ElemValue    // $elemMatch with operators: subs[0] is tested on each element
)

// Filter is a parsed query. The leaves carry a path, except inside $elemMatch with operators, where they test the element itself.
type Filter struct {
	Op     Op
	Name   string // dotted path
	Path   []string
	Value  raw.Value
	List   []raw.Value // of In
	Subs   []*Filter
	Source raw.Document // what the whole query was parsed from
}

// Matches reports whether the document fulfils the query.
func (f *Filter) Matches(d raw.Document) bool {
	switch f.Op {
	case And:
		for _, s := range f.Subs {
			if !s.Matches(d) {
				return false
			}
		}
		return true
	case Or:
		for _, s := range f.Subs {
			if s.Matches(d) {
				return true
			}
		}
		return false
	case Not:
		return !f.Subs[0].Matches(d)
	default:
		return walk(d, f.Path, f.expandsArrays(), f.Test)
	}
}

// expandsArrays tells whether the operator also looks at the elements of an array at the end of its path.
func (f *Filter) expandsArrays() bool {
	switch f.Op {
	case Exists, ElemDocument, ElemValue:
		return false
	default:
		return true
	}
}

// Test applies a leaf, or the logic inside $elemMatch and $pull, to one value.
func (f *Filter) Test(v raw.Value) bool {
	switch f.Op {
	case And:
		for _, s := range f.Subs {
			if !s.Test(v) {
				return false
			}
		}
		return true
	case Or:
		for _, s := range f.Subs {
			if s.Test(v) {
				return true
			}
		}
		return false
	case Not:
		return !f.Subs[0].Test(v)
	case Equal, Less, LessEqual, Greater, GreaterEqual:
		return f.testComparison(v)
	case In:
		return f.testIn(v)
	case Exists:
		return !v.Missing()
	case ElemDocument, ElemValue:
		return f.testElements(v)
	default:
		return false
	}
}

func isNull(v raw.Value) bool {
	return v.Kind == raw.KindNull || v.Kind == raw.KindMissing || v.Kind == raw.KindUndefined
}

// IsNullOrMissing is what a query for null finds; the deprecated undefined is not part of it.
func IsNullOrMissing(v raw.Value) bool { return v.Kind == raw.KindNull || v.Kind == raw.KindMissing }

func (f *Filter) testComparison(v raw.Value) bool {
	if isNull(f.Value) {
		return IsNullOrMissing(v) && (f.Op == Equal || f.Op == LessEqual || f.Op == GreaterEqual)
	}
	extreme := f.Value.Kind == raw.KindMinKey || f.Value.Kind == raw.KindMaxKey
	if v.Missing() && !extreme {
		return false
	}
	if v.Rank() != f.Value.Rank() && !extreme {
		return false
	}
	c := raw.Compare(v, f.Value)
	if f.Op != Equal && v.Numeric() && !extreme && IsNaN(v) != IsNaN(f.Value) {
		return false // NaN is not in any range of numbers
	}
	switch f.Op {
	case Equal:
		return c == 0
	case Less:
		return c < 0
	case LessEqual:
		return c <= 0
	case Greater:
		return c > 0
	default:
		return c >= 0
	}
}

// IsNaN reports whether v is the double that is not a number.
func IsNaN(v raw.Value) bool {
	return v.Kind == raw.KindDouble && v.Double() != v.Double()
}

func (f *Filter) testIn(v raw.Value) bool {
	for _, want := range f.List {
		if isNull(want) {
			if IsNullOrMissing(v) {
				return true
			}
		} else if !v.Missing() && v.Rank() == want.Rank() && raw.Compare(v, want) == 0 {
			return true
		}
	}
	return false
}

func (f *Filter) testElements(v raw.Value) bool {
	if v.Kind != raw.KindArray {
		return false
	}
	r := v.Document().Reader()
	for {
		_, el, ok := r.Next()
		if !ok {
			return false
		}
		if f.testElement(el) {
			return true
		}
	}
}

// testElement applies $elemMatch to one element.
func (f *Filter) testElement(el raw.Value) bool {
	if f.Op == ElemValue {
		return f.Subs[0].Test(el)
	}
	return (el.Kind == raw.KindDocument || el.Kind == raw.KindArray) && f.Subs[0].Matches(el.Document())
}

// Conjuncts are the leaves that every match must fulfil.
func (f *Filter) Conjuncts() []*Filter {
	switch {
	case f.Op == And, f.Op == Or && len(f.Subs) == 1:
		var out []*Filter
		for _, s := range f.Subs {
			out = append(out, s.Conjuncts()...)
		}
		return out
	case f.Op == Or, f.Op == Not:
		return nil
	default:
		return []*Filter{f}
	}
}

// OnlyConjuncts reports whether the leaves are all that the filter says.
func (f *Filter) OnlyConjuncts() bool {
	return f.Op != Or && f.Op != Not && (f.Op != And || !slices.ContainsFunc(f.Subs, func(s *Filter) bool { return !s.OnlyConjuncts() }))
}
