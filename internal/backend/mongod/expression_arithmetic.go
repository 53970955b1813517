package mongod

import (
	"math"
	"math/big"
	"time"
)

func arithmeticOperators() []entry[operatorParser] {
	return []entry[operatorParser]{
		{name: "$add", parse: function(0, -1, evalAdd)},
		{name: "$subtract", parse: strictFunction(2, 2, evalSubtract)},
		{name: "$multiply", parse: function(0, -1, evalMultiply)},
		{name: "$divide", parse: strictFunction(2, 2, evalDivide)},
		{name: "$mod", parse: strictFunction(2, 2, evalMod)},
		{name: "$abs", parse: strictFunction(1, 1, evalAbs)},
		{name: "$ceil", parse: strictFunction(1, 1, evalWhole)},
		{name: "$floor", parse: strictFunction(1, 1, evalWhole)},
		{name: "$round", parse: function(1, 2, evalRound)},
		{name: "$trunc", parse: function(1, 2, evalRound)},
		{name: "$sqrt", parse: strictFunction(1, 1, evalFloat)},
		{name: "$exp", parse: strictFunction(1, 1, evalFloat)},
		{name: "$ln", parse: strictFunction(1, 1, evalFloat)},
		{name: "$log10", parse: strictFunction(1, 1, evalFloat)},
		{name: "$log", parse: strictFunction(2, 2, evalLog)},
		{name: "$pow", parse: strictFunction(2, 2, evalPow)},
	}
}

func evalAdd(name string, args []value) (value, error) {
	sum, date, null := int32Value(0), false, false
	for _, v := range args {
		switch {
		case isNull(v):
			null = true
		case v.kind == kindDate && date:
			return value{}, failure(16612, "only one date allowed in an $add expression")
		case v.kind == kindDate:
			date = true
			sum = sumOf(sum, int64Value(v.int64()))
		case v.numeric():
			sum = sumOf(sum, v)
		default:
			return value{}, failure(codeTypeMismatch, "%s only supports numeric or date types, not %s", name, kindName(v.kind))
		}
	}
	switch {
	case null:
		return nullValue(), nil
	case date:
		return dateFromMillis(sum), nil
	default:
		return sum, nil
	}
}

// sumOf goes on as a double where int64 overflows.
func sumOf(a, b value) value {
	if sum, ok := addition().apply(a, b); ok {
		return sum
	}
	return doubleValue(a.float() + b.float())
}

func dateFromMillis(v value) value {
	n, whole := v.wholeNumber()
	if !whole {
		n = int64(math.RoundToEven(v.float()))
	}
	return dateValue(time.UnixMilli(n))
}

func evalSubtract(_ string, args []value) (value, error) {
	a, b := args[0], args[1]
	switch {
	case a.numeric() && b.numeric():
		if d, ok := subtraction().apply(a, b); ok {
			return d, nil
		}
		return doubleValue(a.float() - b.float()), nil
	case a.kind == kindDate && b.kind == kindDate:
		return int64Value(a.int64() - b.int64()), nil
	case a.kind == kindDate && b.numeric():
		d, _ := subtraction().apply(int64Value(a.int64()), b)
		return dateFromMillis(d), nil
	default:
		return value{}, failure(codeTypeMismatch, "can't $subtract %s from %s", kindName(b.kind), kindName(a.kind))
	}
}

func evalMultiply(name string, args []value) (value, error) {
	product, null := int32Value(1), false
	for _, v := range args {
		switch {
		case isNull(v):
			null = true
		case !v.numeric():
			return value{}, failure(codeTypeMismatch, "%s only supports numeric types, not %s", name, kindName(v.kind))
		default:
			next, ok := multiplication().apply(product, v)
			if !ok {
				next = doubleValue(product.float() * v.float())
			}
			product = next
		}
	}
	if null {
		return nullValue(), nil
	}
	return product, nil
}

func isZero(v value) bool { return compareNumbers(v, int32Value(0)) == 0 }

func evalDivide(name string, args []value) (value, error) {
	a, b := args[0], args[1]
	if !a.numeric() || !b.numeric() {
		return value{}, failure(codeTypeMismatch, "%s only supports numeric types, not %s and %s", name, kindName(a.kind), kindName(b.kind))
	}
	if isZero(b) {
		return value{}, failure(codeBadValue, "can't $divide by zero")
	}
	return quotient(a, b), nil
}

