package mongod

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// kindName is the name MongoDB uses for a type in errors and in $type.
func kindName(kind byte) string {
	switch kind {
	case kindMissing:
		return "missing"
	case kindDouble:
		return "double"
	case kindString:
		return "string"
	case kindDocument:
		return "object"
	case kindArray:
		return "array"
	case kindBinary:
		return "binData"
	case kindUndefined:
		return "undefined"
	case kindObjectID:
		return "objectId"
	case kindBool:
		return "bool"
	case kindDate:
		return "date"
	case kindNull:
		return "null"
	case kindRegex:
		return "regex"
	case kindDBPointer:
		return "dbPointer"
	case kindCode:
		return "javascript"
	case kindSymbol:
		return "symbol"
	case kindCodeScope:
		return "javascriptWithScope"
	case kindInt32:
		return "int"
	case kindTimestamp:
		return "timestamp"
	case kindInt64:
		return "long"
	case kindDecimal:
		return "decimal"
	case kindMaxKey:
		return "maxKey"
	case kindMinKey:
		return "minKey"
	default:
		return ""
	}
}

// String renders a value the way MongoDB's error texts do.
func (v value) String() string {
	switch v.kind {
	case kindMissing:
		return "missing"
	case kindDouble:
		return formatDouble(v.double())
	case kindString, kindSymbol:
		return `"` + v.text() + `"`
	case kindDocument:
		return v.document().String()
	case kindArray:
		return formatFields(v.document(), "[ ", " ]", false)
	case kindBinary:
		return fmt.Sprintf("BinData(%d, %s)", v.data[4], strings.ToUpper(hex.EncodeToString(v.data[5:])))
	case kindObjectID:
		return "ObjectId('" + hex.EncodeToString(v.data) + "')"
	case kindBool:
		return strconv.FormatBool(v.data[0] != 0)
	case kindDate:
		return fmt.Sprintf("new Date(%d)", v.int64())
	case kindNull:
		return "null"
	case kindRegex:
		pattern, options := v.regex()
		return "/" + pattern + "/" + options
	case kindCode:
		return v.text()
	case kindInt32:
		return strconv.Itoa(int(v.int32()))
	case kindTimestamp:
		return fmt.Sprintf("Timestamp(%d, %d)", binary.LittleEndian.Uint32(v.data[4:]), binary.LittleEndian.Uint32(v.data))
	case kindInt64:
		return strconv.FormatInt(v.int64(), 10)
	case kindMinKey:
		return "MinKey"
	case kindMaxKey:
		return "MaxKey"
	default:
		return kindName(v.kind)
	}
}

func (d document) String() string { return formatFields(d, "{ ", " }", true) }

func formatFields(d document, open, closing string, names bool) string {
	if d.empty() {
		return strings.TrimSpace(open) + strings.TrimSpace(closing)
	}
	var b strings.Builder
	b.WriteString(open)
	r := d.reader()
	for i := 0; ; i++ {
		name, v, ok := r.next()
		if !ok {
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		if names {
			b.Write(name)
			b.WriteString(": ")
		}
		b.WriteString(v.String())
	}
	b.WriteString(closing)
	return b.String()
}

// formatField renders one field as {name: value}.
func formatField(name string, v value) string { return "{" + name + ": " + v.String() + "}" }

func formatDouble(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan.0"
	case math.IsInf(f, 1):
		return "inf.0"
	case math.IsInf(f, -1):
		return "-inf.0"
	}
	s := strconv.FormatFloat(f, 'g', 16, 64)
	if f == math.Trunc(f) && !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}
