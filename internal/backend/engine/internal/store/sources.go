package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/varint"
)

// chunkDocs is the number of documents whose sources are compressed together.
const chunkDocs = 128

// sources are the JSON texts of a growing run of documents, chunk by chunk compressed as they come. The caller
// serialises add and view; a view stays constant.
type sources struct {
	codec  *codec
	chunks [][]byte // compressed, chunkDocs documents each
	tail   []cutSource
	buf    []byte // the chunk encoded last
	packed []byte // and compressed
}

// cutSource is a source with the places of the values of its top-level members.
type cutSource struct {
	text []byte
	cuts []uint32
}

func (s *sources) view() *sources {
	return &sources{codec: s.codec, chunks: s.chunks, tail: s.tail}
}

// size is about what the sources take as a file.
func (s *sources) size() int64 {
	n := 0
	for _, c := range s.chunks {
		n += len(c)
	}
	for _, t := range s.tail {
		n += len(t.text) / 4
	}
	return int64(n)
}

func (s *sources) add(d *mapping.Document) {
	s.tail = append(s.tail, cutSource{d.Source, d.Cuts})
	if len(s.tail) == chunkDocs {
		s.buf = encodeChunk(s.buf[:0], s.tail)
		s.packed = s.codec.fast.EncodeAll(s.buf, s.packed[:0])
		s.chunks = append(s.chunks, slices.Clone(s.packed))
		s.tail = make([]cutSource, 0, chunkDocs) // a view may hold the old one
	}
}

// source returns that of a document. Owner is the key of its chunks in the cache.
func (s *sources) source(cache *Cache, owner any, doc int) ([]byte, error) {
	n := doc / chunkDocs
	if n >= len(s.chunks) {
		return s.tail[doc%chunkDocs].text, nil
	}
	return chunkSource(cache, s.codec, cacheKey{owner, chunkName(n)}, doc, func() ([]byte, error) { return s.chunks[n], nil })
}

func chunkName(n int) string { return "s/" + strconv.Itoa(n) }

// chunk is a decoded chunk.
type chunk struct {
	text []byte
	ends []int
}

// chunkSource reads the source of a document out of the chunk that read returns.
func chunkSource(cache *Cache, c *codec, key cacheKey, doc int, read func() ([]byte, error)) ([]byte, error) {
	v, ok := cache.get(key)
	if !ok {
		packed, err := read()
		if err != nil {
			return nil, err
		}
		raw, err := c.dec.DecodeAll(packed, nil)
		if err != nil {
			return nil, fmt.Errorf("%w: sources of document %d: %v", ErrDamaged, doc, err)
		}
		made, err := decodeChunk(raw)
		if err != nil {
			return nil, err
		}
		v = made
		cache.put(key, v, len(made.text)+8*len(made.ends)+64)
	}
	got := v.(*chunk)
	n := doc % chunkDocs
	if n >= len(got.ends) {
		return nil, fmt.Errorf("%w: no source of document %d", ErrDamaged, doc)
	}
	from := 0
	if n > 0 {
		from = got.ends[n-1]
	}
	return got.text[from:got.ends[n]:got.ends[n]], nil
}

// How the values of one member are stored in a chunk.
const (
	asText   = iota // length and bytes each
	asHex           // strings of lower-case hexadecimal digits of one length: the length, then half as many bytes each
	asNumber        // whole numbers as strconv prints them: zigzag varint differences
	asTime          // strings such as 2006-01-02T15:04:05.000Z: differences of milliseconds
)

// encodeChunk turns sources into bytes that compress well: what is between the values of their top-level members,
// which most documents of an index share, is stored once as a shape; then come the values, member by member.
//
//	number of documents; number of shapes; per shape its number of gaps, then length and bytes of each
//	per document its shape
//	per shape and member: how the values are stored (one byte), and the values of its documents
func encodeChunk(b []byte, docs []cutSource) []byte {
	var shapes [][]int // documents of each
	var of []int
	for i, d := range docs {
		n := slices.IndexFunc(shapes, func(list []int) bool { return sameShape(docs[list[0]], d) })
		if n < 0 {
			n = len(shapes)
			shapes = append(shapes, nil)
		}
		shapes[n] = append(shapes[n], i)
		of = append(of, n)
	}
	b = binary.AppendUvarint(b, uint64(len(docs)))
	b = binary.AppendUvarint(b, uint64(len(shapes)))
	for _, list := range shapes {
		d := docs[list[0]]
		b = binary.AppendUvarint(b, uint64(len(d.cuts)/2+1))
		for g := range len(d.cuts)/2 + 1 {
			gap := d.gap(g)
			b = append(binary.AppendUvarint(b, uint64(len(gap))), gap...)
		}
	}
	for _, n := range of {
		b = binary.AppendUvarint(b, uint64(n))
	}
	values := make([][]byte, 0, len(docs))
	for _, list := range shapes {
		for m := range len(docs[list[0]].cuts) / 2 {
			values = values[:0]
			for _, i := range list {
				values = append(values, docs[i].value(m))
			}
			b = appendValues(b, values)
		}
	}
	return b
}

// gap is the text before value g, or after the last one.
func (d cutSource) gap(g int) []byte {
	from, to := 0, len(d.text)
	if g > 0 {
		from = int(d.cuts[2*g-1])
	}
	if 2*g < len(d.cuts) {
		to = int(d.cuts[2*g])
	}
	return d.text[from:to]
}

