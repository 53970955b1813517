package mongod

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// BSON element kinds as they appear on the wire. kindMissing never does: it stands for a field that is not there.
const (
	kindMissing   byte = 0x00
	kindDouble    byte = 0x01
	kindString    byte = 0x02
	kindDocument  byte = 0x03
	kindArray     byte = 0x04
	kindBinary    byte = 0x05
	kindUndefined byte = 0x06
	kindObjectID  byte = 0x07
	kindBool      byte = 0x08
	kindDate      byte = 0x09
	kindNull      byte = 0x0A
	kindRegex     byte = 0x0B
	kindDBPointer byte = 0x0C
	kindCode      byte = 0x0D
	kindSymbol    byte = 0x0E
	kindCodeScope byte = 0x0F
	kindInt32     byte = 0x10
	kindTimestamp byte = 0x11
	kindInt64     byte = 0x12
	kindDecimal   byte = 0x13
	kindMaxKey    byte = 0x7F
	kindMinKey    byte = 0xFF
)

const (
	maxDocumentSize = 16 << 20
	maxDepth        = 100
)

// What validate finds wrong with bytes.
var (
	errMalformed = errors.New("malformed BSON")
	errTooDeep   = errors.New("BSON is nested too deeply")
	errDecimal   = errors.New("BSON has a Decimal128")
)

// document is one BSON document. Every document inside the package has passed validate, so the readers below need no error paths.
type document []byte

// value is one BSON value that still lies in its document's bytes; it is read-only.
type value struct {
	kind byte
	data []byte
}

// emptyDocument is {}.
func emptyDocument() document { return document{5, 0, 0, 0, 0} }

// reader steps through the fields of a document.
type reader struct{ rest []byte }

func (d document) reader() reader {
	if len(d) < 5 {
		return reader{}
	}
	return reader{rest: d[4 : len(d)-1]}
}

// next returns the next field; ok is false at the end.
func (r *reader) next() (name []byte, v value, ok bool) {
	if len(r.rest) == 0 {
		return nil, value{}, false
	}
	kind := r.rest[0]
	end := 1
	for r.rest[end] != 0 {
		end++
	}
	name = r.rest[1:end]
	body := r.rest[end+1:]
	size, err := valueSize(kind, body)
	if err != nil {
		return nil, value{}, false
	}
	r.rest = body[size:]
	return name, value{kind: kind, data: body[:size:size]}, true
}

// get returns the field called name, or a missing value.
func (d document) get(name string) value {
	r := d.reader()
	for {
		key, v, ok := r.next()
		if !ok {
			return value{}
		}
		if string(key) == name {
			return v
		}
	}
}

func (d document) empty() bool { return len(d) <= 5 }

// firstName returns the name of the first field, or "".
func (d document) firstName() string {
	r := d.reader()
	name, _, _ := r.next()
	return string(name)
}

func (v value) missing() bool      { return v.kind == kindMissing }
func (v value) document() document { return document(v.data) }

// elements returns the elements of an array.
func (v value) elements() []value {
	if v.kind != kindArray {
		return nil
	}
	var out []value
	r := document(v.data).reader()
	for {
		_, el, ok := r.next()
		if !ok {
			return out
		}
		out = append(out, el)
	}
}

// text returns the characters of a string, symbol or code value.
func (v value) text() string {
	if len(v.data) < 5 {
		return ""
	}
	return string(v.data[4 : len(v.data)-1])
}

func (v value) int32() int32 { return int32(binary.LittleEndian.Uint32(v.data)) }
func (v value) int64() int64 { return int64(binary.LittleEndian.Uint64(v.data)) }
func (v value) double() float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(v.data))
}

// regex returns pattern and options of a regular expression value.
func (v value) regex() (pattern, options string) {
	i := 0
	for v.data[i] != 0 {
		i++
	}
	return string(v.data[:i]), string(v.data[i+1 : len(v.data)-1])
}

