package raw

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// KindName is the name MongoDB uses for a type in errors and in $type.
func KindName(kind byte) string {
	switch kind {
	case KindMissing:
		return "missing"
	case KindDouble:
		return "double"
	case KindString:
		return "string"
	case KindDocument:
		return "object"
	case KindArray:
		return "array"
	case KindBinary:
		return "binData"
	case KindUndefined:
		return "undefined"
	case KindObjectID:
		return "objectId"
	case KindBool:
		return "bool"
	case KindDate:
		return "date"
	case KindNull:
		return "null"
	case KindRegex:
		return "regex"
	case KindDBPointer:
		return "dbPointer"
	case KindCode:
		return "javascript"
	case KindSymbol:
		return "symbol"
	case KindCodeScope:
		return "javascriptWithScope"
	case KindInt32:
		return "int"
	case KindTimestamp:
		return "timestamp"
	case KindInt64:
		return "long"
	case KindDecimal:
		return "decimal"
	case KindMaxKey:
		return "maxKey"
	case KindMinKey:
		return "minKey"
	default:
		return ""
	}
}

// String renders a value the way MongoDB's error texts do.
func (v Value) String() string {
	switch v.Kind {
	case KindMissing:
		return "missing"
	case KindDouble:
		return formatDouble(v.Double())
	case KindString, KindSymbol:
		return `"` + v.Text() + `"`
	case KindDocument:
		return v.Document().String()
	case KindArray:
		return formatFields(v.Document(), "[ ", " ]", false)
	case KindBinary:
		return fmt.Sprintf("BinData(%d, %s)", v.Data[4], strings.ToUpper(hex.EncodeToString(v.Data[5:])))
	case KindObjectID:
		return "ObjectId('" + hex.EncodeToString(v.Data) + "')"
	case KindBool:
		return strconv.FormatBool(v.Data[0] != 0)
	case KindDate:
		return fmt.Sprintf("new Date(%d)", v.Int64())
	case KindNull:
		return "null"
	case KindRegex:
		pattern, options := v.regex()
		return "/" + pattern + "/" + options
	case KindCode:
		return v.Text()
	case KindInt32:
		return strconv.Itoa(int(v.Int32()))
	case KindTimestamp:
		return fmt.Sprintf("Timestamp(%d, %d)", binary.LittleEndian.Uint32(v.Data[4:]), binary.LittleEndian.Uint32(v.Data))
	case KindInt64:
		return strconv.FormatInt(v.Int64(), 10)
	case KindMinKey:
		return "MinKey"
	case KindMaxKey:
		return "MaxKey"
	default:
		return KindName(v.Kind)
	}
}

// String renders a document the way MongoDB's error texts do.
func (d Document) String() string { return formatFields(d, "{ ", " }", true) }

func formatFields(d Document, open, closing string, names bool) string {
	if d.Empty() {
		return strings.TrimSpace(open) + strings.TrimSpace(closing)
	}
	var b strings.Builder
	b.WriteString(open)
	r := d.Reader()
	for i := 0; ; i++ {
		name, v, ok := r.Next()
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

// FormatField renders one field as {name: value}.
func FormatField(name string, v Value) string { return "{" + name + ": " + v.String() + "}" }

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
