package mongod

import (
	"bytes"
	"cmp"
	"testing"

	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/update"
	"kreislauf/internal/backend/mongod/wire"

	"go.mongodb.org/mongo-driver/v2/bson"
)

func extended(f *testing.F, text string) []byte {
	var d bson.D
	if err := bson.UnmarshalExtJSON([]byte(text), false, &d); err != nil {
		f.Fatal(err)
	}
	raw, err := bson.Marshal(d)
	if err != nil {
		f.Fatal(err)
	}
	return raw
}

// FuzzReadMessage checks that no bytes make the parser panic and that what it accepts can be walked.
func FuzzReadMessage(f *testing.F) {
	body := raw.New().Str("insert", "c").Str("$db", "d").Done()
	f.Add(frame(2013, append([]byte{0, 0, 0, 0, 0}, body...)))
	f.Add(frame(2013, append(append([]byte{1, 0, 0, 0, 0}, body...), 1, 2, 3, 4)))
	f.Add(frame(2013, append(append([]byte{0, 0, 0, 0, 0}, body...), append([]byte{1, 19, 0, 0, 0}, "documents\x00\x05\x00\x00\x00\x00"...)...)))
	f.Add(frame(2004, append([]byte("\x00\x00\x00\x00admin.$cmd\x00\x00\x00\x00\x00\x00\x00\x00\x00"), body...)))
	f.Add(frame(2013, append([]byte{0, 0, 0, 0, 0}, extended(f, `{"a":[{"$code":"x","$scope":{"b":1}},{"$regularExpression":{"pattern":"a","options":"i"}},{"$dbPointer":{"$ref":"b","$id":{"$oid":"56e1fc72e0c917e9c4714161"}}}]}`)...)))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := wire.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		docs := []raw.Document{m.Body}
		for _, s := range m.Sequences {
			docs = append(docs, s...)
		}
		for _, d := range docs {
			if err := raw.Validate(d, 1); err != nil {
				t.Errorf("accepted a document that is not valid: %v", err)
			}
			_ = d.String()
			copied := d.With("no such field", raw.Value{})
			if !bytes.Equal(copied, d) {
				t.Errorf("copy of %x is %x", d, copied)
			}
		}
	})
}

// FuzzKeyOrder checks that keys order like the values.
func FuzzKeyOrder(f *testing.F) {
	for _, s := range []string{
		`{"a":1,"b":1.0}`, `{"a":{"$numberLong":"9223372036854775807"},"b":9223372036854775808.0}`, `{"a":"a","b":"a\u0000"}`,
		`{"a":{"x":1},"b":{"x":1,"y":2}}`, `{"a":[1,2],"b":[1]}`, `{"a":{"$numberDouble":"NaN"},"b":{"$numberDouble":"-Infinity"}}`,
		`{"a":{"$numberDouble":"-0.0"},"b":0}`, `{"a":{"$date":{"$numberLong":"-5"}},"b":{"$date":{"$numberLong":"5"}}}`, `{"a":null,"b":{"$minKey":1}}`,
		`{"a":{"$binary":{"base64":"AQID","subType":"00"}},"b":{"$binary":{"base64":"AQI=","subType":"80"}}}`, `{"a":{"$timestamp":{"t":1,"i":2}},"b":{"$timestamp":{"t":1,"i":3}}}`,
		`{"a":{"$numberDouble":"123456789012345680"},"b":{"$numberLong":"123456789012345678"}}`, `{"a":{"":1},"b":{"a":1}}`,
		`{"a":{"$regularExpression":{"pattern":"a","options":""}},"b":{"$regularExpression":{"pattern":"ab","options":""}}}`,
	} {
		d := raw.Document(extended(f, s))
		a, b := d.Get("a"), d.Get("b")
		f.Add(a.Kind, a.Data, b.Kind, b.Data)
	}
	f.Fuzz(func(t *testing.T, kindA byte, dataA []byte, kindB byte, dataB []byte) {
		a, b := raw.Value{Kind: kindA, Data: dataA}, raw.Value{Kind: kindB, Data: dataB}
		if kindA == raw.KindMissing || kindB == raw.KindMissing || raw.Validate(raw.New().Add("a", a).Add("b", b).Done(), 1) != nil {
			return
		}
		if d := raw.New().Add("a", a).Add("b", b).Done(); !bytes.Equal(d.Get("a").Data, dataA) || !bytes.Equal(d.Get("b").Data, dataB) {
			return // the bytes of a are the beginning of b
		}
		checkKeyOrder(t, a, a)
		checkKeyOrder(t, a, b)
	})
}

func checkKeyOrder(t *testing.T, a, b raw.Value) {
	t.Helper()
	ka, kb := raw.AppendKey(nil, a), raw.AppendKey(nil, b)
	want := raw.Compare(a, b)
	if got := bytes.Compare(ka, kb); got != want {
		t.Errorf("%s and %s: keys compare %d, values %d", a, b, got, want)
	}
	if want != 0 && (bytes.HasPrefix(ka, kb) || bytes.HasPrefix(kb, ka)) {
		t.Errorf("key of %s is a prefix of the key of %s", a, b)
	}
	raw.Invert(ka)
	raw.Invert(kb)
	if got := bytes.Compare(ka, kb); got != cmp.Compare(0, want) {
		t.Errorf("%s and %s: inverted keys compare %d", a, b, got)
	}
}

// FuzzFilter parses one document as filter, update, sort and projection and applies them to another.
func FuzzFilter(f *testing.F) {
	doc := extended(f, `{"_id":1,"a":[1,{"b":[2,"x",null]},[3]],"c":{"d":{"e":1.5}},"s":"text"}`)
	for _, s := range []string{
		`{"a":1}`, `{"a.b":{"$in":[2,null]},"$or":[{"c.d":{"$exists":true}},{"a.1.b.0":{"$gt":1}}]}`, `{"a":{"$elemMatch":{"b":{"$ne":3}}}}`,
		`{"$set":{"c.d.x":1,"a.5":1}}`, `{"$push":{"a":{"$each":[1],"$slice":-2}}}`, `{"$pull":{"a":{"b":2}}}`, `{"$pull":{"a":{"$gte":1}}}`,
		`{"$inc":{"c.d.e":1},"$unset":{"a.0":1},"$max":{"s":2},"$addToSet":{"a":4}}`, `{"a.b":1,"s":1}`, `{"c":{"d":0}}`,
	} {
		f.Add(extended(f, s), doc)
	}
	f.Fuzz(func(t *testing.T, spec, data []byte) {
		if raw.Validate(spec, 1) != nil || raw.Validate(data, 1) != nil {
			return
		}
		d := raw.Document(data)
		if q, err := query.Parse(spec, nil); err == nil {
			q.Matches(d)
			_, _ = update.UpsertBase(q)
		}
		if u, err := update.Parse(raw.Doc(spec), nil); err == nil {
			if out, err := u.Apply(d, raw.Value{}, true); err == nil && raw.Validate(out, -raw.MaxDepth) != nil {
				t.Errorf("update of %s by %s is not valid: %x", d, raw.Document(spec), out)
			}
		}
		if order, err := query.ParseSort(spec); err == nil && len(order) > 0 {
			s := &query.Sorter{Order: order}
			if err := s.Add(d); err != nil {
				t.Error(err)
			}
		}
		if p, err := query.ParseProjection(spec); err == nil {
			if out := p.Apply(d); raw.Validate(out, -raw.MaxDepth) != nil {
				t.Errorf("projection of %s by %s is not valid: %x", d, raw.Document(spec), out)
			}
		}
	})
}
