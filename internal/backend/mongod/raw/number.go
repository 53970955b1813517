package raw

import (
	"cmp"
	"math"
)

// CompareNumbers orders two numeric values by their mathematical value, whatever their types. NaN is below every other number.
func CompareNumbers(a, b Value) int {
	aInt, aIsInt := a.integer()
	bInt, bIsInt := b.integer()
	switch {
	case aIsInt && bIsInt:
		return cmp.Compare(aInt, bInt)
	case aIsInt:
		return compareIntFloat(aInt, b.Double())
	case bIsInt:
		return -compareIntFloat(bInt, a.Double())
	default:
		return cmp.Compare(a.Double(), b.Double())
	}
}

// integer returns the value of an int32 or int64.
func (v Value) integer() (int64, bool) {
	switch v.Kind {
	case KindInt32:
		return int64(v.Int32()), true
	case KindInt64:
		return v.Int64(), true
	default:
		return 0, false
	}
}

// WholeNumber returns a number that has no fraction and fits int64.
func (v Value) WholeNumber() (int64, bool) {
	if n, ok := v.integer(); ok {
		return n, true
	}
	if v.Kind != KindDouble {
		return 0, false
	}
	f := v.Double()
	if f == math.Trunc(f) && f >= -(1<<63) && f < 1<<63 {
		return int64(f), true
	}
	return 0, false
}

func compareIntFloat(n int64, f float64) int {
	switch {
	case math.IsNaN(f):
		return 1
	case f >= 1<<63:
		return -1
	case f < -(1 << 63):
		return 1
	}
	whole := int64(f)
	if c := cmp.Compare(n, whole); c != 0 {
		return c
	}
	return cmp.Compare(0, f-float64(whole))
}

// Add adds by MongoDB's rules: the wider type of the two is the result's; int32 widens to int64 on overflow. ok is false when
// int64 overflows.
func Add(a, b Value) (sum Value, ok bool) {
	x, xInt := a.integer()
	y, yInt := b.integer()
	if !xInt || !yInt {
		return Double(a.Float() + b.Float()), true
	}
	n := x + y
	if y != 0 && (n > x) != (y > 0) {
		return Value{}, false
	}
	if a.Kind == KindInt32 && b.Kind == KindInt32 && n >= math.MinInt32 && n <= math.MaxInt32 {
		return Int32(int32(n)), true
	}
	return Int64(n), true
}

// Float returns a number as the nearest double.
func (v Value) Float() float64 {
	if n, ok := v.integer(); ok {
		return float64(n)
	}
	return v.Double()
}
