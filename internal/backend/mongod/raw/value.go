// Package raw is BSON as it lies on the wire and in the data file: values are read in place, built, compared in MongoDB's order, shown
// as MongoDB's errors show them, and encoded as index keys.
//
// It owns the order of values: Compare and the bytes of AppendKey always agree, and the keys are part of the file format. Documents are
// trusted: Validate checks bytes from outside once, and everything else relies on it. Nothing here copies unless it says so, so a
// value is good as long as the bytes that it was read from.
//
// It does not compute with Decimal128: Validate refuses it, and one that an earlier version stored is no number.
package raw

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// The kinds of values, as they appear on the wire. KindMissing never does: it stands for a field that is not there.
const (
	KindMissing   byte = 0x00
	KindDouble    byte = 0x01
	KindString    byte = 0x02
	KindDocument  byte = 0x03
	KindArray     byte = 0x04
	KindBinary    byte = 0x05
	KindUndefined byte = 0x06
	KindObjectID  byte = 0x07
	KindBool      byte = 0x08
	KindDate      byte = 0x09
	KindNull      byte = 0x0A
	KindRegex     byte = 0x0B
	KindDBPointer byte = 0x0C
	KindCode      byte = 0x0D
	KindSymbol    byte = 0x0E
	KindCodeScope byte = 0x0F
	KindInt32     byte = 0x10
	KindTimestamp byte = 0x11
	KindInt64     byte = 0x12
	KindDecimal   byte = 0x13
	KindMaxKey    byte = 0x7F
	KindMinKey    byte = 0xFF
)

// Limits of a document: bytes, and levels of documents in documents.
const (
	MaxDocumentSize = 16 << 20
	MaxDepth        = 100
)

// What Validate finds wrong with bytes.
var (
	ErrMalformed = errors.New("malformed BSON")
	ErrTooDeep   = errors.New("BSON is nested too deeply")
	ErrDecimal   = errors.New("BSON has a Decimal128")
)

// Document is one BSON document. It has passed Validate, so the readers below need no error paths.
type Document []byte

// Value is one BSON value that still lies in its document's bytes; it is read-only.
type Value struct {
	Kind byte   // one of the Kind constants
	Data []byte // what follows the name of the field on the wire
}

// Empty is {}.
func Empty() Document { return Document{5, 0, 0, 0, 0} }

// Reader steps through the fields of a document.
type Reader struct{ rest []byte }

// Reader begins with the first field.
func (d Document) Reader() Reader {
	if len(d) < 5 {
		return Reader{}
	}
	return Reader{rest: d[4 : len(d)-1]}
}

// Next returns the next field; ok is false at the end.
func (r *Reader) Next() (name []byte, v Value, ok bool) {
	if len(r.rest) == 0 {
		return nil, Value{}, false
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
		return nil, Value{}, false
	}
	r.rest = body[size:]
	return name, Value{Kind: kind, Data: body[:size:size]}, true
}

// Get returns the field called name, or a missing value.
func (d Document) Get(name string) Value {
	r := d.Reader()
	for {
		key, v, ok := r.Next()
		if !ok {
			return Value{}
		}
		if string(key) == name {
			return v
		}
	}
}

// Empty reports whether the document has no fields.
func (d Document) Empty() bool { return len(d) <= 5 }

// FirstName returns the name of the first field, or "".
func (d Document) FirstName() string {
	r := d.Reader()
	name, _, _ := r.Next()
	return string(name)
}

// Missing reports whether the value stands for a field that is not there.
func (v Value) Missing() bool { return v.Kind == KindMissing }

// Document returns a document, or an array as the document that it is on the wire.
func (v Value) Document() Document { return Document(v.Data) }

// Elements returns the elements of an array.
func (v Value) Elements() []Value {
	if v.Kind != KindArray {
		return nil
	}
	var out []Value
	r := Document(v.Data).Reader()
	for {
		_, el, ok := r.Next()
		if !ok {
			return out
		}
		out = append(out, el)
	}
}

// Text returns the characters of a string, symbol or code value.
func (v Value) Text() string {
	if len(v.Data) < 5 {
		return ""
	}
	return string(v.Data[4 : len(v.Data)-1])
}

// Int32 returns the number of a value of that kind.
func (v Value) Int32() int32 { return int32(binary.LittleEndian.Uint32(v.Data)) }

