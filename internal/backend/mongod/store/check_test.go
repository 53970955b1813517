package store

import (
	"errors"
	"strings"
	"testing"

	"kreislauf/internal/backend/mongod/raw"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// TestCheckFindsWhatIsWrong damages a collection below the commands and asks for a report each time.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	st := mustDo[*Store](t)(Open(dir, zerolog.Nop()))
	err := st.Write(func(w *Tx) error {
		c, _, err := w.EnsureCollection("test.c")
		for _, d := range []string{`{"_id":1,"a":1,"tags":["x","y"]}`, `{"_id":2,"a":2}`, `{"_id":3}`} {
			err = errors.Join(err, c.Insert(parsed(t, d)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	mustDo[IndexesMade](t)(st.CreateIndexes("test.c", []raw.Document{parsed(t, `{"name":"a_1","key":{"a":1}}`), parsed(t, `{"name":"tags_-1","key":{"tags":-1}}`)}, nil))
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Report{Documents: map[string]int64{"test.c": 3}}, mustDo[*Report](t)(Check(dir))); diff != "" {
		t.Fatalf("a sound collection (-want +got):\n%s", diff)
	}
	damage := func(change func(*Collection) error) {
		t.Helper()
		st := mustDo[*Store](t)(Open(dir, zerolog.Nop()))
		err := st.Write(func(w *Tx) error {
			w.changed = true
			c, err := w.Collection("test.c")
			if err != nil {
				return err
			}
			return change(c)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
	bucket := func(c *Collection) (key, value []byte) { return c.indexBucket(c.coll.indexes[0]).Cursor().First() }
	const tooMuch = "\xfe"
	var key, length []byte
	tests := []struct {
		name, want  string
		spoil, mend func(*Collection) error
	}{
		{"a key is gone", "test.c: index a_1 lacks a key of the document with {_id: 3}", func(c *Collection) error {
			k, v := bucket(c)
			key, length = append([]byte(nil), k...), append([]byte(nil), v...)
			return c.indexBucket(c.coll.indexes[0]).Delete(key)
		}, func(c *Collection) error { return c.indexBucket(c.coll.indexes[0]).Put(key, length) }},
		{"a key too many", "test.c: index a_1 has the key fe", func(c *Collection) error {
			return putEntry(c.indexBucket(c.coll.indexes[0]), []byte(tooMuch), key[len(key)-3:])
		}, func(c *Collection) error {
			return c.indexBucket(c.coll.indexes[0]).Delete(storedKey([]byte(tooMuch), key[len(key)-3:]))
		}},
		{"a torn document", "is damaged: malformed BSON", func(c *Collection) error {
			k, v := c.docs.Cursor().First()
			key = append([]byte(nil), k...)
			length = append([]byte(nil), v...)
			return c.docs.Put(key, length[:len(length)-2])
		}, func(c *Collection) error { return c.docs.Put(key, length) }},
		{"a document under another key", "the document with {_id: 1} is under the key 656c", func(c *Collection) error {
			return c.docs.Put([]byte("elsewhere"), length)
		}, func(c *Collection) error { return c.docs.Delete([]byte("elsewhere")) }},
	}
	for _, tt := range tests {
		damage(tt.spoil)
		got := mustDo[*Report](t)(Check(dir))
		if len(got.Faults) != 1 || !strings.Contains(got.Faults[0], tt.want) {
			t.Errorf("%s: %q", tt.name, got.Faults)
		}
		damage(tt.mend)
		if got := mustDo[*Report](t)(Check(dir)); len(got.Faults) != 0 {
			t.Errorf("mended after %s: %q", tt.name, got.Faults)
		}
	}
}
