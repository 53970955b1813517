package mongod

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"kreislauf/internal/backend/mongod/fault"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func TestConcurrentCreateIndexesIsIdempotent(t *testing.T) {
	addr := startServer(t, Options{}).Addr()
	var wg sync.WaitGroup
	for range 6 {
		c := connect(t, addr).Database("test").Collection("users")
		wg.Go(func() {
			_, err := c.Indexes().CreateMany(t.Context(), []mongo.IndexModel{
				{Keys: bson.D{{Key: "email", Value: 1}}, Options: options.Index().SetUnique(true)},
				{Keys: bson.D{{Key: "state", Value: 1}, {Key: "at", Value: -1}}},
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := run(t, connect(t, addr).Database("test"), `{"createIndexes":"users","indexes":[{"key":{"email":1},"name":"email_1","unique":true}]}`)
	if n := got.Lookup("numIndexesBefore").AsInt64(); n != 3 || got.Lookup("note").StringValue() != "all indexes already exist" {
		t.Errorf("once more: %s", got)
	}
}

func TestUniqueIndexKinds(t *testing.T) {
	unique := options.Index().SetUnique(true)
	tests := []struct {
		name   string
		keys   bson.D
		opts   *options.IndexOptionsBuilder
		first  bson.M
		second bson.M
		want   string // part of the duplicate key error, "" when both fit
	}{
		{"equal", bson.D{{Key: "a", Value: 1}}, unique, bson.M{"a": "x"}, bson.M{"a": "x"}, `index: k dup key: { a: "x" }`},
		{"int and double", bson.D{{Key: "a", Value: -1}}, unique, bson.M{"a": 1}, bson.M{"a": 1.0}, `dup key: { a: 1.0 }`},
		{"both missing", bson.D{{Key: "a", Value: 1}}, unique, bson.M{}, bson.M{}, `dup key: { a: null }`},
		{"compound", bson.D{{Key: "a", Value: 1}, {Key: "b", Value: 1}}, unique, bson.M{"a": 1, "b": 2}, bson.M{"a": 1, "b": 2}, `dup key: { a: 1, b: 2 }`},
		{"compound, one differs", bson.D{{Key: "a", Value: 1}, {Key: "b", Value: 1}}, unique, bson.M{"a": 1, "b": 2}, bson.M{"a": 1, "b": 3}, ""},
		{"nested", bson.D{{Key: "a.b", Value: 1}}, unique, bson.M{"a": bson.M{"b": 1}}, bson.M{"a": bson.A{bson.M{"b": 1}}}, `dup key: { a.b: 1 }`},
		{"shared array element", bson.D{{Key: "a", Value: 1}}, unique, bson.M{"a": bson.A{1, 2}}, bson.M{"a": bson.A{2, 3}}, `dup key: { a: 2 }`},
		{"same element twice in one document", bson.D{{Key: "a", Value: 1}}, unique, bson.M{"a": bson.A{1, 1}}, bson.M{"a": 2}, ""},
		{"sparse, both missing", bson.D{{Key: "a", Value: 1}}, options.Index().SetUnique(true).SetSparse(true), bson.M{}, bson.M{}, ""},
		{"partial, outside", bson.D{{Key: "a", Value: 1}}, options.Index().SetUnique(true).SetPartialFilterExpression(bson.M{"open": true}), bson.M{"a": 1}, bson.M{"a": 1, "open": true}, ""},
		{"partial, inside", bson.D{{Key: "a", Value: 1}}, options.Index().SetUnique(true).SetPartialFilterExpression(bson.M{"open": true}), bson.M{"a": 1, "open": true}, bson.M{"a": 1, "open": true}, `dup key: { a: 1 }`},
	}
	db := testDatabase(t)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := db.Collection(fmt.Sprint("c", i))
			must[string](t)(c.Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: tt.keys, Options: tt.opts.SetName("k")}))
			must[*mongo.InsertOneResult](t)(c.InsertOne(t.Context(), tt.first))
			_, err := c.InsertOne(t.Context(), tt.second)
			checkDuplicate(t, "insert", err, tt.want)
			if tt.want == "" {
				return
			}
			must[*mongo.InsertOneResult](t)(c.InsertOne(t.Context(), bson.M{"_id": "other", "a": "unlike"}))
			_, err = c.UpdateOne(t.Context(), bson.M{"_id": "other"}, bson.M{"$set": with(tt.second, "a", tt.second["a"])})
			if tt.second["a"] != nil {
				checkDuplicate(t, "update", err, tt.want)
			}
		})
	}
}

func with(m bson.M, key string, v any) bson.M {
	out := bson.M{key: v}
	for k, v := range m {
		if k != "_id" {
			out[k] = v
		}
	}
	return out
}

func checkDuplicate(t *testing.T, what string, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		return
	}
	var we mongo.WriteException
	if !asWriteException(err, &we) || !we.HasErrorCodeWithMessage(fault.DuplicateKey, want) {
		t.Errorf("%s: %v, want duplicate key with %q", what, err, want)
	}
}

func asWriteException(err error, we *mongo.WriteException) bool {
	got, ok := err.(mongo.WriteException)
	*we = got
	return ok
}

