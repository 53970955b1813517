package column

import (
	"encoding/binary"
	"errors"
	"math"

	"kreislauf/internal/backend/engine/internal/varint"
)

// errCorrupt is returned for bytes that no Encode wrote.
var errCorrupt = errors.New("corrupt column")

// Encode appends the column to b. Layout: kind byte; number of documents; per document the number of values
// (all uvarint; one 0xFF byte instead of the counts when every document has exactly one); then the values:
// Int as zigzag varint differences, Float as 8 bytes little endian, String as the dictionary (count, then
// length and bytes each) followed by uvarint indexes.
func (c *Column) Encode(b []byte) []byte {
	b = append(b, byte(c.Kind))
	b = binary.AppendUvarint(b, uint64(c.docs))
	if c.ends == nil {
		b = append(b, 0xFF)
	} else {
		b = append(b, 0)
		var last uint32
		for _, end := range c.ends {
			b = binary.AppendUvarint(b, uint64(end-last))
			last = end
		}
	}
	switch c.Kind {
	case Int:
		var last int64
		for _, v := range c.Ints {
			b = binary.AppendVarint(b, v-last)
			last = v
		}
	case Float:
		for _, v := range c.Floats {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	case String:
		b = binary.AppendUvarint(b, uint64(len(c.Dict)))
		for _, s := range c.Dict {
			b = binary.AppendUvarint(b, uint64(len(s)))
			b = append(b, s...)
		}
		for _, o := range c.Ords {
			b = binary.AppendUvarint(b, uint64(o))
		}
	}
	return b
}

// Decode reads what Encode wrote. It accepts any bytes and never allocates more than a small multiple of them.
func Decode(b []byte) (*Column, error) {
	r := varint.Reader{B: b}
	c := &Column{Kind: Kind(r.Byte())}
	docs := r.Uint()
	mode := r.Byte()
	if r.Bad || c.Kind > String || docs > uint64(len(b)) {
		return nil, errCorrupt
	}
	c.docs = int(docs)
	total := docs
	if mode != 0xFF {
		c.ends, total = make([]uint32, docs), 0
		for i := range c.ends {
			if total += r.Uint(); total > uint64(len(b)) {
				return nil, errCorrupt
			}
			c.ends[i] = uint32(total)
		}
	}
	if err := c.decodeValues(&r, int(total)); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Column) decodeValues(r *varint.Reader, total int) error {
	if r.Bad || total > len(r.B) && c.Kind != String || c.Kind == Float && total*8 > len(r.B) {
		return errCorrupt
	}
	switch c.Kind {
	case Int:
		c.Ints = make([]int64, total)
		var last int64
		for i := range c.Ints {
			last += r.Int()
			c.Ints[i] = last
		}
	case Float:
		c.Floats = make([]float64, total)
		for i := range c.Floats {
			c.Floats[i] = math.Float64frombits(binary.LittleEndian.Uint64(r.B[8*i:]))
		}
		r.B = r.B[8*total:]
	case String:
		n := r.Uint()
		if n > uint64(len(r.B)) {
			return errCorrupt
		}
		text := string(r.B) // one allocation shared by all entries
		c.Dict = make([]string, n)
		for i := range c.Dict {
			size := r.Uint()
			if size > uint64(len(r.B)) {
				return errCorrupt
			}
			at := len(text) - len(r.B)
			c.Dict[i] = text[at : at+int(size)]
			r.B = r.B[size:]
		}
		c.Ords = make([]uint32, total)
		for i := range c.Ords {
			o := r.Uint()
			if o >= n {
				return errCorrupt
			}
			c.Ords[i] = uint32(o)
		}
	}
	if r.Bad || len(r.B) != 0 {
		return errCorrupt
	}
	return nil
}