// Int64 returns the number of a value of that kind, or the milliseconds of a date.
func (v Value) Int64() int64 { return int64(binary.LittleEndian.Uint64(v.Data)) }

// Double returns the number of a value of that kind.
func (v Value) Double() float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(v.Data))
}

// regex returns pattern and options of a regular expression value.
func (v Value) regex() (pattern, options string) {
	i := 0
	for v.Data[i] != 0 {
		i++
	}
	return string(v.Data[:i]), string(v.Data[i+1 : len(v.Data)-1])
}

// Truthy is MongoDB's reading of a flag: false for false, 0, null, undefined and missing.
func (v Value) Truthy() bool {
	switch v.Kind {
	case KindBool:
		return v.Data[0] != 0
	case KindMissing, KindNull, KindUndefined:
		return false
	case KindInt32, KindInt64, KindDouble:
		return CompareNumbers(v, Int32(0)) != 0
	default:
		return true
	}
}

// Numeric reports whether the value is an int32, an int64 or a double.
func (v Value) Numeric() bool {
	return v.Kind == KindInt32 || v.Kind == KindInt64 || v.Kind == KindDouble
}

// Clone detaches a document from the memory it was read from.
func (d Document) Clone() Document { return append(Document(nil), d...) }

// valueSize returns how many bytes of body a value of the kind takes.
func valueSize(kind byte, body []byte) (int, error) {
	size := 0
	switch kind {
	case KindNull, KindUndefined, KindMinKey, KindMaxKey:
		return 0, nil
	case KindBool:
		size = 1
	case KindInt32:
		size = 4
	case KindDouble, KindDate, KindTimestamp, KindInt64:
		size = 8
	case KindObjectID:
		size = 12
	case KindDecimal:
		size = 16
	case KindRegex:
		return regexSize(body)
	case KindString, KindSymbol, KindCode, KindDBPointer, KindBinary, KindDocument, KindArray, KindCodeScope:
		if len(body) < 4 {
			return 0, ErrMalformed
		}
		n := int64(int32(binary.LittleEndian.Uint32(body)))
		switch kind {
		case KindString, KindSymbol, KindCode:
			n += 4
		case KindDBPointer:
			n += 16
		case KindBinary:
			n += 5
		}
		if n < 5 || n > int64(len(body)) {
			return 0, ErrMalformed
		}
		return int(n), nil
	default:
		return 0, fmt.Errorf("%w: unknown type 0x%02x", ErrMalformed, kind)
	}
	if len(body) < size {
		return 0, ErrMalformed
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
	return 0, ErrMalformed
}

// HasDecimal reports whether there is a Decimal128 in the value, which only a document of an earlier version of this server can have.
func (v Value) HasDecimal() bool {
	if v.Kind != KindDocument && v.Kind != KindArray {
		return v.Kind == KindDecimal
	}
	r := v.Document().Reader()
	for {
		_, el, ok := r.Next()
		if !ok || el.HasDecimal() {
			return ok
		}
	}
}

// Validate checks that d is one complete document whose nesting is at most maxDepth, without a Decimal128.
func Validate(d []byte, depth int) error {
	if depth > MaxDepth {
		return ErrTooDeep
	}
	if len(d) < 5 || int64(binary.LittleEndian.Uint32(d)) != int64(len(d)) || d[len(d)-1] != 0 {
		return ErrMalformed
	}
	rest := d[4 : len(d)-1]
	for len(rest) > 0 {
		kind, end := rest[0], 1
		for end < len(rest) && rest[end] != 0 {
			end++
		}
		if end >= len(rest) {
			return ErrMalformed
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
	case KindDocument, KindArray:
		return Validate(body, depth+1)
	case KindDecimal:
		return ErrDecimal
	case KindString, KindSymbol, KindCode:
		if body[len(body)-1] != 0 {
			return ErrMalformed
		}
	case KindBool:
		if body[0] > 1 {
			return ErrMalformed
		}
	case KindDBPointer:
		if len(body) < 17 || body[len(body)-13] != 0 {
			return ErrMalformed
		}
	case KindCodeScope:
		size, err := valueSize(KindCode, body[4:])
		if err != nil {
			return err
		}
		if body[4+size-1] != 0 {
			return ErrMalformed
		}
		return Validate(body[4+size:], depth+1)
	}
	return nil
}

// StringOr returns the text of a string value, or the alternative.
func (v Value) StringOr(otherwise string) string {
	if v.Kind != KindString {
		return otherwise
	}
	return v.Text()
}
