package mongod

import (
	"strings"
	"testing"

	"kreislauf/internal/backend/mongod/store"

	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// TestDecimalsOfAnEarlierVersion: a document with a Decimal128 is read as it is; it cannot be changed.
func TestDecimalsOfAnEarlierVersion(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	d := must[bson.Decimal128](t)(bson.ParseDecimal128("1.5"))
	old := must[[]byte](t)(bson.Marshal(bson.D{{Key: "_id", Value: 1}, {Key: "price", Value: d}}))
	st := must[*store.Store](t)(store.Open(dir, zerolog.Nop()))
	err := st.Write(func(w *store.Tx) error {
		c, _, err := w.EnsureCollection("test.c")
		if err != nil {
			return err
		}
		return c.Insert(old)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if got := must[*store.Report](t)(store.Check(dir)); len(got.Faults) != 0 {
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
