package mongod

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// TestCheckFindsWhatIsWrong damages a collection below the commands and asks for a report each time.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	s := startServer(t, Options{Dir: dir})
	c := connect(t, s.Addr()).Database("test").Collection("c")
	must[*mongo.InsertManyResult](t)(c.InsertMany(ctx, []any{bson.M{"_id": 1, "a": 1, "tags": bson.A{"x", "y"}}, bson.M{"_id": 2, "a": 2}, bson.M{"_id": 3}}))
	for _, keys := range []bson.D{{{Key: "a", Value: 1}}, {{Key: "tags", Value: -1}}} {
		must[string](t)(c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: keys}))
	}
	stopServer(t, s)
	if diff := cmp.Diff(&Report{Documents: map[string]int64{"test.c": 3}}, must[*Report](t)(Check(dir))); diff != "" {
		t.Fatalf("a sound collection (-want +got):\n%s", diff)
	}
	damage := func(change func(*collTx) error) {
		t.Helper()
		st := must[*store](t)(openStore(dir, zerolog.Nop()))
		err := st.write(func(w *writeTx) error {
			w.changed = true
			c, err := w.collection("test.c")
			if err != nil {
				return err
			}
			return change(c)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := st.close(); err != nil {
			t.Fatal(err)
		}
	}
	bucket := func(c *collTx) (key, value []byte) { return c.indexBucket(c.coll.indexes[0]).Cursor().First() }
	const tooMuch = "\xfe"
	var key, length []byte
	tests := []struct {
		name, want  string
		spoil, mend func(*collTx) error
	}{
		{"a key is gone", "test.c: index a_1 lacks a key of the document with {_id: 3}", func(c *collTx) error {
			k, v := bucket(c)
			key, length = append([]byte(nil), k...), append([]byte(nil), v...)
			return c.indexBucket(c.coll.indexes[0]).Delete(key)
		}, func(c *collTx) error { return c.indexBucket(c.coll.indexes[0]).Put(key, length) }},
		{"a key too many", "test.c: index a_1 has the key fe", func(c *collTx) error {
			return putEntry(c.indexBucket(c.coll.indexes[0]), []byte(tooMuch), key[len(key)-3:])
		}, func(c *collTx) error {
			return c.indexBucket(c.coll.indexes[0]).Delete(storedKey([]byte(tooMuch), key[len(key)-3:]))
		}},
		{"a torn document", "is damaged: malformed BSON", func(c *collTx) error {
			k, v := c.docs.Cursor().First()
			key = append([]byte(nil), k...)
			length = append([]byte(nil), v...)
			return c.docs.Put(key, length[:len(length)-2])
		}, func(c *collTx) error { return c.docs.Put(key, length) }},
		{"a document under another key", "the document with {_id: 1} is under the key 656c", func(c *collTx) error {
			return c.docs.Put([]byte("elsewhere"), length)
		}, func(c *collTx) error { return c.docs.Delete([]byte("elsewhere")) }},
	}
	for _, tt := range tests {
		damage(tt.spoil)
		got := must[*Report](t)(Check(dir))
		if len(got.Faults) != 1 || !strings.Contains(got.Faults[0], tt.want) {
			t.Errorf("%s: %q", tt.name, got.Faults)
		}
		damage(tt.mend)
		if got := must[*Report](t)(Check(dir)); len(got.Faults) != 0 {
			t.Errorf("mended after %s: %q", tt.name, got.Faults)
		}
	}
}

// TestDecimalsOfAnEarlierVersion: a document with a Decimal128 is read as it is; it cannot be changed.
func TestDecimalsOfAnEarlierVersion(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	d := must[bson.Decimal128](t)(bson.ParseDecimal128("1.5"))
	old := must[[]byte](t)(bson.Marshal(bson.D{{Key: "_id", Value: 1}, {Key: "price", Value: d}}))
	st := must[*store](t)(openStore(dir, zerolog.Nop()))
	err := st.write(func(w *writeTx) error {
		c, _, err := w.ensureCollection("test.c")
		if err != nil {
			return err
		}
		return c.insert(old)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.close(); err != nil {
		t.Fatal(err)
	}
	if got := must[*Report](t)(Check(dir)); len(got.Faults) != 0 {
		t.Error(got.Faults)
	}
	c := connect(t, startServer(t, Options{Dir: dir}).Addr()).Database("test").Collection("c")
	if got := find[bson.Raw](t, c, bson.M{"_id": 1}); len(got) != 1 || string(got[0]) != string(old) {
		t.Errorf("read %v", got)
	}
	if got := find[bson.Raw](t, c, bson.M{"price": bson.M{"$lt": 2}}); len(got) != 0 {
		t.Errorf("it counts as a number: %v", got)
	}
	_, err = c.UpdateOne(ctx, bson.M{"_id": 1}, bson.M{"$set": bson.M{"a": 1}})
	if err == nil || !strings.Contains(err.Error(), "Decimal128 is not supported by this server") {
		t.Errorf("update: %v", err)
	}
	if _, err := c.DeleteOne(ctx, bson.M{"_id": 1}); err != nil {
		t.Errorf("delete: %v", err)
	}
}