// truthy is MongoDB's reading of a flag: false for false, 0, null, undefined and missing.
func (v value) truthy() bool {
	switch v.kind {
	case kindBool:
		return v.data[0] != 0
	case kindMissing, kindNull, kindUndefined:
		return false
	case kindInt32, kindInt64, kindDouble:
		return compareNumbers(v, int32Value(0)) != 0
	default:
		return true
	}
}

func (v value) numeric() bool {
	return v.kind == kindInt32 || v.kind == kindInt64 || v.kind == kindDouble
}

// clone detaches a document from the memory it was read from.
func (d document) clone() document { return append(document(nil), d...) }

// valueSize returns how many bytes of body a value of the kind takes.
func valueSize(kind byte, body []byte) (int, error) {
	size := 0
	switch kind {
	case kindNull, kindUndefined, kindMinKey, kindMaxKey:
		return 0, nil
	case kindBool:
		size = 1
	case kindInt32:
		size = 4
	case kindDouble, kindDate, kindTimestamp, kindInt64:
		size = 8
	case kindObjectID:
		size = 12
	case kindDecimal:
		size = 16
	case kindRegex:
		return regexSize(body)
	case kindString, kindSymbol, kindCode, kindDBPointer, kindBinary, kindDocument, kindArray, kindCodeScope:
		if len(body) < 4 {
			return 0, errMalformed
		}
		n := int64(int32(binary.LittleEndian.Uint32(body)))
		switch kind {
		case kindString, kindSymbol, kindCode:
			n += 4
		case kindDBPointer:
			n += 16
		case kindBinary:
			n += 5
		}
		if n < 5 || n > int64(len(body)) {
			return 0, errMalformed
		}
		return int(n), nil
	default:
		return 0, fmt.Errorf("%w: unknown type 0x%02x", errMalformed, kind)
	}
	if len(body) < size {
		return 0, errMalformed
	}
	return size, nil
}

func regexSize(body []byte) (int, error) {
	zeros := 0
	for i, c := range body {
		if c == 0 {
			if zeros++; zeros == 2 {
				return i + 1, nil
			}
		}
	}
	return 0, errMalformed
}

// hasDecimal reports whether there is a Decimal128 in the value, which only a document of an earlier version of this server can have.
func (v value) hasDecimal() bool {
	if v.kind != kindDocument && v.kind != kindArray {
		return v.kind == kindDecimal
	}
	r := v.document().reader()
	for {
		_, el, ok := r.next()
		if !ok || el.hasDecimal() {
			return ok
		}
	}
}

// validate checks that d is one complete document whose nesting is at most maxDepth, without a Decimal128.
func validate(d []byte, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	if len(d) < 5 || int64(binary.LittleEndian.Uint32(d)) != int64(len(d)) || d[len(d)-1] != 0 {
		return errMalformed
	}
	rest := d[4 : len(d)-1]
	for len(rest) > 0 {
		kind, end := rest[0], 1
		for end < len(rest) && rest[end] != 0 {
			end++
		}
		if end >= len(rest) {
			return errMalformed
		}
		body := rest[end+1:]
		size, err := valueSize(kind, body)
		if err != nil {
			return err
		}
		if err := validateValue(kind, body[:size], depth); err != nil {
			return err
		}
		rest = body[size:]
	}
	return nil
}

func validateValue(kind byte, body []byte, depth int) error {
	switch kind {
	case kindDocument, kindArray:
		return validate(body, depth+1)
	case kindDecimal:
		return errDecimal
	case kindString, kindSymbol, kindCode:
		if body[len(body)-1] != 0 {
			return errMalformed
		}
	case kindBool:
		if body[0] > 1 {
			return errMalformed
		}
	case kindDBPointer:
		if len(body) < 17 || body[len(body)-13] != 0 {
			return errMalformed
		}
	case kindCodeScope:
		size, err := valueSize(kindCode, body[4:])
		if err != nil {
			return err
		}
		if body[4+size-1] != 0 {
			return errMalformed
		}
		return validate(body[4+size:], depth+1)
	}
	return nil
}

// stringOr returns the text of a string value, or the alternative.
func (v value) stringOr(otherwise string) string {
	if v.kind != kindString {
		return otherwise
	}
	return v.text()
}