func (d cutSource) value(m int) []byte { return d.text[d.cuts[2*m]:d.cuts[2*m+1]] }

func sameShape(a, b cutSource) bool {
	if len(a.cuts) != len(b.cuts) {
		return false
	}
	for g := range len(a.cuts)/2 + 1 {
		if !bytes.Equal(a.gap(g), b.gap(g)) {
			return false
		}
	}
	return true
}

func appendValues(b []byte, values [][]byte) []byte {
	start := len(b)
	for _, try := range [...]func([]byte, [][]byte) ([]byte, bool){appendHexValues, appendNumbers, appendTimes} {
		if out, ok := try(b[:start], values); ok {
			return out
		}
	}
	b = append(b[:start], asText)
	for _, v := range values {
		b = append(binary.AppendUvarint(b, uint64(len(v))), v...)
	}
	return b
}

func appendHexValues(b []byte, values [][]byte) ([]byte, bool) {
	digits := len(values[0]) - 2
	if digits < 8 || digits > 254 || digits%2 != 0 {
		return b, false
	}
	b = append(b, asHex, byte(digits))
	for _, v := range values {
		if len(v) != digits+2 || v[0] != '"' {
			return b, false
		}
		var ok bool
		if b, ok = column.AppendHex(b, v[1:1+digits]); !ok {
			return b, false
		}
	}
	return b, true
}

func appendNumbers(b []byte, values [][]byte) ([]byte, bool) {
	b = append(b, asNumber)
	var last int64
	var text [24]byte
	for _, v := range values {
		if len(v) > 18 || v[0] != '-' && (v[0] < '0' || v[0] > '9') {
			return b, false
		}
		n, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil || !bytes.Equal(strconv.AppendInt(text[:0], n, 10), v) {
			return b, false
		}
		b = binary.AppendVarint(b, n-last)
		last = n
	}
	return b, true
}

func appendTimes(b []byte, values [][]byte) ([]byte, bool) {
	b = append(b, asTime)
	var last int64
	for _, v := range values {
		ms, ok := parseTime(v)
		if !ok {
			return b, false
		}
		b = binary.AppendVarint(b, ms-last)
		last = ms
	}
	return b, true
}

// decodeChunk reads what encodeChunk wrote. It accepts any bytes.
func decodeChunk(raw []byte) (*chunk, error) {
	r := &chunkReader{varint.Reader{B: raw}}
	docs, count := r.Uint(), r.Uint()
	if docs > chunkDocs || count > docs {
		return nil, fmt.Errorf("%w: chunk of sources", ErrDamaged)
	}
	shapes := make([][][]byte, count)
	for i := range shapes {
		gaps := r.Uint()
		if gaps == 0 || gaps > uint64(len(r.B))+1 {
			return nil, fmt.Errorf("%w: chunk of sources", ErrDamaged)
		}
		for range gaps {
			shapes[i] = append(shapes[i], r.piece())
		}
	}
	of := make([]uint64, docs)
	members := make([]int, count) // documents of each shape
	for i := range of {
		if of[i] = r.Uint(); of[i] >= count {
			return nil, fmt.Errorf("%w: chunk of sources", ErrDamaged)
		}
		members[of[i]]++
	}
	values := make([][][]byte, count) // of each shape, member by member
	size := 0
	for i, gaps := range shapes {
		for range len(gaps) - 1 {
			list := r.values(members[i])
			for _, v := range list {
				size += len(v)
			}
			values[i] = append(values[i], list...)
		}
		for _, g := range gaps {
			size += len(g) * members[i]
		}
	}
	if r.Bad || len(r.B) != 0 || size > maxDecoded {
		return nil, fmt.Errorf("%w: chunk of sources", ErrDamaged)
	}
	out := &chunk{text: make([]byte, 0, size), ends: make([]int, docs)}
	at := make([]int, count)
	for i, n := range of {
		for g, gap := range shapes[n] {
			out.text = append(out.text, gap...)
			if g < len(shapes[n])-1 {
				out.text = append(out.text, values[n][g*members[n]+at[n]]...)
			}
		}
		at[n]++
		out.ends[i] = len(out.text)
	}
	return out, nil
}

// chunkReader reads the parts of a chunk.
type chunkReader struct{ varint.Reader }

// piece reads bytes behind their length.
func (r *chunkReader) piece() []byte { return r.Take(r.Uint()) }

// values reads the values of one member of a number of documents.
func (r *chunkReader) values(n int) [][]byte {
	list := make([][]byte, 0, n)
	kind := r.Byte()
	if r.Bad {
		return nil
	}
	var buf []byte
	var last int64
	var digits uint64
	if kind == asHex {
		digits = uint64(r.Byte())
	}
	for range n {
		from := len(buf)
		switch kind {
		case asText:
			list = append(list, r.piece())
			continue
		case asHex:
			buf = append(buf, '"')
			for _, c := range r.Take(digits / 2) {
				buf = append(buf, hexDigits[c>>4], hexDigits[c&15])
			}
			buf = append(buf, '"')
		case asNumber:
			last += r.Int()
			buf = strconv.AppendInt(buf, last, 10)
		case asTime:
			last += r.Int()
			buf = appendTime(buf, last)
		default:
			r.Bad = true
			return nil
		}
		// If buf moved, the earlier values keep the old array.
		list = append(list, buf[from:len(buf):len(buf)])
	}
	return list
}

const hexDigits = "0123456789abcdef"
