package mongod

import (
	"math"
	"slices"
)

// accumulator gathers the values of one group.
type accumulator interface {
	add(v value) error
	result() value
	size() int // bytes held
}

func accumulators() []entry[func() accumulator] {
	return slices.Concat([]entry[func() accumulator]{
		{name: "$sum", parse: func() accumulator { return &sumAccumulator{sum: int32Value(0)} }},
		{name: "$avg", parse: func() accumulator { return &avgAccumulator{sumAccumulator: sumAccumulator{sum: int32Value(0)}} }},
		{name: "$min", parse: func() accumulator { return &extremeAccumulator{sign: -1} }},
		{name: "$max", parse: func() accumulator { return &extremeAccumulator{sign: 1} }},
		{name: "$first", parse: func() accumulator { return &firstAccumulator{} }},
		{name: "$last", parse: func() accumulator { return &lastAccumulator{} }},
		{name: "$push", parse: func() accumulator { return &listAccumulator{} }},
		{name: "$addToSet", parse: func() accumulator { return &listAccumulator{seen: newValueSet()} }, note: "the set is in the order in which its values came"},
		{name: "$count", parse: func() accumulator { return &sumAccumulator{sum: int32Value(0)} }},
		{name: "$mergeObjects", parse: func() accumulator { return &mergeAccumulator{doc: emptyDocument()} }},
	}, refusals[func() accumulator]("the accumulator", "$accumulator", "$bottom", "$bottomN", "$concatArrays", "$firstN", "$lastN", "$maxN", "$median", "$minN", "$percentile",
		"$setUnion", "$stdDevPop", "$stdDevSamp", "$top", "$topN"))
}

// sumAccumulator adds Decimal128 values apart, as MongoDB does: the other numbers join them exactly, at the end.
type sumAccumulator struct {
	sum     value
	decimal value
}

// add ignores what is not a number; an int64 overflow goes on as a double.
func (a *sumAccumulator) add(v value) error {
	switch {
	case v.kind == kindDecimal && a.decimal.missing():
		a.decimal = v.clone()
	case v.kind == kindDecimal:
		a.decimal = sumOf(a.decimal, v)
	case v.numeric():
		a.sum = sumOf(a.sum, v)
	}
	return nil
}

func (a *sumAccumulator) result() value {
	if a.decimal.missing() {
		return a.sum
	}
	d, finite := decodeDecimal(a.decimal.data)
	if f := a.sum.float(); !finite || math.IsNaN(f) || math.IsInf(f, 0) {
		return decimalSpecialValue(a.decimal.float() + f)
	}
	return addDecimals(exactDecimal(a.sum), d).value()
}
func (a *sumAccumulator) size() int { return 48 }

type avgAccumulator struct {
	sumAccumulator
	n int64
}

func (a *avgAccumulator) add(v value) error {
	if v.numeric() {
		a.n++
	}
	return a.sumAccumulator.add(v)
}

func (a *avgAccumulator) result() value {
	if a.n == 0 {
		return nullValue()
	}
	return quotient(a.sumAccumulator.result(), int64Value(a.n))
}

type extremeAccumulator struct {
	best value
	sign int
}

func (a *extremeAccumulator) add(v value) error {
	if !isNull(v) && (a.best.missing() || compareValues(v, a.best)*a.sign > 0) {
		a.best = v.clone()
	}
	return nil
}
func (a *extremeAccumulator) result() value { return orNull(a.best) }
func (a *extremeAccumulator) size() int     { return len(a.best.data) }

type firstAccumulator struct {
	first value
	seen  bool
}

func (a *firstAccumulator) add(v value) error {
	if !a.seen {
		a.first, a.seen = v.clone(), true
	}
	return nil
}
func (a *firstAccumulator) result() value { return orNull(a.first) }
func (a *firstAccumulator) size() int     { return len(a.first.data) }

type lastAccumulator struct{ last value }

func (a *lastAccumulator) add(v value) error { a.last = v.clone(); return nil }
func (a *lastAccumulator) result() value     { return orNull(a.last) }
func (a *lastAccumulator) size() int         { return len(a.last.data) }

// listAccumulator is $push and, with a set, $addToSet.
type listAccumulator struct {
	list  []value
	seen  *valueSet
	bytes int
}

func (a *listAccumulator) add(v value) error {
	if v.missing() || a.seen != nil && !a.seen.add(v) {
		return nil
	}
	a.list = append(a.list, v.clone())
	a.bytes += len(v.data) + 40
	return nil
}
func (a *listAccumulator) result() value { return arrayValue(a.list) }
func (a *listAccumulator) size() int     { return a.bytes }

type mergeAccumulator struct{ doc document }

func (a *mergeAccumulator) add(v value) error {
	merged, err := evalMergeObjects("$mergeObjects", []value{documentValue(a.doc), v})
	if err == nil {
		a.doc = merged.document()
	}
	return err
}
func (a *mergeAccumulator) result() value { return documentValue(a.doc) }
func (a *mergeAccumulator) size() int     { return len(a.doc) }

func orNull(v value) value {
	if v.missing() {
		return nullValue()
	}
	return v
}

// clone detaches a value from the memory it was read from.
func (v value) clone() value { return value{kind: v.kind, data: slices.Clone(v.data)} }
