package raw

import (
	"bytes"
	"cmp"
	"encoding/binary"
)

// Ranks of MongoDB's comparison order. They double as the first byte of an index key, so they are never 0.
const (
	rankMinKey    byte = 0x01
	rankUndefined byte = 0x02
	rankNull      byte = 0x05
	rankNumber    byte = 0x0a
	rankDecimal   byte = 0x0b // not a number here
	rankString    byte = 0x0f
	rankDocument  byte = 0x14
	rankArray     byte = 0x19
	rankBinary    byte = 0x1e
	rankObjectID  byte = 0x23
	rankBool      byte = 0x28
	rankDate      byte = 0x2d
	rankTimestamp byte = 0x2f
	rankRegex     byte = 0x32
	rankDBPointer byte = 0x37
	rankCode      byte = 0x3c
	rankCodeScope byte = 0x41
	rankMaxKey    byte = 0x7f
)

// Rank returns the place of the value's type in MongoDB's comparison order. A missing value ranks as null.
func (v Value) Rank() byte {
	switch v.Kind {
	case KindMinKey:
		return rankMinKey
	case KindUndefined:
		return rankUndefined
	case KindMissing, KindNull:
		return rankNull
	case KindDouble, KindInt32, KindInt64:
		return rankNumber
	case KindDecimal:
		return rankDecimal
	case KindString, KindSymbol:
		return rankString
	case KindDocument:
		return rankDocument
	case KindArray:
		return rankArray
	case KindBinary:
		return rankBinary
	case KindObjectID:
		return rankObjectID
	case KindBool:
		return rankBool
	case KindDate:
		return rankDate
	case KindTimestamp:
		return rankTimestamp
	case KindRegex:
		return rankRegex
	case KindDBPointer:
		return rankDBPointer
	case KindCode:
		return rankCode
	case KindCodeScope:
		return rankCodeScope
	default:
		return rankMaxKey
	}
}

// Compare is MongoDB's total order over BSON values.
func Compare(a, b Value) int {
	ra, rb := a.Rank(), b.Rank()
	if ra != rb {
		return cmp.Compare(ra, rb)
	}
	switch ra {
	case rankNumber:
		return CompareNumbers(a, b)
	case rankString, rankCode:
		return bytes.Compare(a.Data[4:len(a.Data)-1], b.Data[4:len(b.Data)-1])
	case rankDocument:
		return CompareDocuments(a.Document(), b.Document(), true)
	case rankArray:
		return CompareDocuments(a.Document(), b.Document(), false)
	case rankBinary:
		return cmp.Or(cmp.Compare(len(a.Data), len(b.Data)), bytes.Compare(a.Data[4:], b.Data[4:]))
	case rankDate:
		return cmp.Compare(a.Int64(), b.Int64())
	case rankTimestamp:
		return cmp.Compare(binary.LittleEndian.Uint64(a.Data), binary.LittleEndian.Uint64(b.Data))
	case rankDBPointer:
		return cmp.Or(cmp.Compare(len(a.Data), len(b.Data)), bytes.Compare(a.Data, b.Data))
	case rankCodeScope:
		aCode, aScope := a.codeScope()
		bCode, bScope := b.codeScope()
		return cmp.Or(bytes.Compare(aCode, bCode), CompareDocuments(aScope, bScope, true))
	default: // object id, bool, regex, Decimal128; MinKey, MaxKey, null and undefined have no bytes
		return bytes.Compare(a.Data, b.Data)
	}
}

// codeScope splits a JavaScript value with scope.
func (v Value) codeScope() (code []byte, scope Document) {
	size := 8 + int(binary.LittleEndian.Uint32(v.Data[4:]))
	return v.Data[8 : size-1], Document(v.Data[size:])
}

// CompareDocuments compares field by field: type, name (unless both are arrays), value; a shorter document comes first.
func CompareDocuments(a, b Document, names bool) int {
	ra, rb := a.Reader(), b.Reader()
	for {
		aName, av, aOK := ra.Next()
		bName, bv, bOK := rb.Next()
		if !aOK || !bOK {
			return cmp.Compare(boolRank(aOK), boolRank(bOK))
		}
		if c := cmp.Compare(av.Rank(), bv.Rank()); c != 0 {
			return c
		}
		if names {
			if c := bytes.Compare(aName, bName); c != 0 {
				return c
			}
		}
		if c := Compare(av, bv); c != 0 {
			return c
		}
	}
}

func boolRank(x bool) int {
	if x {
		return 1
	}
	return 0
}

// Equal reports whether Compare makes no difference: 1 and 1.0 are equal.
func Equal(a, b Value) bool { return Compare(a, b) == 0 }
