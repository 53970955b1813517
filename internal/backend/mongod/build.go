package mongod

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"time"
)

// builder appends fields to a new document.
type builder struct{ buf []byte }

func newDocument() *builder { return &builder{buf: make([]byte, 4, 128)} }

func (b *builder) add(name string, v value) *builder {
	if v.missing() {
		return b
	}
	b.buf = append(b.buf, v.kind)
	b.buf = append(b.buf, name...)
	b.buf = append(b.buf, 0)
	b.buf = append(b.buf, v.data...)
	return b
}

func (b *builder) str(name, s string) *builder            { return b.add(name, stringValue(s)) }
func (b *builder) int32(name string, n int) *builder      { return b.add(name, int32Value(int32(n))) }
func (b *builder) int64(name string, n int64) *builder    { return b.add(name, int64Value(n)) }
func (b *builder) bool(name string, x bool) *builder      { return b.add(name, boolValue(x)) }
func (b *builder) doc(name string, d document) *builder   { return b.add(name, documentValue(d)) }
func (b *builder) array(name string, v []value) *builder  { return b.add(name, arrayValue(v)) }
func (b *builder) date(name string, t time.Time) *builder { return b.add(name, dateValue(t)) }

// ok ends a successful reply.
func (b *builder) ok() document { return b.add("ok", doubleValue(1)).done() }

func (b *builder) done() document {
	b.buf = append(b.buf, 0)
	binary.LittleEndian.PutUint32(b.buf, uint32(len(b.buf)))
	return b.buf
}

func stringValue(s string) value {
	data := make([]byte, 0, len(s)+5)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(s)+1))
	data = append(data, s...)
	return value{kind: kindString, data: append(data, 0)}
}

func int32Value(n int32) value {
	return value{kind: kindInt32, data: binary.LittleEndian.AppendUint32(nil, uint32(n))}
}

func int64Value(n int64) value {
	return value{kind: kindInt64, data: binary.LittleEndian.AppendUint64(nil, uint64(n))}
}

func doubleValue(f float64) value {
	return value{kind: kindDouble, data: binary.LittleEndian.AppendUint64(nil, math.Float64bits(f))}
}

func boolValue(x bool) value {
	if x {
		return value{kind: kindBool, data: []byte{1}}
	}
	return value{kind: kindBool, data: []byte{0}}
}

func binaryValue(b []byte) value {
	data := binary.LittleEndian.AppendUint32(make([]byte, 0, len(b)+5), uint32(len(b)))
	return value{kind: kindBinary, data: append(append(data, 0), b...)}
}

func nullValue() value                { return value{kind: kindNull} }
func documentValue(d document) value  { return value{kind: kindDocument, data: d} }
func objectIDValue(id [12]byte) value { return value{kind: kindObjectID, data: id[:]} }
func dateValue(t time.Time) value {
	return value{kind: kindDate, data: binary.LittleEndian.AppendUint64(nil, uint64(t.UnixMilli()))}
}

func arrayValue(elements []value) value {
	b := &builder{buf: make([]byte, 4, 64)}
	for i, v := range elements {
		b.add(strconv.Itoa(i), v)
	}
	return value{kind: kindArray, data: b.done()}
}

func documentArray(docs []document) value {
	b := &builder{buf: make([]byte, 4, 64)}
	for i, d := range docs {
		b.add(strconv.Itoa(i), documentValue(d))
	}
	return value{kind: kindArray, data: b.done()}
}

// with returns d with the field set to v: replaced in place, appended, or removed when v is missing.
func (d document) with(name string, v value) document {
	b := &builder{buf: make([]byte, 4, len(d)+len(v.data)+len(name)+2)}
	found := false
	r := d.reader()
	for {
		key, old, ok := r.next()
		if !ok {
			break
		}
		if !found && string(key) == name {
			found = true
			b.add(name, v)
			continue
		}
		b.add(string(key), old)
	}
	if !found {
		b.add(name, v)
	}
	return b.done()
}

// withIDFirst returns d with _id as its first field; id is used when d has none.
func (d document) withIDFirst(id value) document {
	if d.firstName() == "_id" {
		return d
	}
	if own := d.get("_id"); !own.missing() {
		id = own
	}
	b := &builder{buf: make([]byte, 4, len(d)+len(id.data)+5)}
	b.add("_id", id)
	r := d.reader()
	for {
		key, v, ok := r.next()
		if !ok {
			return b.done()
		}
		if string(key) != "_id" {
			b.add(string(key), v)
		}
	}
}

// orNull turns a missing value into null.
func orNull(v value) value {
	if v.missing() {
		return nullValue()
	}
	return v
}

// clone detaches a value from the memory it was read from.
func (v value) clone() value { return value{kind: v.kind, data: slices.Clone(v.data)} }

// field is a name with a value.
type field struct {
	name  string
	value value
}

func documentFields(d document) []field {
	var out []field
	r := d.reader()
	for {
		name, v, ok := r.next()
		if !ok {
			return out
		}
		out = append(out, field{string(name), v})
	}
}