// quotient of two numbers, the second of which is not zero: a double, or a Decimal128 when one of them is.
func quotient(a, b value) value {
	if a.kind != kindDecimal && b.kind != kindDecimal {
		return doubleValue(a.float() / b.float())
	}
	x, xFinite := decimalOf(a)
	y, yFinite := decimalOf(b)
	if !xFinite || !yFinite {
		return decimalSpecialValue(a.float() / b.float())
	}
	return divideDecimals(x, y).value()
}

func evalMod(name string, args []value) (value, error) {
	a, b := args[0], args[1]
	if !a.numeric() || !b.numeric() {
		return value{}, failure(16611, "%s only supports numeric types, not %s and %s", name, kindName(a.kind), kindName(b.kind))
	}
	if isZero(b) {
		return value{}, failure(16610, "can't $mod by zero")
	}
	x, xInt := a.integer()
	y, yInt := b.integer()
	switch {
	case a.kind == kindDecimal || b.kind == kindDecimal:
		dx, xFinite := decimalOf(a)
		dy, yFinite := decimalOf(b)
		if !xFinite || !yFinite {
			return decimalSpecialValue(math.Mod(a.float(), b.float())), nil
		}
		exp := min(dx.exp, dy.exp)
		return decimal{new(big.Int).Rem(dx.scaled(exp), dy.scaled(exp)), exp}.value(), nil
	case !xInt || !yInt:
		return doubleValue(math.Mod(a.float(), b.float())), nil
	case y == -1:
		x = 0
	default:
		x %= y
	}
	if a.kind == kindInt32 && b.kind == kindInt32 {
		return int32Value(int32(x)), nil
	}
	return int64Value(x), nil
}

func notNumeric(name string, v value) error {
	return failure(28765, "%s only supports numeric types, not %s", name, kindName(v.kind))
}

func evalAbs(name string, args []value) (value, error) {
	v := args[0]
	switch {
	case !v.numeric():
		return value{}, notNumeric(name, v)
	case v.kind == kindInt64 && v.int64() == math.MinInt64:
		return value{}, failure(28680, "can't take $abs of long long min")
	case compareNumbers(v, int32Value(0)) < 0:
		negated, _ := subtraction().apply(value{kind: v.kind, data: make([]byte, len(v.data))}, v)
		if v.kind == kindDecimal {
			d, ok := decodeDecimal(v.data)
			if !ok {
				return decimalSpecialValue(math.Inf(1)), nil
			}
			return decimal{new(big.Int).Neg(d.coef), d.exp}.value(), nil
		}
		return negated, nil
	default:
		return v, nil
	}
}

func evalWhole(name string, args []value) (value, error) {
	v := args[0]
	switch {
	case !v.numeric():
		return value{}, notNumeric(name, v)
	case v.kind == kindDecimal:
		return value{}, unsupported("Decimal128 in %s", name)
	case v.kind != kindDouble:
		return v, nil
	case name == "$ceil":
		return doubleValue(math.Ceil(v.double())), nil
	default:
		return doubleValue(math.Floor(v.double())), nil
	}
}

// evalRound rounds half to even, or truncates, at a decimal place.
func evalRound(name string, args []value) (value, error) {
	v, place := args[0], int64(0)
	if isNull(v) {
		return nullValue(), nil
	}
	if !v.numeric() {
		return value{}, failure(51081, "%s only supports numeric types, not %s", name, kindName(v.kind))
	}
	if len(args) == 2 {
		if isNull(args[1]) {
			return nullValue(), nil
		}
		n, whole := args[1].wholeNumber()
		if !whole {
			if !args[1].numeric() {
				return value{}, failure(16004, "can't convert from BSON type %s to long", kindName(args[1].kind))
			}
			return value{}, failure(51082, "precision argument to %s must be a integral value", name)
		}
		if n < -20 || n > 100 {
			return value{}, failure(51083, "cannot apply %s with precision value %d value must be in [-20, 100]", name, n)
		}
		place = n
	}
	if _, integer := v.integer(); integer && place >= 0 {
		return v, nil
	}
	if f := v.float(); math.IsNaN(f) || math.IsInf(f, 0) {
		return v, nil
	}
	d := exactDecimal(v)
	if drop := -int(place) - d.exp; drop > 0 {
		unit := powerOfTen(drop)
		magnitude := new(big.Int).Abs(d.coef)
		if name == "$round" {
			magnitude = roundedQuotient(magnitude, unit)
		} else {
			magnitude.Quo(magnitude, unit)
		}
		if d.coef.Sign() < 0 {
			magnitude.Neg(magnitude)
		}
		d = decimal{magnitude, -int(place)}
	}
	switch v.kind {
	case kindDecimal:
		return d.value(), nil
	case kindDouble:
		f, _ := ratOf(d).Float64()
		return doubleValue(f), nil
	default:
		n := ratOf(d).Num()
		if !n.IsInt64() {
			return value{}, failure(51080, "invalid conversion from Decimal128 result in %s resulting from arguments: [%s, %d]", name, v, place)
		}
		if v.kind == kindInt32 && n.Int64() >= math.MinInt32 && n.Int64() <= math.MaxInt32 {
			return int32Value(int32(n.Int64())), nil
		}
		return int64Value(n.Int64()), nil
	}
}

