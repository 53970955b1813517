package store

import "github.com/cespare/xxhash/v2"

// bloom answers whether a term may be in a segment: never a wrong no, about 1 % wrong yes at 10 bits a term.
type bloom []byte

const (
	bloomBits   = 10
	bloomProbes = 7
)

func newBloom(terms int) bloom { return make(bloom, max(8, (terms*bloomBits+7)/8)) }

func termHash(field, term string) uint64 {
	d := xxhash.New()
	// A hash never returns a write error.
	_, _ = d.WriteString(field)
	_, _ = d.Write([]byte{0})
	_, _ = d.WriteString(term)
	return d.Sum64()
}

func (b bloom) each(h uint64, visit func(byteAt int, bit byte) bool) bool {
	step := h>>32 | h<<32 | 1
	n := uint64(len(b)) * 8
	for range bloomProbes {
		at := h % n
		if !visit(int(at/8), 1<<(at%8)) {
			return false
		}
		h += step
	}
	return true
}

func (b bloom) add(h uint64) {
	b.each(h, func(i int, bit byte) bool { b[i] |= bit; return true })
}

func (b bloom) has(h uint64) bool {
	return b.each(h, func(i int, bit byte) bool { return b[i]&bit != 0 })
}
