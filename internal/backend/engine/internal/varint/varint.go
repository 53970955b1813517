// Package varint reads the numbers and pieces that segments are made of: uvarints and zigzag varints as encoding/binary appends
// them, and pieces of a length. It accepts any bytes. It does not know what the numbers mean, nor whether they are in bounds.
package varint

import "encoding/binary"

// Reader reads from the front of B. What cannot be read is zero or empty and makes Bad true for good.
type Reader struct {
	B   []byte // what is left
	Bad bool
}

// Uint reads a uvarint.
func (r *Reader) Uint() uint64 {
	v, n := binary.Uvarint(r.B)
	return advance(r, v, n)
}

// Int reads a zigzag varint.
func (r *Reader) Int() int64 {
	v, n := binary.Varint(r.B)
	return advance(r, v, n)
}

func advance[T uint64 | int64](r *Reader, v T, n int) T {
	if n <= 0 {
		r.Bad = true
		return 0
	}
	r.B = r.B[n:]
	return v
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	one := r.Take(1)
	if one == nil {
		return 0
	}
	return one[0]
}

// Take reads n bytes, which stay those of B. It returns nil when there are fewer.
func (r *Reader) Take(n uint64) []byte {
	if n > uint64(len(r.B)) {
		r.Bad = true
		return nil
	}
	part := r.B[:n]
	r.B = r.B[n:]
	return part
}