// TestFailedWriteLeavesNoTrace checks that a conflict in one index takes nothing away from the others.
func TestFailedWriteLeavesNoTrace(t *testing.T) {
	ctx := t.Context()
	c := testDatabase(t).Collection("c")
	for _, field := range []string{"a", "b"} {
		must[string](t)(c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.M{field: 1}, Options: options.Index().SetUnique(true)}))
	}
	must[*mongo.InsertManyResult](t)(c.InsertMany(ctx, []any{bson.M{"_id": 1, "a": 1, "b": 1}, bson.M{"_id": 2, "a": 2, "b": 2}}))
	if _, err := c.UpdateOne(ctx, bson.M{"_id": 2}, bson.M{"$set": bson.M{"a": 3, "b": 1}}); !mongo.IsDuplicateKeyError(err) {
		t.Fatal(err)
	}
	if _, err := c.InsertOne(ctx, bson.M{"_id": 3, "a": 4, "b": 1}); !mongo.IsDuplicateKeyError(err) {
		t.Fatal(err)
	}
	must[*mongo.InsertManyResult](t)(c.InsertMany(ctx, []any{bson.M{"_id": 3, "a": 3, "b": 3}, bson.M{"_id": 4, "a": 4, "b": 4}}))
	if got := find[bson.M](t, c, bson.M{"a": 2}); len(got) != 1 {
		t.Errorf("a=2 finds %v", got)
	}
}

func TestExpiredDocumentsAreDeleted(t *testing.T) {
	ctx := t.Context()
	s := startServer(t, Options{})
	c := connect(t, s.Addr()).Database("test").Collection("sessions")
	must[string](t)(c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.M{"at": -1}, Options: options.Index().SetExpireAfterSeconds(60)}))
	now := time.Now()
	must[*mongo.InsertManyResult](t)(c.InsertMany(ctx, []any{
		bson.M{"_id": "old", "at": now.Add(-2 * time.Minute)},
		bson.M{"_id": "array", "at": bson.A{now, now.Add(-time.Hour), now.Add(-2 * time.Hour)}},
		bson.M{"_id": "young", "at": now},
		bson.M{"_id": "no date", "at": 1},
		bson.M{"_id": "none"},
	}))
	if err := s.store.DeleteExpired(now, s.stop); err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, d := range find[bson.M](t, c, bson.M{}) {
		got = append(got, d["_id"].(string))
	}
	if diff := cmp.Diff([]string{"no date", "none", "young"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSweeperRuns(t *testing.T) {
	ctx := t.Context()
	s := startServer(t, Options{SweepInterval: 10 * time.Millisecond})
	c := connect(t, s.Addr()).Database("test").Collection("sessions")
	must[string](t)(c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.M{"at": 1}, Options: options.Index().SetExpireAfterSeconds(0)}))
	must[*mongo.InsertOneResult](t)(c.InsertOne(ctx, bson.M{"at": time.Now().Add(-time.Second)}))
	for must[int64](t)(c.CountDocuments(ctx, bson.M{})) > 0 {
		time.Sleep(5 * time.Millisecond)
	}
}

// TestIndexesDoNotChangeAnswers runs random queries against the same documents with and without indexes.
func TestIndexesDoNotChangeAnswers(t *testing.T) {
	ctx := t.Context()
	db := testDatabase(t)
	plain, indexed := db.Collection("plain"), db.Collection("indexed")
	_, err := indexed.Indexes().CreateMany(ctx, []mongo.IndexModel{
		{Keys: bson.D{{Key: "a", Value: 1}}},
		{Keys: bson.D{{Key: "a", Value: 1}, {Key: "b", Value: -1}}},
		{Keys: bson.D{{Key: "b", Value: -1}, {Key: "c.d", Value: 1}}},
		{Keys: bson.D{{Key: "c.d", Value: 1}}, Options: options.Index().SetSparse(true)},
		{Keys: bson.D{{Key: "b", Value: 1}}, Options: options.Index().SetPartialFilterExpression(bson.M{"a": bson.M{"$gte": 2}})},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	random := func() any {
		return []any{1, 2, int64(2), 2.5, 3, "x", "y", nil, true, bson.A{1, 3}, bson.A{}, bson.A{"x", 2}, bson.M{"d": 1}, bson.A{bson.M{"d": 2}, bson.M{"d": 3}}}[r.IntN(14)]
	}
	var docs []any
	for i := range 300 {
		d := bson.M{"_id": i}
		for _, name := range []string{"a", "b", "c"} {
			if r.IntN(5) > 0 {
				d[name] = random()
			}
		}
		if _, isArray := d["a"].(bson.A); isArray {
			d["b"] = r.IntN(4)
		}
		if c, isArray := d["c"].(bson.A); isArray && len(c) >= 0 {
			d["b"] = r.IntN(4)
		}
		docs = append(docs, d)
	}
	must[*mongo.InsertManyResult](t)(plain.InsertMany(ctx, docs))
	must[*mongo.InsertManyResult](t)(indexed.InsertMany(ctx, docs))
	ops := []string{"$eq", "$gt", "$gte", "$lt", "$lte", "$ne"}
	for range 400 {
		filter := bson.M{}
		for _, name := range []string{"a", "b", "c.d", "_id"} {
			switch r.IntN(4) {
			case 0:
				filter[name] = bson.M{ops[r.IntN(6)]: random(), ops[r.IntN(6)]: random()}
			case 1:
				filter[name] = bson.M{"$in": bson.A{random(), random()}}
			}
		}
		opts := options.Find().SetSort(bson.D{{Key: []string{"a", "b", "c.d"}[r.IntN(3)], Value: 1 - 2*r.IntN(2)}, {Key: "_id", Value: 1}}).SetLimit(int64(r.IntN(50)))
		if diff := cmp.Diff(find[bson.M](t, plain, filter, opts), find[bson.M](t, indexed, filter, opts)); diff != "" {
			t.Fatalf("%v: without indexes (-), with (+):\n%s", filter, diff)
		}
	}
}
