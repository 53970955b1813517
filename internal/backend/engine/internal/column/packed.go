package column

import (
	"encoding/binary"
	"encoding/hex"
)

// A packed column holds one string of lower-case hexadecimal digits for each document, all of one length and all
// different, as ids of traces, spans and requests are: one byte with half the number of digits, then that many bytes for each document.
// It does not compress, and needs not be decoded to look for a value.

// maxPacked is the most bytes of one value.
const maxPacked = 64

// Packed returns the packed form; ok is false for a column of docs documents that has none.
func (c *Column) Packed(docs int) (packed []byte, ok bool) {
	if c.Kind != String || docs == 0 || c.docs != docs || !c.Single(docs) || len(c.Dict) != docs {
		return nil, false
	}
	width := len(c.Dict[0]) / 2
	if width < 4 || width > maxPacked {
		return nil, false
	}
	packed = append(make([]byte, 0, 1+docs*width), byte(width))
	for i, s := range c.Dict {
		if c.Ords[i] != uint32(i) {
			return nil, false
		}
		if packed, ok = appendPacked(packed, s, width); !ok {
			return nil, false
		}
	}
	return packed, true
}

func appendPacked(b []byte, s string, width int) ([]byte, bool) {
	if len(s) != 2*width {
		return b, false
	}
	return AppendHex(b, s)
}

// AppendHex appends the bytes that s, an even number of lower-case hexadecimal digits, stands for. It is false when s
// holds anything else; then b has got the bytes before it.
func AppendHex[T string | []byte](b []byte, s T) ([]byte, bool) {
	for i := 0; i < len(s); i += 2 {
		high, low := digit(s[i]), digit(s[i+1])
		if high|low > 15 {
			return b, false
		}
		b = append(b, high<<4|low)
	}
	return b, true
}

// digit is the value of a lower-case hexadecimal digit, or 255.
func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}

// packedWidth returns the bytes of a value and those of all of them.
func packedWidth(packed []byte) (width int, values []byte, ok bool) {
	if len(packed) == 0 {
		return 0, nil, false
	}
	width, values = int(packed[0]), packed[1:]
	return width, values, width > 0 && width <= maxPacked && len(values)%width == 0
}

// PackedValue is the string that the bytes of one value stand for.
func PackedValue(value []byte) string { return hex.EncodeToString(value) }

// Unpack turns a packed column into one with a dictionary.
func Unpack(packed []byte) (*Column, error) {
	width, values, ok := packedWidth(packed)
	if !ok {
		return nil, errCorrupt
	}
	all := hex.EncodeToString(values)
	c := &Column{Kind: String, docs: len(values) / width}
	c.Dict, c.Ords = make([]string, c.docs), make([]uint32, c.docs)
	for i := range c.Dict {
		c.Dict[i], c.Ords[i] = all[2*width*i:2*width*(i+1)], uint32(i)
	}
	return c, nil
}

// FindPacked calls visit for the documents of a packed column with a value.
func FindPacked(packed []byte, value string, visit func(doc int)) {
	width, values, ok := packedWidth(packed)
	if !ok {
		return
	}
	want, ok := appendPacked(nil, value, width)
	if !ok {
		return
	}
	if width < 8 {
		for doc := range len(values) / width {
			if string(values[doc*width:(doc+1)*width]) == string(want) {
				visit(doc)
			}
		}
		return
	}
	head := binary.LittleEndian.Uint64(want)
	for doc, at := 0, 0; at < len(values); doc, at = doc+1, at+width {
		if binary.LittleEndian.Uint64(values[at:]) == head && string(values[at:at+width]) == string(want) {
			visit(doc)
		}
	}
}
