package mongod

import (
	"cmp"
	"math"
)

// compareNumbers orders two numeric values by their mathematical value, whatever their types. NaN is below every other number.
func compareNumbers(a, b value) int {
	aInt, aIsInt := a.integer()
	bInt, bIsInt := b.integer()
	switch {
	case aIsInt && bIsInt:
		return cmp.Compare(aInt, bInt)
	case aIsInt:
		return compareIntFloat(aInt, b.double())
	case bIsInt:
		return -compareIntFloat(bInt, a.double())
	default:
		return cmp.Compare(a.double(), b.double())
	}
}

// integer returns the value of an int32 or int64.
func (v value) integer() (int64, bool) {
	switch v.kind {
	case kindInt32:
		return int64(v.int32()), true
	case kindInt64:
		return v.int64(), true
	default:
		return 0, false
	}
}

// wholeNumber returns a number that has no fraction and fits int64.
func (v value) wholeNumber() (int64, bool) {
	if n, ok := v.integer(); ok {
		return n, true
	}
	if v.kind != kindDouble {
		return 0, false
	}
	f := v.double()
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

// addNumbers adds by MongoDB's rules: the wider type of the two is the result's; int32 widens to int64 on overflow. ok is false when
// int64 overflows.
func addNumbers(a, b value) (sum value, ok bool) {
	x, xInt := a.integer()
	y, yInt := b.integer()
	if !xInt || !yInt {
		return doubleValue(a.float() + b.float()), true
	}
	n := x + y
	if y != 0 && (n > x) != (y > 0) {
		return value{}, false
	}
	if a.kind == kindInt32 && b.kind == kindInt32 && n >= math.MinInt32 && n <= math.MaxInt32 {
		return int32Value(int32(n)), true
	}
	return int64Value(n), true
}

// float returns a number as the nearest double.
func (v value) float() float64 {
	if n, ok := v.integer(); ok {
		return float64(n)
	}
	return v.double()
}
