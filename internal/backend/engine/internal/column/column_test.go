package column

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestRoundTrip(t *testing.T) {
	s := NewSet()
	s.Add([]Value{{Field: "i", Kind: Int, Int: math.MinInt64}, {Field: "i", Kind: Int, Int: math.MaxInt64}, {Field: "s", Kind: String, Str: "a"}, {Field: "s", Kind: String, Str: "a"}})
	s.Add(nil)
	s.Add([]Value{{Field: "f", Kind: Float, Float: -0.5}, {Field: "s", Kind: String, Str: ""}, {Field: "s", Kind: String, Str: "b"}})
	if s.Add([]Value{{Field: "f", Kind: Int, Int: 1}}) {
		t.Error("two kinds in one column were accepted")
	}
	for name, c := range s.Views() {
		got, err := Decode(c.Encode(nil))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c, got, cmpopts.EquateEmpty(), cmp.AllowUnexported(Column{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	if from, to := s.Views()["s"].Range(0); to-from != 1 {
		t.Errorf("the same string counts %d times in one document", to-from)
	}
}

// TestViewIsConstant appends while an older view is read.
func TestViewIsConstant(t *testing.T) {
	s := NewSet()
	s.Add([]Value{{Field: "s", Kind: String, Str: "a"}})
	old := s.Views()["s"]
	for range 1000 {
		s.Add([]Value{{Field: "s", Kind: String, Str: "b"}, {Field: "s", Kind: String, Str: "c"}})
	}
	want := &Column{Kind: String, docs: 1, Ords: []uint32{0}, Dict: []string{"a"}}
	if d := cmp.Diff(want, old, cmp.AllowUnexported(Column{})); d != "" {
		t.Errorf("view changed (-want +got):\n%s", d)
	}
}

func TestKeyed(t *testing.T) {
	s := NewSet()
	s.Add([]Value{{Field: "f", Kind: String, Str: "a.b\x00x"}, {Field: "f", Kind: String, Str: "a\x00y"}})
	s.Add([]Value{{Field: "f", Kind: String, Str: "a\x00x"}})
	c := s.Views()["f"]
	if d := cmp.Diff(&Column{Kind: String, docs: 2, ends: []uint32{1, 2}, Ords: []uint32{0, 1}, Dict: []string{"y", "x"}}, c.Keyed("a"), cmp.AllowUnexported(Column{})); d != "" {
		t.Errorf("key (-want +got):\n%s", d)
	}
	if d := cmp.Diff(&Column{Kind: String, docs: 2, ends: []uint32{2, 3}, Ords: []uint32{0, 1, 0}, Dict: []string{"x", "y"}}, c.Root(), cmp.AllowUnexported(Column{})); d != "" {
		t.Errorf("root (-want +got):\n%s", d)
	}
}

func FuzzDecode(f *testing.F) {
	s := NewSet()
	s.Add([]Value{{Field: "i", Kind: Int, Int: 5}, {Field: "f", Kind: Float, Float: 1}, {Field: "s", Kind: String, Str: "a"}})
	s.Add([]Value{{Field: "s", Kind: String, Str: "b"}})
	for _, c := range s.Views() {
		f.Add(c.Encode(nil))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Decode(data)
		if err != nil {
			return
		}
		again, err := Decode(c.Encode(nil))
		if err != nil || !bytes.Equal(again.Encode(nil), c.Encode(nil)) {
			t.Fatalf("decoded column does not survive a round trip: %v", err)
		}
	})
}

func TestPacked(t *testing.T) {
	s := NewSet()
	for i := range 300 {
		s.Add([]Value{{Field: "id", Kind: String, Str: fmt.Sprintf("%032x", i*i)}, {Field: "n", Kind: String, Str: fmt.Sprintf("%08d", i)}, {Field: "up", Kind: String, Str: fmt.Sprintf("%08X", i)}})
	}
	c := s.Views()["id"]
	packed, ok := c.Packed(300)
	if !ok {
		t.Fatal("not packed")
	}
	got, err := Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(c, got, cmp.AllowUnexported(Column{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	var found []int
	for _, id := range []int{0, 7, 299} {
		FindPacked(packed, fmt.Sprintf("%032x", id*id), func(doc int) { found = append(found, doc) })
	}
	FindPacked(packed, fmt.Sprintf("%031x", 4), func(doc int) { t.Errorf("a shorter value is found in document %d", doc) })
	FindPacked(packed, fmt.Sprintf("%032x", 5), func(doc int) { t.Errorf("a value that is not there is found in document %d", doc) })
	if d := cmp.Diff([]int{0, 7, 299}, found); d != "" {
		t.Errorf("found (-want +got):\n%s", d)
	}
	if _, ok := s.Views()["up"].Packed(300); ok {
		t.Error("digits in upper case would be lost")
	}
	if _, ok := c.Packed(301); ok {
		t.Error("a column that lacks a document is packed")
	}
}
