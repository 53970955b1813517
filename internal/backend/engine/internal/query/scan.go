package query

import (
	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/store"
)

// The loops of filters. A column with exactly one value for each document is read straight through, 64 documents
// a word; any other one document by document.

// scanInts finds the documents with a value from lo to hi.
func scanInts(bits store.Bits, c *column.Column, docs int, lo, hi int64) {
	if lo > hi {
		return
	}
	if c.Single(docs) {
		width := uint64(hi) - uint64(lo)
		for w, rest := 0, c.Ints[:docs]; len(rest) > 0; w++ {
			part := rest[:min(64, len(rest))]
			rest = rest[len(part):]
			var word uint64
			for i, v := range part {
				var in uint64
				if uint64(v)-uint64(lo) <= width {
					in = 1
				}
				word |= in << i
			}
			bits[w] = word
		}
		return
	}
	scan(bits, c, docs, func(pos uint32) bool { return c.Ints[pos] >= lo && c.Ints[pos] <= hi })
}

// scanFloats finds the documents with a value from lo to hi.
func scanFloats(bits store.Bits, c *column.Column, docs int, lo, hi float64) {
	scan(bits, c, docs, func(pos uint32) bool { return c.Floats[pos] >= lo && c.Floats[pos] <= hi })
}

// scanOrds finds the documents with one of the entries of the dictionary.
func scanOrds(bits store.Bits, c *column.Column, docs int, wanted []bool) {
	if c.Single(docs) {
		for w, rest := 0, c.Ords[:docs]; len(rest) > 0; w++ {
			part := rest[:min(64, len(rest))]
			rest = rest[len(part):]
			var word uint64
			for i, o := range part {
				var in uint64
				if wanted[o] {
					in = 1
				}
				word |= in << i
			}
			bits[w] = word
		}
		return
	}
	scan(bits, c, docs, func(pos uint32) bool { return wanted[c.Ords[pos]] })
}

// scan finds the documents with a value at a position that keep accepts.
func scan(bits store.Bits, c *column.Column, docs int, keep func(pos uint32) bool) {
	for doc := range min(docs, c.Docs()) {
		from, to := c.Range(doc)
		for ; from < to; from++ {
			if keep(from) {
				bits.Set(doc)
				break
			}
		}
	}
}
