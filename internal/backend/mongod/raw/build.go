package raw

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"time"
)

// Builder appends fields to a new document.
type Builder struct{ buf []byte }

// New begins an empty document.
func New() *Builder { return &Builder{buf: make([]byte, 4, 128)} }

// Add appends a field; a missing value is left out.
func (b *Builder) Add(name string, v Value) *Builder {
	if v.Missing() {
		return b
	}
	b.buf = append(b.buf, v.Kind)
	b.buf = append(b.buf, name...)
	b.buf = append(b.buf, 0)
	b.buf = append(b.buf, v.Data...)
	return b
}

// Str appends a string.
func (b *Builder) Str(name, s string) *Builder { return b.Add(name, String(s)) }

// Int32 appends a number of 32 bits.
func (b *Builder) Int32(name string, n int) *Builder { return b.Add(name, Int32(int32(n))) }

// Int64 appends a number of 64 bits.
func (b *Builder) Int64(name string, n int64) *Builder { return b.Add(name, Int64(n)) }

// Bool appends true or false.
func (b *Builder) Bool(name string, x bool) *Builder { return b.Add(name, Bool(x)) }

// Doc appends a document.
func (b *Builder) Doc(name string, d Document) *Builder { return b.Add(name, Doc(d)) }

// Array appends an array.
func (b *Builder) Array(name string, v []Value) *Builder { return b.Add(name, Array(v)) }

// Date appends a time, to the millisecond.
func (b *Builder) Date(name string, t time.Time) *Builder { return b.Add(name, Date(t)) }

// OK ends a successful reply.
func (b *Builder) OK() Document { return b.Add("ok", Double(1)).Done() }

// Done ends the document; the builder is not used any more.
func (b *Builder) Done() Document {
	b.buf = append(b.buf, 0)
	binary.LittleEndian.PutUint32(b.buf, uint32(len(b.buf)))
	return b.buf
}

// String makes a string.
func String(s string) Value {
	data := make([]byte, 0, len(s)+5)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(s)+1))
	data = append(data, s...)
	return Value{Kind: KindString, Data: append(data, 0)}
}

// Int32 makes a number of 32 bits.
func Int32(n int32) Value {
	return Value{Kind: KindInt32, Data: binary.LittleEndian.AppendUint32(nil, uint32(n))}
}

// Int64 makes a number of 64 bits.
func Int64(n int64) Value {
	return Value{Kind: KindInt64, Data: binary.LittleEndian.AppendUint64(nil, uint64(n))}
}

// Double makes a floating-point number.
func Double(f float64) Value {
	return Value{Kind: KindDouble, Data: binary.LittleEndian.AppendUint64(nil, math.Float64bits(f))}
}

// Bool makes true or false.
func Bool(x bool) Value {
	if x {
		return Value{Kind: KindBool, Data: []byte{1}}
	}
	return Value{Kind: KindBool, Data: []byte{0}}
}

// Binary makes bytes of the generic subtype.
func Binary(b []byte) Value {
	data := binary.LittleEndian.AppendUint32(make([]byte, 0, len(b)+5), uint32(len(b)))
	return Value{Kind: KindBinary, Data: append(append(data, 0), b...)}
}

// Null makes null.
func Null() Value { return Value{Kind: KindNull} }

// Doc makes a value of a document.
func Doc(d Document) Value { return Value{Kind: KindDocument, Data: d} }

// ObjectID makes an ObjectId.
func ObjectID(id [12]byte) Value { return Value{Kind: KindObjectID, Data: id[:]} }

// Date makes a time, to the millisecond.
func Date(t time.Time) Value {
	return Value{Kind: KindDate, Data: binary.LittleEndian.AppendUint64(nil, uint64(t.UnixMilli()))}
}

// Array makes an array of values.
func Array(elements []Value) Value {
	b := &Builder{buf: make([]byte, 4, 64)}
	for i, v := range elements {
		b.Add(strconv.Itoa(i), v)
	}
	return Value{Kind: KindArray, Data: b.Done()}
}

// Documents makes an array of documents.
func Documents(docs []Document) Value {
	b := &Builder{buf: make([]byte, 4, 64)}
	for i, d := range docs {
		b.Add(strconv.Itoa(i), Doc(d))
	}
	return Value{Kind: KindArray, Data: b.Done()}
}

// With returns d with the field set to v: replaced in place, appended, or removed when v is missing.
func (d Document) With(name string, v Value) Document {
	b := &Builder{buf: make([]byte, 4, len(d)+len(v.Data)+len(name)+2)}
	found := false
	r := d.Reader()
	for {
		key, old, ok := r.Next()
		if !ok {
			break
		}
		if !found && string(key) == name {
			found = true
			b.Add(name, v)
			continue
		}
		b.Add(string(key), old)
	}
	if !found {
		b.Add(name, v)
	}
	return b.Done()
}

// WithIDFirst returns d with _id as its first field; id is used when d has none.
func (d Document) WithIDFirst(id Value) Document {
	if d.FirstName() == "_id" {
		return d
	}
	if own := d.Get("_id"); !own.Missing() {
		id = own
	}
	b := &Builder{buf: make([]byte, 4, len(d)+len(id.Data)+5)}
	b.Add("_id", id)
	r := d.Reader()
	for {
		key, v, ok := r.Next()
		if !ok {
			return b.Done()
		}
		if string(key) != "_id" {
			b.Add(string(key), v)
		}
	}
}

// OrNull turns a missing value into null.
func OrNull(v Value) Value {
	if v.Missing() {
		return Null()
	}
	return v
}

// Clone detaches a value from the memory it was read from.
func (v Value) Clone() Value { return Value{Kind: v.Kind, Data: slices.Clone(v.Data)} }

// Field is a name with a value.
type Field struct {
	Name  string
	Value Value
}

// Fields lists the fields of a document in order.
func Fields(d Document) []Field {
	var out []Field
	r := d.Reader()
	for {
		name, v, ok := r.Next()
		if !ok {
			return out
		}
		out = append(out, Field{string(name), v})
	}
}
