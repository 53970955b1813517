package mongod

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kreislauf/internal/backend/mongod/store"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// earlierFolder is a data folder that the version before the cut wrote (commit 295f0ef): users root, orders and owner, the collection
// orders.c with 200 documents and an index of every kind, orders.prices with an indexed Decimal128, orders.typed with an index whose
// partial filter has an operator that is gone.
func earlierFolder(t *testing.T) string {
	t.Helper()
	f := must[*os.File](t)(os.Open("testdata/earlier.bolt.gz"))
	defer f.Close()
	data := must[[]byte](t)(io.ReadAll(must[*gzip.Reader](t)(gzip.NewReader(f))))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "kreislauf.bolt"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFolderOfTheEarlierVersion(t *testing.T) {
	ctx := t.Context()
	dir := earlierFolder(t)
	s := startServer(t, Options{Dir: dir, Users: []User{root}})
	db := login(t, s.Addr(), root).Database("orders")
	c := db.Collection("c")
	email := must[bson.Raw](t)(c.FindOne(ctx, bson.M{"_id": 7}).Raw()).Lookup("email").StringValue()
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for name, filter := range map[string]bson.M{
		"unique": {"email": email}, "multikey": {"tags": 2, "n": int64(7) << 40}, "partial": {"d.e": 8, "open": true},
		"sparse": {"outbox_at": at, "_id": 20}, "time": {"at": at, "_id": 7},
	} {
		if got := find[bson.Raw](t, c, filter); len(got) != 1 {
			t.Errorf("%s: %d documents", name, len(got))
		}
	}
	for _, twice := range []bson.M{{"_id": 1000, "email": email}, {"_id": 1000, "open": true, "d": bson.M{"e": 8}}} {
		if _, err := c.InsertOne(ctx, twice); !mongo.IsDuplicateKeyError(err) {
			t.Errorf("%v: %v", twice, err)
		}
	}
	must[*mongo.UpdateResult](t)(c.UpdateOne(ctx, bson.M{"_id": 7}, bson.M{"$push": bson.M{"tags": "new"}, "$set": bson.M{"n": 1.5}}))
	must[*mongo.DeleteResult](t)(c.DeleteOne(ctx, bson.M{"_id": 8}))

	owner := User{Name: "owner", DB: "orders", Password: "secret"}
	err := login(t, s.Addr(), owner).Database("orders").Collection("c").FindOne(ctx, bson.M{}).Err()
	wantError(t, err, 13, "Unauthorized", "not authorized on orders")
	prices := db.Collection("prices")
	if got := find[bson.Raw](t, prices, bson.M{}); len(got) != 2 {
		t.Errorf("prices: %v", got)
	}
	must[*mongo.UpdateResult](t)(prices.UpdateOne(ctx, bson.M{"_id": 2}, bson.M{"$inc": bson.M{"price": 1}}))
	_, err = prices.DeleteOne(ctx, bson.M{"_id": 1})
	wantMessage(t, err, "a Decimal128 in an index key is not supported by this server")
	_, err = db.Collection("typed").InsertOne(ctx, bson.M{})
	wantMessage(t, err, "read index of orders.typed: unknown operator: $type")
	if err := s.store.DeleteExpired(at.AddDate(70, 0, 0), s.stop); err == nil || !strings.Contains(err.Error(), "$type") {
		t.Errorf("expiry: %v", err)
	}
	if got := find[bson.Raw](t, c, bson.M{}); len(got) != 0 {
		t.Errorf("%d documents are not expired", len(got))
	}
	stopServer(t, s)
	want := []string{
		"orders.prices: index price_1: the document with {_id: 1}: a Decimal128 in an index key is not supported by this server",
		"orders.prices: index price_1 has the key 0abff80000000000008000",
		"orders.typed: read index of orders.typed: unknown operator: $type",
	}
	got := must[*Report](t)(Check(dir)).Faults
	if len(got) == len(want) && strings.HasPrefix(got[1], want[1]) {
		got[1] = want[1] // the rest is the _id
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// wantMessage looks for a text in an error.
func wantMessage(t *testing.T, err error, message string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), message) {
		t.Errorf("got %v, want %q", err, message)
	}
}

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
	wantMessage(t, err, "Decimal128 is not supported by this server")
	if _, err := c.DeleteOne(ctx, bson.M{"_id": 1}); err != nil {
		t.Errorf("delete: %v", err)
	}
}
