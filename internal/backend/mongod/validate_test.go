package mongod

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// TestValidateFindsWhatIsWrong damages a collection below the commands and asks validate each time.
func TestValidateFindsWhatIsWrong(t *testing.T) {
	ctx := t.Context()
	s := startServer(t, Options{})
	c := connect(t, s.Addr()).Database("test").Collection("c")
	must[*mongo.InsertManyResult](t)(c.InsertMany(ctx, []any{bson.M{"_id": 1, "a": 1, "tags": bson.A{"x", "y"}}, bson.M{"_id": 2, "a": 2}, bson.M{"_id": 3}}))
	for _, keys := range []bson.D{{{Key: "a", Value: 1}}, {{Key: "tags", Value: -1}}} {
		must[string](t)(c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: keys}))
	}
	const command = `{"validate":"c","full":true}`
	got := run(t, c.Database(), command)
	want := `"nrecords": {"$numberLong":"3"},"nIndexes": {"$numberInt":"3"},"keysPerIndex": {"_id_": {"$numberLong":"3"},"a_1": {"$numberLong":"3"},"tags_-1": {"$numberLong":"4"}}`
	if !got.Lookup("valid").Boolean() || !strings.Contains(got.String(), want) {
		t.Fatalf("a sound collection: %s", got)
	}
	damage := func(change func(*collTx) error) {
		t.Helper()
		err := s.store.write(func(w *writeTx) error {
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
	}
	bucket := func(c *collTx) (key, value []byte) { return c.indexBucket(c.coll.indexes[0]).Cursor().First() }
	var key, length []byte
	tests := []struct {
		name, field, index string
		spoil, mend        func(*collTx) error
	}{
		{"a key is gone", "missingIndexEntries", "a_1", func(c *collTx) error {
			k, v := bucket(c)
			key, length = append([]byte(nil), k...), append([]byte(nil), v...)
			return c.indexBucket(c.coll.indexes[0]).Delete(key)
		}, func(c *collTx) error { return c.indexBucket(c.coll.indexes[0]).Put(key, length) }},
		{"a key too many", "extraIndexEntries", "a_1", func(c *collTx) error {
			return putEntry(c.indexBucket(c.coll.indexes[0]), []byte{rankMaxTest}, key[len(key)-3:])
		}, func(c *collTx) error {
			return c.indexBucket(c.coll.indexes[0]).Delete(storedKey([]byte{rankMaxTest}, key[len(key)-3:]))
		}},
		{"a torn document", "corruptRecords", "_id_", func(c *collTx) error {
			k, v := c.docs.Cursor().First()
			key = append([]byte(nil), k...)
			length = append([]byte(nil), v...)
			return c.docs.Put(key, length[:len(length)-2])
		}, func(c *collTx) error { return c.docs.Put(key, length) }},
		{"a document under another key", "corruptRecords", "_id_", func(c *collTx) error {
			return c.docs.Put([]byte("elsewhere"), length)
		}, func(c *collTx) error { return c.docs.Delete([]byte("elsewhere")) }},
	}
	for _, tt := range tests {
		damage(tt.spoil)
		got := run(t, c.Database(), command)
		list, _ := got.Lookup(tt.field).Array().Values()
		if got.Lookup("valid").Boolean() || len(list) != 1 || got.Lookup("indexDetails", tt.index, "valid").Boolean() {
			t.Errorf("%s: %s", tt.name, got)
		}
		damage(tt.mend)
		if got := run(t, c.Database(), command); !got.Lookup("valid").Boolean() {
			t.Errorf("mended after %s: %s", tt.name, got)
		}
	}
	if got := run(t, c.Database(), `{"validate":"none"}`); got.Lookup("code").AsInt64() != codeNamespaceNotFound {
		t.Errorf("no collection: %s", got)
	}
}

const rankMaxTest = 0xfe
