// Package column holds the values of one field for a run of documents, in memory and as bytes.
//
// Documents are numbered from 0 within a segment. A column is append-only while its segment is written, so a
// View taken under the writer's lock stays valid and constant while further documents are appended. Strings are
// kept once in a dictionary. Invariant: the ends of documents are non-decreasing and the last one is the number
// of values; they are left out while every document has exactly one value, which makes most columns small and
// lets loops run over the values alone (see Single).
package column

import (
	"slices"
	"strings"
)

// Kind says how values are stored.
type Kind uint8

// The kinds of columns.
const (
	Int    Kind = iota // long, date (milliseconds), boolean (0 and 1)
	Float              // float, double; geo_point as latitude, longitude pairs
	String             // keyword, text, ip (16 bytes), flattened (key, 0, value)
)

// Value is one value of one field of a document.
type Value struct {
	Field string
	Kind  Kind
	Int   int64
	Float float64
	Str   string
}

// Column is the immutable view of one field's values.
type Column struct {
	Kind   Kind
	Ints   []int64
	Floats []float64
	Ords   []uint32 // indexes into Dict
	Dict   []string

	docs int
	ends []uint32 // per document the end of its values; nil if each of docs documents has exactly one
}

// Docs is the number of documents the column knows; documents beyond have no values.
func (c *Column) Docs() int { return c.docs }

// Single says whether each of the first n documents has exactly one value, at the position of its own number.
func (c *Column) Single(n int) bool { return c.ends == nil && c.docs >= n }

// Range returns the positions [from, to) of a document's values.
func (c *Column) Range(doc int) (from, to uint32) {
	if c == nil || doc >= c.docs {
		return 0, 0
	}
	if c.ends == nil {
		return uint32(doc), uint32(doc) + 1
	}
	if doc > 0 {
		from = c.ends[doc-1]
	}
	return from, c.ends[doc]
}

// Float returns the numeric value at a position.
func (c *Column) Float(pos uint32) float64 {
	if c.Kind == Float {
		return c.Floats[pos]
	}
	return float64(c.Ints[pos])
}

// Str returns the string at a position.
func (c *Column) Str(pos uint32) string { return c.Dict[c.Ords[pos]] }

// Bytes estimates the memory the column holds.
func (c *Column) Bytes() int {
	n := 4*len(c.ends) + 8*len(c.Ints) + 8*len(c.Floats) + 4*len(c.Ords) + 16*len(c.Dict)
	for _, s := range c.Dict {
		n += len(s)
	}
	return n + 128
}

// Constant is a column in which each of n documents has the one value s.
func Constant(n int, s string) *Column {
	return &Column{Kind: String, docs: n, Ords: make([]uint32, n), Dict: []string{s}}
}

// Keyed returns the column of one key of a flattened field, whose values are `key 0 value`.
func (c *Column) Keyed(key string) *Column {
	out := &Column{Kind: String}
	if c == nil {
		return out
	}
	prefix := key + "\x00"
	ords := make([]int32, len(c.Dict))
	for i, s := range c.Dict {
		ords[i] = -1
		if len(s) >= len(prefix) && s[:len(prefix)] == prefix {
			ords[i] = int32(len(out.Dict))
			out.Dict = append(out.Dict, s[len(prefix):])
		}
	}
	out.docs, out.ends = c.docs, make([]uint32, c.docs)
	for doc := range c.docs {
		from, to := c.Range(doc)
		for ; from < to; from++ {
			if o := ords[c.Ords[from]]; o >= 0 {
				out.Ords = append(out.Ords, uint32(o))
			}
		}
		out.ends[doc] = uint32(len(out.Ords))
	}
	return out
}

// Root returns the column of all values of a flattened field, whatever their key.
func (c *Column) Root() *Column {
	if c == nil {
		return &Column{Kind: String}
	}
	b := newBuilder(String)
	for doc := range c.docs {
		from, to := c.Range(doc)
		for ; from < to; from++ {
			s := c.Str(from)
			for i := range len(s) {
				if s[i] == 0 {
					s = s[i+1:]
					break
				}
			}
			b.add(doc, Value{Kind: String, Str: s})
		}
	}
	return b.view()
}

// builder appends values document by document.
type builder struct {
	name string
	col  Column
	ords map[string]uint32
	last uint32 // entry of the dictionary that was used last
}

