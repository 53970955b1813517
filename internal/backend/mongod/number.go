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

// decimalRat decodes a finite Decimal128 (binary integer decimal encoding); special is true for infinities and NaN.
func decimalRat(data []byte) (r *big.Rat, special bool) {
	low, high := binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[8:])
	if high>>59&0xf == 0xf {
		return nil, true
	}
	exponent := int(high >> 49 & 0x3fff)
	coefficient := new(big.Int).SetUint64(high & (1<<49 - 1))
	if high>>61&3 == 3 { // the large form cannot hold a valid coefficient: it means zero
		exponent = int(high >> 47 & 0x3fff)
		coefficient.SetInt64(0)
		low = 0
	}
	coefficient.Lsh(coefficient, 64).Or(coefficient, new(big.Int).SetUint64(low))
	if coefficient.Cmp(new(big.Int).Exp(big.NewInt(10), big.NewInt(34), nil)) >= 0 {
		coefficient.SetInt64(0)
	}
	if high>>63 == 1 {
		coefficient.Neg(coefficient)
	}
	exponent -= 6176
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exponent, -exponent))), nil)
	if exponent >= 0 {
		return new(big.Rat).SetInt(coefficient.Mul(coefficient, power)), false
	}
	return new(big.Rat).SetFrac(coefficient, power), false
}

// addNumbers and multiplyNumbers follow MongoDB: int32 widens to int64 on overflow, an int64 overflow fails, a double makes a double.
// Decimal128 arithmetic is not supported; ok is false then.
func addNumbers(a, b value) (sum value, ok bool) {
	return arithmetic(a, b, func(x, y float64) float64 { return x + y }, func(x, y int64) (int64, bool) {
		s := x + y
		return s, (s > x) == (y > 0)
	})
}

func multiplyNumbers(a, b value) (product value, ok bool) {
	return arithmetic(a, b, func(x, y float64) float64 { return x * y }, func(x, y int64) (int64, bool) {
		if x == 0 || y == 0 {
			return 0, true
		}
		p := x * y
		return p, p/y == x && !(x == -1 && y == math.MinInt64) && !(y == -1 && x == math.MinInt64)
	})
}

func arithmetic(a, b value, floats func(x, y float64) float64, ints func(x, y int64) (int64, bool)) (value, bool) {
	if a.kind == kindDecimal || b.kind == kindDecimal {
		return value{}, false
	}
	x, xInt := a.integer()
	y, yInt := b.integer()
	if !xInt || !yInt {
		return doubleValue(floats(a.float(), b.float())), true
	}
	n, ok := ints(x, y)
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
