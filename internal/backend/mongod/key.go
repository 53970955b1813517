package mongod

import (
	"encoding/binary"
	"errors"
	"math"
	"math/big"
)

// maxKeySize is bbolt's limit.
const maxKeySize = 32768

var errDecimalKey = errors.New("Decimal128 value has no index key")

// appendKey appends the order-preserving encoding of v: bytes.Compare of two encodings equals compareValues of the values,
// and no encoding is a prefix of another. It fails only for a Decimal128 that is far beyond the range of doubles.
func appendKey(dst []byte, v value) ([]byte, error) {
	return appendKeyBody(append(dst, v.rank()), v)
}

func appendKeyBody(dst []byte, v value) ([]byte, error) {
	switch v.rank() {
	case rankNumber:
		return appendNumberKey(dst, v)
	case rankString, rankCode:
		return appendEscaped(dst, v.data[4:len(v.data)-1]), nil
	case rankDocument:
		return appendFieldKeys(dst, v.document(), true)
	case rankArray:
		return appendFieldKeys(dst, v.document(), false)
	case rankBinary:
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(v.data)))
		return append(dst, v.data[4:]...), nil
	case rankDate:
		return binary.BigEndian.AppendUint64(dst, uint64(v.int64())^1<<63), nil
	case rankTimestamp:
		return binary.BigEndian.AppendUint64(dst, binary.LittleEndian.Uint64(v.data)), nil
	case rankDBPointer:
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(v.data)))
		return append(dst, v.data...), nil
	case rankCodeScope:
		code, scope := v.codeScope()
		return appendFieldKeys(appendEscaped(dst, code), scope, true)
	default: // fixed size or, for a regex, two zero-terminated strings
		return append(dst, v.data...), nil
	}
}

// appendEscaped writes 0x00 as 0x00 0xff and ends with 0x00 0x01, so that a prefix sorts before its extensions.
func appendEscaped(dst, s []byte) []byte {
	for _, c := range s {
		dst = append(dst, c)
		if c == 0 {
			dst = append(dst, 0xff)
		}
	}
	return append(dst, 0, 1)
}

// appendFieldKeys writes type, name and body of every field and ends with 0x00, which is below every type.
func appendFieldKeys(dst []byte, d document, names bool) ([]byte, error) {
	r := d.reader()
	for {
		name, v, ok := r.next()
		if !ok {
			return append(dst, 0), nil
		}
		dst = append(dst, v.rank())
		if names {
			dst = append(append(dst, name...), 0)
		}
		var err error
		if dst, err = appendKeyBody(dst, v); err != nil {
			return nil, err
		}
	}
}

// appendNumberKey writes the nearest double (8 bytes) and twice the distance from it (2 bytes; only an int64 beyond 2^53 has one).
// A Decimal128 between two such numbers has the lower one's bytes, an odd distance, and 16 bytes that say where between them it is.
func appendNumberKey(dst []byte, v value) ([]byte, error) {
	if n, ok := v.integer(); ok {
		f := float64(n)
		distance := int64(0)
		if f == 1<<63 {
			distance = int64(uint64(n) - 1<<63)
		} else {
			distance = n - int64(f)
		}
		return appendDoubleKey(dst, f, 2*distance), nil
	}
	if v.kind == kindDouble {
		return appendDoubleKey(dst, v.double(), 0), nil
	}
	r, special := decimalRat(v.data)
	if special {
		return appendDoubleKey(dst, decimalSpecial(v.data), 0), nil
	}
	f, exact := r.Float64()
	if exact {
		return appendDoubleKey(dst, f, 0), nil
	}
	if n, ok := v.wholeNumber(); ok {
		return appendNumberKey(dst, int64Value(n))
	}
	if size := math.Abs(f); size < minDecimalKey || size > maxDecimalKey {
		return nil, errDecimalKey
	}
	return appendBetween(dst, f, new(big.Rat).Sub(r, new(big.Rat).SetFloat64(f))), nil
}

// The range in which decimals between doubles have keys.
const (
	minDecimalKey = 1e-290
	maxDecimalKey = 1e308
)

// appendBetween encodes f + rest, where f is the nearest double. The unit of the distance is 1 where integers lie between the doubles,
// elsewhere the distance to the next double.
func appendBetween(dst []byte, f float64, rest *big.Rat) []byte {
	if size := math.Abs(f); size < 1<<53 || size >= 1<<63 {
		rest.Quo(rest, new(big.Rat).SetFloat64(math.Nextafter(size, math.Inf(1))-size))
	}
	floor := new(big.Int).Div(rest.Num(), rest.Denom()) // Euclidean: rounds down, the denominator is positive
	rest.Sub(rest, new(big.Rat).SetInt(floor))
	dst = appendDoubleKey(dst, f, 2*floor.Int64()+1)
	part := new(big.Int).Lsh(rest.Num(), 128)
	return append(dst, part.Quo(part, rest.Denom()).FillBytes(make([]byte, 16))...)
}

func appendDoubleKey(dst []byte, f float64, distance int64) []byte {
	bits := math.Float64bits(f)
	switch {
	case math.IsNaN(f):
		bits = 0
	case f == 0:
		bits = 1 << 63
	case bits>>63 == 1:
		bits = ^bits
	default:
		bits |= 1 << 63
	}
	dst = binary.BigEndian.AppendUint64(dst, bits)
	return binary.BigEndian.AppendUint16(dst, uint16(0x8000+distance))
}

// successor returns the smallest key above every key that starts with prefix, or nil when there is none.
func successor(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			out := append([]byte(nil), prefix[:i+1]...)
			out[i]++
			return out
		}
	}
	return nil
}

// invert flips all bytes, which reverses the order: descending index fields are stored so.
func invert(key []byte) {
	for i := range key {
		key[i] = ^key[i]
	}
}
