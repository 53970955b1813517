package mongod

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

// rank returns the place of the value's type in MongoDB's comparison order. A missing value ranks as null.
func (v value) rank() byte {
	switch v.kind {
	case kindMinKey:
		return rankMinKey
	case kindUndefined:
		return rankUndefined
	case kindMissing, kindNull:
		return rankNull
	case kindDouble, kindInt32, kindInt64:
		return rankNumber
	case kindDecimal:
		return rankDecimal
	case kindString, kindSymbol:
		return rankString
	case kindDocument:
		return rankDocument
	case kindArray:
		return rankArray
	case kindBinary:
		return rankBinary
	case kindObjectID:
		return rankObjectID
	case kindBool:
		return rankBool
	case kindDate:
		return rankDate
	case kindTimestamp:
		return rankTimestamp
	case kindRegex:
		return rankRegex
	case kindDBPointer:
		return rankDBPointer
	case kindCode:
		return rankCode
	case kindCodeScope:
		return rankCodeScope
	default:
		return rankMaxKey
	}
}

// compareValues is MongoDB's total order over BSON values.
func compareValues(a, b value) int {
	ra, rb := a.rank(), b.rank()
	if ra != rb {
		return cmp.Compare(ra, rb)
	}
	switch ra {
	case rankNumber:
		return compareNumbers(a, b)
	case rankString, rankCode:
		return bytes.Compare(a.data[4:len(a.data)-1], b.data[4:len(b.data)-1])
	case rankDocument:
		return compareDocuments(a.document(), b.document(), true)
	case rankArray:
		return compareDocuments(a.document(), b.document(), false)
	case rankBinary:
		return cmp.Or(cmp.Compare(len(a.data), len(b.data)), bytes.Compare(a.data[4:], b.data[4:]))
	case rankDate:
		return cmp.Compare(a.int64(), b.int64())
	case rankTimestamp:
		return cmp.Compare(binary.LittleEndian.Uint64(a.data), binary.LittleEndian.Uint64(b.data))
	case rankDBPointer:
		return cmp.Or(cmp.Compare(len(a.data), len(b.data)), bytes.Compare(a.data, b.data))
	case rankCodeScope:
		aCode, aScope := a.codeScope()
		bCode, bScope := b.codeScope()
		return cmp.Or(bytes.Compare(aCode, bCode), compareDocuments(aScope, bScope, true))
	default: // object id, bool, regex, Decimal128; MinKey, MaxKey, null and undefined have no bytes
		return bytes.Compare(a.data, b.data)
	}
}

// codeScope splits a JavaScript value with scope.
func (v value) codeScope() (code []byte, scope document) {
	size := 8 + int(binary.LittleEndian.Uint32(v.data[4:]))
	return v.data[8 : size-1], document(v.data[size:])
}

// compareDocuments compares field by field: type, name (unless both are arrays), value; a shorter document comes first.
func compareDocuments(a, b document, names bool) int {
	ra, rb := a.reader(), b.reader()
	for {
		aName, av, aOK := ra.next()
		bName, bv, bOK := rb.next()
		if !aOK || !bOK {
			return cmp.Compare(boolRank(aOK), boolRank(bOK))
		}
		if c := cmp.Compare(av.rank(), bv.rank()); c != 0 {
			return c
		}
		if names {
			if c := bytes.Compare(aName, bName); c != 0 {
				return c
			}
		}
		if c := compareValues(av, bv); c != 0 {
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

func equalValues(a, b value) bool { return compareValues(a, b) == 0 }
