package mongod

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/big"
)

// compareNumbers orders two numeric values by their mathematical value, whatever their types. NaN is below every other number.
func compareNumbers(a, b value) int {
	if a.kind == kindDecimal || b.kind == kindDecimal {
		return compareDecimals(a, b)
	}
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
	switch v.kind {
	case kindDouble:
		f := v.double()
		if f == math.Trunc(f) && f >= -(1<<63) && f < 1<<63 {
			return int64(f), true
		}
	case kindDecimal:
		if r, special := decimalRat(v.data); !special && r.IsInt() && r.Num().IsInt64() {
			return r.Num().Int64(), true
		}
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

// compareDecimals compares when at least one side is a Decimal128.
func compareDecimals(a, b value) int {
	ra, fa := exactNumber(a)
	rb, fb := exactNumber(b)
	if ra != nil && rb != nil {
		return ra.Cmp(rb)
	}
	if ra != nil {
		fa = 0 // any finite number: the other side is infinite or NaN
	}
	if rb != nil {
		fb = 0
	}
	return cmp.Compare(fa, fb)
}

// exactNumber returns a finite number as a rational, or nil and the infinity or NaN.
func exactNumber(v value) (*big.Rat, float64) {
	if n, ok := v.integer(); ok {
		return new(big.Rat).SetInt64(n), 0
	}
	if v.kind == kindDouble {
		f := v.double()
		return new(big.Rat).SetFloat64(f), f
	}
	if r, special := decimalRat(v.data); !special {
		return r, 0
	}
	return nil, decimalSpecial(v.data)
}

// decimalSpecial returns the infinity or NaN that a Decimal128 holds.
func decimalSpecial(data []byte) float64 {
	high := binary.LittleEndian.Uint64(data[8:])
	if high>>58&0x1f == 0x1f {
		return math.NaN()
	}
	if high>>63 == 1 {
		return math.Inf(-1)
	}
	return math.Inf(1)
}

// decimalRat returns a finite Decimal128 as a rational; special is true for infinities and NaN.
func decimalRat(data []byte) (r *big.Rat, special bool) {
	d, ok := decodeDecimal(data)
	if !ok {
		return nil, true
	}
	if d.exp >= 0 {
		return new(big.Rat).SetInt(d.scaled(0)), false
	}
	return new(big.Rat).SetFrac(d.coef, powerOfTen(-d.exp)), false
}

// operation is one arithmetic operation on each kind of number. MongoDB's rules: the widest type of the two is the result's; int32
// widens to int64 on overflow. ints returns false on an overflow of int64.
type operation struct {
	floats   func(x, y float64) float64
	ints     func(x, y int64) (int64, bool)
	decimals func(x, y decimal) decimal
}

func addition() operation {
	return operation{
		floats: func(x, y float64) float64 { return x + y },
		ints: func(x, y int64) (int64, bool) {
			s := x + y
			return s, y == 0 || (s > x) == (y > 0)
		},
		decimals: addDecimals,
	}
}

func subtraction() operation {
	return operation{
		floats: func(x, y float64) float64 { return x - y },
		ints: func(x, y int64) (int64, bool) {
			d := x - y
			return d, y == 0 || (d < x) == (y > 0)
		},
		decimals: func(x, y decimal) decimal { return addDecimals(x, decimal{new(big.Int).Neg(y.coef), y.exp}) },
	}
}

func multiplication() operation {
	return operation{
		floats: func(x, y float64) float64 { return x * y },
		ints: func(x, y int64) (int64, bool) {
			if x == 0 || y == 0 {
				return 0, true
			}
			p := x * y
			return p, p/y == x && !(x == -1 && y == math.MinInt64) && !(y == -1 && x == math.MinInt64)
		},
		decimals: multiplyDecimals,
	}
}

// apply computes a result; ok is false when int64 overflows.
func (op operation) apply(a, b value) (result value, ok bool) {
	if a.kind == kindDecimal || b.kind == kindDecimal {
		x, xFinite := decimalOf(a)
		y, yFinite := decimalOf(b)
		if !xFinite || !yFinite {
			return decimalSpecialValue(op.floats(a.float(), b.float())), true
		}
		return op.decimals(x, y).value(), true
	}
	x, xInt := a.integer()
	y, yInt := b.integer()
	if !xInt || !yInt {
		return doubleValue(op.floats(a.float(), b.float())), true
	}
	n, ok := op.ints(x, y)
	if !ok {
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
	if v.kind == kindDouble {
		return v.double()
	}
	if r, special := decimalRat(v.data); !special {
		f, _ := r.Float64()
		return f
	}
	return decimalSpecial(v.data)
}