// exactDecimal is a finite number without the rounding to 15 digits that decimalOf applies to doubles.
func exactDecimal(v value) decimal {
	if v.kind != kindDouble {
		d, _ := decimalOf(v)
		return d
	}
	r := new(big.Rat).SetFloat64(v.double())
	twos := r.Denom().BitLen() - 1 // 1/2^n = 5^n/10^n
	return decimal{new(big.Int).Mul(r.Num(), new(big.Int).Exp(big.NewInt(5), big.NewInt(int64(twos)), nil)), -twos}
}

func ratOf(d decimal) *big.Rat {
	if d.exp >= 0 {
		return new(big.Rat).SetInt(d.scaled(0))
	}
	return new(big.Rat).SetFrac(d.coef, powerOfTen(-d.exp))
}

func evalFloat(name string, args []value) (value, error) {
	v := args[0]
	if !v.numeric() {
		return value{}, notNumeric(name, v)
	}
	if v.kind == kindDecimal {
		return value{}, unsupported("Decimal128 in %s", name)
	}
	f := v.float()
	switch name {
	case "$sqrt":
		if f < 0 {
			return value{}, failure(28714, "$sqrt's argument must be greater than or equal to 0")
		}
		return doubleValue(math.Sqrt(f)), nil
	case "$exp":
		return doubleValue(math.Exp(f)), nil
	case "$ln":
		if f <= 0 {
			return value{}, failure(28766, "$ln's argument must be a positive number, but is %s", v)
		}
		return doubleValue(math.Log(f)), nil
	default:
		if f <= 0 {
			return value{}, failure(28761, "$log10's argument must be a positive number, but is %s", v)
		}
		return doubleValue(math.Log10(f)), nil
	}
}

func evalLog(_ string, args []value) (value, error) {
	v, base := args[0], args[1]
	switch {
	case !v.numeric():
		return value{}, failure(28756, "$log's argument must be numeric, not %s", kindName(v.kind))
	case !base.numeric():
		return value{}, failure(28757, "$log's base must be numeric, not %s", kindName(base.kind))
	case v.kind == kindDecimal || base.kind == kindDecimal:
		return value{}, unsupported("Decimal128 in $log")
	case v.float() <= 0:
		return value{}, failure(28758, "$log's argument must be a positive number, but is %s", v)
	case base.float() <= 0 || base.float() == 1:
		return value{}, failure(28759, "$log's base must be a positive number not equal to 1, but is %s", base)
	}
	return doubleValue(math.Log(v.float()) / math.Log(base.float())), nil
}

func evalPow(_ string, args []value) (value, error) {
	base, exp := args[0], args[1]
	switch {
	case !base.numeric():
		return value{}, failure(28762, "$pow's base must be numeric, not %s", kindName(base.kind))
	case !exp.numeric():
		return value{}, failure(28763, "$pow's exponent must be numeric, not %s", kindName(exp.kind))
	case base.kind == kindDecimal || exp.kind == kindDecimal:
		return value{}, unsupported("Decimal128 in $pow")
	case isZero(base) && exp.float() < 0:
		return value{}, failure(28764, "$pow cannot take a base of 0 and a negative exponent")
	}
	x, xInt := base.integer()
	y, yInt := exp.integer()
	if !xInt || !yInt || y < 0 {
		return doubleValue(math.Pow(base.float(), exp.float())), nil
	}
	if x != 0 && x != 1 && x != -1 && y > 63 {
		return doubleValue(math.Pow(base.float(), exp.float())), nil
	}
	n := new(big.Int).Exp(big.NewInt(x), big.NewInt(y), nil)
	switch {
	case !n.IsInt64():
		return doubleValue(math.Pow(base.float(), exp.float())), nil
	case base.kind == kindInt32 && exp.kind == kindInt32 && n.Int64() >= math.MinInt32 && n.Int64() <= math.MaxInt32:
		return int32Value(int32(n.Int64())), nil
	default:
		return int64Value(n.Int64()), nil
	}
}
