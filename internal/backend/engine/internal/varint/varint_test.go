package varint

import (
	"encoding/binary"
	"math"
	"testing"
)

func TestReader(t *testing.T) {
	b := binary.AppendUvarint(nil, math.MaxUint64)
	b = append(b, 7)
	b = binary.AppendVarint(b, math.MinInt64)
	b = append(b, "abc"...)
	r := Reader{B: b}
	if u, c, i, s := r.Uint(), r.Byte(), r.Int(), r.Take(3); u != math.MaxUint64 || c != 7 || i != math.MinInt64 || string(s) != "abc" || r.Bad || len(r.B) != 0 {
		t.Errorf("%d, %d, %d, %q, bad %v, left %q", u, c, i, s, r.Bad, r.B)
	}
	for name, read := range map[string]func(*Reader) bool{
		"uint": func(r *Reader) bool { return r.Uint() == 0 },
		"int":  func(r *Reader) bool { return r.Int() == 0 },
		"byte": func(r *Reader) bool { return len(r.B) > 0 || r.Byte() == 0 },
		"take": func(r *Reader) bool { return r.Take(2) == nil },
	} {
		for _, b := range []string{"", "\x80"} { // nothing, and a number without its end
			r := Reader{B: []byte(b)}
			if zero := read(&r); !zero || r.Bad != (name != "byte" || b == "") {
				t.Errorf("%s of %q: zero %v, bad %v", name, b, zero, r.Bad)
			}
		}
	}
}
