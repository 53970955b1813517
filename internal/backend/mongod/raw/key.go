package raw

import (
	"encoding/binary"
	"math"
)

// AppendKey appends the order-preserving encoding of v: bytes.Compare of two encodings equals Compare of the values,
// and no encoding is a prefix of another.
func AppendKey(dst []byte, v Value) []byte { return appendKeyBody(append(dst, v.Rank()), v) }

func appendKeyBody(dst []byte, v Value) []byte {
	switch v.Rank() {
	case rankNumber:
		return appendNumberKey(dst, v)
	case rankString, rankCode:
		return appendEscaped(dst, v.Data[4:len(v.Data)-1])
	case rankDocument:
		return appendFieldKeys(dst, v.Document(), true)
	case rankArray:
		return appendFieldKeys(dst, v.Document(), false)
	case rankBinary:
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(v.Data)))
		return append(dst, v.Data[4:]...)
	case rankDate:
		return binary.BigEndian.AppendUint64(dst, uint64(v.Int64())^1<<63)
	case rankTimestamp:
		return binary.BigEndian.AppendUint64(dst, binary.LittleEndian.Uint64(v.Data))
	case rankDBPointer:
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(v.Data)))
		return append(dst, v.Data...)
	case rankCodeScope:
		code, scope := v.codeScope()
		return appendFieldKeys(appendEscaped(dst, code), scope, true)
	default: // fixed size or, for a regex, two zero-terminated strings
		return append(dst, v.Data...)
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
func appendFieldKeys(dst []byte, d Document, names bool) []byte {
	r := d.Reader()
	for {
		name, v, ok := r.Next()
		if !ok {
			return append(dst, 0)
		}
		dst = append(dst, v.Rank())
		if names {
			dst = append(append(dst, name...), 0)
		}
		dst = appendKeyBody(dst, v)
	}
}

// appendNumberKey writes the nearest double (8 bytes) and twice the distance from it (2 bytes; only an int64 beyond 2^53 has one).
func appendNumberKey(dst []byte, v Value) []byte {
	n, whole := v.integer()
	if !whole {
		return appendDoubleKey(dst, v.Double(), 0)
	}
	f := float64(n)
	if f == 1<<63 {
		return appendDoubleKey(dst, f, 2*int64(uint64(n)-1<<63))
	}
	return appendDoubleKey(dst, f, 2*(n-int64(f)))
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

// Successor returns the smallest key above every key that starts with prefix, or nil when there is none.
func Successor(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			out := append([]byte(nil), prefix[:i+1]...)
			out[i]++
			return out
		}
	}
	return nil
}

// Invert flips all bytes, which reverses the order: descending index fields are stored so.
func Invert(key []byte) {
	for i := range key {
		key[i] = ^key[i]
	}
}
