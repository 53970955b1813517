package mongod

import (
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Limits of Decimal128.
const (
	decimalDigits  = 34
	decimalMinExp  = -6176
	decimalMaxExp  = 6111
	doubleDigits   = 15 // significant digits that a double keeps when it becomes a Decimal128
	decimalInfHigh = 0x78 << 56
	decimalNaNHigh = 0x7c << 56
)

// decimal is a finite Decimal128: coefficient * 10^exponent.
type decimal struct {
	coef *big.Int
	exp  int
}

func powerOfTen(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// decimalOf converts a number; ok is false for infinities and NaN.
func decimalOf(v value) (d decimal, ok bool) {
	if n, whole := v.integer(); whole {
		return decimal{big.NewInt(n), 0}, true
	}
	if v.kind == kindDouble {
		f := v.double()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return decimal{}, false
		}
		mantissa, exp, _ := strings.Cut(strconv.FormatFloat(f, 'e', doubleDigits-1, 64), "e")
		coef, _ := new(big.Int).SetString(strings.Replace(mantissa, ".", "", 1), 10)
		e, _ := strconv.Atoi(exp)
		if coef.Sign() == 0 {
			return decimal{coef, 0}, true
		}
		return decimal{coef, e - doubleDigits + 1}, true
	}
	return decodeDecimal(v.data)
}

// decodeDecimal decodes a Decimal128 (binary integer decimal encoding).
func decodeDecimal(data []byte) (decimal, bool) {
	low, high := binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[8:])
	if high>>59&0xf == 0xf {
		return decimal{}, false
	}
	exponent := int(high >> 49 & 0x3fff)
	coefficient := new(big.Int).SetUint64(high & (1<<49 - 1))
	if high>>61&3 == 3 { // the large form cannot hold a valid coefficient: it means zero
		exponent = int(high >> 47 & 0x3fff)
		coefficient.SetInt64(0)
		low = 0
	}
	coefficient.Lsh(coefficient, 64).Or(coefficient, new(big.Int).SetUint64(low))
	if coefficient.Cmp(powerOfTen(decimalDigits)) >= 0 {
		coefficient.SetInt64(0)
	}
	if high>>63 == 1 {
		coefficient.Neg(coefficient)
	}
	return decimal{coefficient, exponent + decimalMinExp}, true
}

func decimalSpecialValue(f float64) value {
	high := uint64(decimalNaNHigh)
	if math.IsInf(f, 0) {
		high = decimalInfHigh
		if f < 0 {
			high |= 1 << 63
		}
	}
	return value{kind: kindDecimal, data: binary.LittleEndian.AppendUint64(make([]byte, 8, 16), high)}
}

// value rounds to 34 digits, half to even, and encodes.
func (d decimal) value() value {
	coef, exp := new(big.Int).Abs(d.coef), d.exp
	negative := d.coef.Sign() < 0
	drop := max(len(coef.String())-decimalDigits, decimalMinExp-exp)
	if drop > 0 {
		coef = roundedQuotient(coef, powerOfTen(drop))
		exp += drop
		if coef.Cmp(powerOfTen(decimalDigits)) == 0 {
			coef.Quo(coef, big.NewInt(10))
			exp++
		}
	}
	if coef.Sign() == 0 {
		exp = min(exp, decimalMaxExp)
	}
	for exp > decimalMaxExp {
		if coef.Mul(coef, big.NewInt(10)); len(coef.String()) > decimalDigits {
			return decimalSpecialValue(math.Inf(d.coef.Sign()))
		}
		exp--
	}
	high := uint64(exp-decimalMinExp)<<49 | new(big.Int).Rsh(coef, 64).Uint64()
	if negative {
		high |= 1 << 63
	}
	low := new(big.Int).And(coef, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
	return value{kind: kindDecimal, data: binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, low), high)}
}

// roundedQuotient divides, rounding half to even.
func roundedQuotient(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if c := r.Lsh(r, 1).Cmp(b); c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

func (d decimal) scaled(exp int) *big.Int {
	return new(big.Int).Mul(d.coef, powerOfTen(d.exp-exp))
}

func addDecimals(a, b decimal) decimal {
	if far := decimalDigits * 3; a.exp-b.exp > far || b.exp-a.exp > far { // the smaller one is below every digit
		if a.coef.CmpAbs(big.NewInt(0)) == 0 || (b.coef.Sign() != 0 && b.exp > a.exp) {
			return b
		}
		return a
	}
	exp := min(a.exp, b.exp)
	return decimal{new(big.Int).Add(a.scaled(exp), b.scaled(exp)), exp}
}

func multiplyDecimals(a, b decimal) decimal {
	return decimal{new(big.Int).Mul(a.coef, b.coef), a.exp + b.exp}
}

// divideDecimals divides by a number that is not zero: exactly with the exponent nearest to the ideal one, or to 34 digits.
func divideDecimals(a, b decimal) decimal {
	ideal := a.exp - b.exp
	shift := decimalDigits + 2 + max(0, len(b.coef.String())-len(a.coef.String()))
	q, r := new(big.Int).QuoRem(new(big.Int).Mul(a.coef, powerOfTen(shift)), b.coef, new(big.Int))
	exp := ideal - shift
	if r.Sign() != 0 {
		q.Mul(q, big.NewInt(10)) // a sticky digit keeps the rounding right
		q.Add(q, big.NewInt(int64(a.coef.Sign()*b.coef.Sign())))
		return decimal{q, exp - 1}
	}
	ten := big.NewInt(10)
	for exp < ideal {
		next, digit := new(big.Int).QuoRem(q, ten, new(big.Int))
		if digit.Sign() != 0 {
			break
		}
		q, exp = next, exp+1
	}
	return decimal{q, exp}
}

// String is the text of the Decimal128 specification.
func (d decimal) String() string {
	digits := new(big.Int).Abs(d.coef).String()
	sign := ""
	if d.coef.Sign() < 0 {
		sign = "-"
	}
	adjusted := d.exp + len(digits) - 1
	switch {
	case d.exp > 0 || adjusted < -6:
		if len(digits) > 1 {
			digits = digits[:1] + "." + digits[1:]
		}
		return sign + digits + "E" + signed(adjusted)
	case d.exp == 0:
		return sign + digits
	default:
		for len(digits) <= -d.exp {
			digits = "0" + digits
		}
		at := len(digits) + d.exp
		return sign + digits[:at] + "." + digits[at:]
	}
}

func signed(n int) string {
	if n >= 0 {
		return "+" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

func decimalText(data []byte) string {
	if d, ok := decodeDecimal(data); ok {
		return d.String()
	}
	switch f := decimalSpecial(data); {
	case math.IsNaN(f):
		return "NaN"
	case f < 0:
		return "-Infinity"
	default:
		return "Infinity"
	}
}
