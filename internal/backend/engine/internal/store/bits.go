package store

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Bits is a set of document numbers.
type Bits []uint64

// NewBits returns an empty set for n documents.
func NewBits(n int) Bits { return make(Bits, (n+63)/64) }

// Has says whether doc is in the set.
func (b Bits) Has(doc int) bool { return doc>>6 < len(b) && b[doc>>6]&(1<<(doc&63)) != 0 }

// Set adds doc, which must be within the size of the set.
func (b Bits) Set(doc int) { b[doc>>6] |= 1 << (doc & 63) }

// With adds doc and grows the set if needed.
func (b Bits) With(doc int) Bits {
	for doc>>6 >= len(b) {
		b = append(b, 0)
	}
	b.Set(doc)
	return b
}

// Count is the number of documents in the set.
func (b Bits) Count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// Empty says whether no document is in the set.
func (b Bits) Empty() bool {
	for _, w := range b {
		if w != 0 {
			return false
		}
	}
	return true
}

// AppendTo appends the documents in ascending order.
func (b Bits) AppendTo(docs []int32) []int32 {
	for i, w := range b {
		base := int32(i << 6)
		if w == ^uint64(0) {
			for j := range int32(64) {
				docs = append(docs, base+j)
			}
			continue
		}
		for w != 0 {
			docs = append(docs, base+int32(bits.TrailingZeros64(w)))
			w &= w - 1
		}
	}
	return docs
}

// Each calls visit for every document in ascending order until it returns false.
func (b Bits) Each(visit func(doc int) bool) {
	for i, w := range b {
		for w != 0 {
			if !visit(i<<6 + bits.TrailingZeros64(w)) {
				return
			}
			w &= w - 1
		}
	}
}

// EachDown calls visit for every document in descending order until it returns false.
func (b Bits) EachDown(visit func(doc int) bool) {
	for i := len(b) - 1; i >= 0; i-- {
		for w := b[i]; w != 0; {
			top := 63 - bits.LeadingZeros64(w)
			if !visit(i<<6 + top) {
				return
			}
			w &^= 1 << top
		}
	}
}

// And keeps what is also in o.
func (b Bits) And(o Bits) {
	for i := range b {
		if i < len(o) {
			b[i] &= o[i]
		} else {
			b[i] = 0
		}
	}
}

// Or adds what is in o; o must not be longer.
func (b Bits) Or(o Bits) {
	for i := range o {
		b[i] |= o[i]
	}
}

// AndNot removes what is in o.
func (b Bits) AndNot(o Bits) {
	for i := range min(len(b), len(o)) {
		b[i] &^= o[i]
	}
}

// Fill adds the documents 0 to n-1.
func (b Bits) Fill(n int) {
	for i := range n / 64 {
		b[i] = ^uint64(0)
	}
	if n%64 > 0 {
		b[n/64] |= 1<<(n%64) - 1
	}
}

// encode is the file form: CRC-32C, then the words, little endian.
func (b Bits) encode() []byte {
	out := make([]byte, 4, 4+8*len(b))
	for _, w := range b {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	binary.LittleEndian.PutUint32(out, checksum(out[4:]))
	return out
}

func decodeBits(raw []byte, docs int) (Bits, error) {
	if len(raw) < 4 || (len(raw)-4)%8 != 0 || checksum(raw[4:]) != binary.LittleEndian.Uint32(raw) || (len(raw)-4)/8 > (docs+63)/64 {
		return nil, fmt.Errorf("%w: deletions", ErrDamaged)
	}
	b := make(Bits, (len(raw)-4)/8)
	for i := range b {
		b[i] = binary.LittleEndian.Uint64(raw[4+8*i:])
	}
	return b, nil
}
