package record

import "bytes"

const (
	memberSlots = 256 // a power of two
	memberLimit = 192 // beyond this many members the set stops looking
)

// memberSet finds a key that stands twice in one object. It compares the written bytes, so two spellings of
// one key (an escape) count as two keys.
type memberSet struct {
	generation uint32
	count      int
	slots      [memberSlots]memberSlot
}

type memberSlot struct {
	generation         uint32
	object, start, end uint32
}

func (s *memberSet) reset() {
	s.count = 0
	s.generation++
	if s.generation == 0 { // wrapped: the old marks would look like new ones
		s.slots = [memberSlots]memberSlot{}
		s.generation = 1
	}
}

// add notes the key b[start:end] of the object that begins at offset object and reports whether it was there.
func (s *memberSet) add(b []byte, object, start, end int) bool {
	if s.count == memberLimit {
		return false
	}
	s.count++
	key := b[start:end]
	h := uint32(object)*0x9E3779B1 + uint32(len(key))
	if len(key) > 0 {
		h += uint32(key[0])<<8 | uint32(key[len(key)/2])<<16 | uint32(key[len(key)-1])<<24
	}
	h *= 0x85EBCA6B
	for i := h >> 24; ; i = (i + 1) % memberSlots {
		slot := &s.slots[i]
		if slot.generation != s.generation {
			*slot = memberSlot{s.generation, uint32(object), uint32(start), uint32(end)}
			return false
		}
		if slot.object == uint32(object) && bytes.Equal(b[slot.start:slot.end], key) {
			return true
		}
	}
}