func newBuilder(kind Kind) *builder {
	b := &builder{col: Column{Kind: kind}}
	if kind == String {
		b.ords = map[string]uint32{}
	}
	return b
}

// add appends a value to a document, which must not be before the last one.
func (b *builder) add(doc int, v Value) {
	c := &b.col
	fresh := c.docs <= doc
	if c.ends == nil && (c.docs < doc || !fresh) {
		c.ends = make([]uint32, c.docs, doc+64)
		for i := range c.ends {
			c.ends[i] = uint32(i + 1)
		}
	}
	for c.docs < doc {
		c.ends = append(c.ends, b.len())
		c.docs++
	}
	switch c.Kind {
	case Int:
		c.Ints = append(c.Ints, v.Int)
	case Float:
		c.Floats = append(c.Floats, v.Float)
	case String:
		ord, known := b.last, b.last < uint32(len(c.Dict)) && c.Dict[b.last] == v.Str
		if !known {
			ord, known = b.ords[v.Str]
		}
		if !known {
			ord = uint32(len(c.Dict))
			s := strings.Clone(v.Str) // of a request, which would stay in memory as a whole
			c.Dict = append(c.Dict, s)
			b.ords[s] = ord
		}
		b.last = ord
		if !fresh {
			// A set, as doc values of keywords are: the same string counts once in a document.
			if from, to := c.Range(doc); slices.Contains(c.Ords[from:to], ord) {
				return
			}
		}
		c.Ords = append(c.Ords, ord)
	}
	switch {
	case !fresh:
		c.ends[doc] = b.len()
	case c.ends != nil:
		c.ends = append(c.ends, b.len())
		fallthrough
	default:
		c.docs++
	}
}

func (b *builder) len() uint32 {
	return uint32(len(b.col.Ints) + len(b.col.Floats) + len(b.col.Ords))
}

func (b *builder) view() *Column {
	c := b.col
	return &c
}

// Set is the growing set of columns of a segment in writing. The caller serialises Add and View.
type Set struct {
	docs  int
	cols  map[string]*builder
	order []*builder // of the values of the document before, which the next one mostly repeats
}

// NewSet returns an empty set.
func NewSet() *Set { return &Set{cols: map[string]*builder{}} }

// Reset forgets all documents and keeps the memory that views do not share, for the next segment.
func (s *Set) Reset() *Set {
	next := &Set{cols: make(map[string]*builder, len(s.cols))}
	for name, b := range s.cols {
		clear(b.ords)
		next.cols[name] = &builder{name: name, col: Column{Kind: b.col.Kind}, ords: b.ords}
	}
	return next
}

// Add appends the values of the next document. A value of another kind than its column had before is
// reported by false and left out; mappings never change a type, so this is a damaged state.
func (s *Set) Add(values []Value) bool {
	ok := true
	for i, v := range values {
		b := s.builder(i, v)
		if b.col.Kind != v.Kind {
			ok = false
			continue
		}
		b.add(s.docs, v)
	}
	s.docs++
	return ok
}

// builder returns that of a value, which is the i-th of its document.
func (s *Set) builder(i int, v Value) *builder {
	if i < len(s.order) && s.order[i].name == v.Field {
		return s.order[i]
	}
	b := s.cols[v.Field]
	if b == nil {
		b = newBuilder(v.Kind)
		b.name = strings.Clone(v.Field)
		s.cols[b.name] = b
	}
	if i < len(s.order) {
		s.order[i] = b
	} else if i == len(s.order) {
		s.order = append(s.order, b)
	}
	return b
}

// Docs is the number of documents added.
func (s *Set) Docs() int { return s.docs }

// Str returns the first string of a document in a field, or "".
func (s *Set) Str(field string, doc int) string {
	b := s.cols[field]
	if b == nil || b.col.Kind != String {
		return ""
	}
	from, to := b.col.Range(doc)
	if from == to {
		return ""
	}
	return b.col.Str(from)
}

// Views returns all columns as they are now.
func (s *Set) Views() map[string]*Column {
	m := make(map[string]*Column, len(s.cols))
	for name, b := range s.cols {
		if b.col.docs > 0 {
			m[name] = b.view()
		}
	}
	return m
}
