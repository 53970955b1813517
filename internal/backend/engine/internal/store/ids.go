package store

import "github.com/cespare/xxhash/v2"

// Places of documents that an id table does not hold.
const (
	freeSlot = ^uint32(0)     // never used
	goneSlot = ^uint32(0) - 1 // its document was deleted
	maxPlace = ^uint32(0) - 2
)

// idTable finds documents by their ids: an open addressing table of 64-bit hashes with the place of the document in
// the index. Two ids may have the same hash, so the caller compares the ids of what it finds. 12 bytes a slot, at
// most three quarters used.
type idTable struct {
	hashes []uint64
	places []uint32
	used   int // slots that are not free
}

func newIDTable(n int) *idTable {
	size := 1024
	for size*3/4 < n+1 {
		size *= 2
	}
	t := &idTable{hashes: make([]uint64, size), places: make([]uint32, size)}
	for i := range t.places {
		t.places[i] = freeSlot
	}
	return t
}

func hashID(id string) uint64 { return xxhash.Sum64String(id) }

// find returns the slot of the document that same accepts, or -1.
func (t *idTable) find(h uint64, same func(place uint32) bool) int {
	mask := len(t.hashes) - 1
	for i := int(h) & mask; ; i = (i + 1) & mask {
		switch p := t.places[i]; {
		case p == freeSlot:
			return -1
		case p != goneSlot && t.hashes[i] == h && same(p):
			return i
		}
	}
}

// insert adds a document whose id is not in the table.
func (t *idTable) insert(h uint64, place uint32) {
	if t.used >= len(t.hashes)*3/4 {
		t.grow()
	}
	mask := len(t.hashes) - 1
	i := int(h) & mask
	for t.places[i] != freeSlot {
		i = (i + 1) & mask
	}
	t.hashes[i], t.places[i] = h, place
	t.used++
}

func (t *idTable) remove(slot int) { t.places[slot] = goneSlot }

// grow makes a table for what is not deleted with as much room again.
func (t *idTable) grow() {
	live := 0
	for _, p := range t.places {
		if p < goneSlot {
			live++
		}
	}
	next := newIDTable(live * 2)
	for i, p := range t.places {
		if p < goneSlot {
			next.insert(t.hashes[i], p)
		}
	}
	*t = *next
}
