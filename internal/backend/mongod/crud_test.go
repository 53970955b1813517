package mongod

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

type order struct {
	ID      string   `bson:"_id"`
	Version int64    `bson:"version"`
	State   string   `bson:"state"`
	Outbox  []string `bson:"outbox"`
}

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func find[T any](tb testing.TB, c *mongo.Collection, filter any, opts ...options.Lister[options.FindOptions]) []T {
	tb.Helper()
	cur, err := c.Find(context.Background(), filter, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	out := []T{}
	if err := cur.All(context.Background(), &out); err != nil {
		tb.Fatal(err)
	}
	return out
}

// TestServiceWrites goes through the writes that the services use, with the driver's own methods.
func TestServiceWrites(t *testing.T) {
	ctx := t.Context()
	c := testDatabase(t).Collection("orders")
	if _, err := c.InsertOne(ctx, order{ID: "o1", Version: 1, State: "placed", Outbox: []string{"e1", "e2"}}); err != nil {
		t.Fatal(err)
	}
	_, err := c.InsertOne(ctx, order{ID: "o1"})
	if !mongo.IsDuplicateKeyError(err) {
		t.Fatalf("second insert: %v", err)
	}
	change := bson.M{"$set": bson.M{"state": "matched"}, "$inc": bson.M{"version": 1}, "$push": bson.M{"outbox": "e3"}, "$unset": bson.M{"x": 1}}
	res := must[*mongo.UpdateResult](t)(c.UpdateOne(ctx, bson.M{"_id": "o1", "version": 1}, change))
	stale := must[*mongo.UpdateResult](t)(c.UpdateOne(ctx, bson.M{"_id": "o1", "version": 1}, change))
	if res.ModifiedCount != 1 || stale.MatchedCount != 0 {
		t.Fatalf("updates matched %d and %d documents", res.MatchedCount, stale.MatchedCount)
	}
	must[*mongo.UpdateResult](t)(c.UpdateOne(ctx, bson.M{"_id": "o1"}, bson.M{"$pull": bson.M{"outbox": bson.M{"$in": bson.A{"e1", "e2"}}}}))
	var got order
	after := options.FindOneAndUpdate().SetReturnDocument(options.After)
	if err := c.FindOneAndUpdate(ctx, bson.M{"state": "matched"}, bson.M{"$set": bson.M{"state": "done"}}, after).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(order{ID: "o1", Version: 2, State: "done", Outbox: []string{"e3"}}, got); diff != "" {
		t.Error(diff)
	}
	err = c.FindOneAndUpdate(ctx, bson.M{"state": "matched"}, bson.M{"$set": bson.M{"state": "done"}}).Err()
	if !errors.Is(err, mongo.ErrNoDocuments) {
		t.Errorf("claim of nothing: %v", err)
	}
	if n := must[int64](t)(c.CountDocuments(ctx, bson.M{"state": "done"})); n != 1 {
		t.Errorf("counted %d", n)
	}
	if n := must[*mongo.DeleteResult](t)(c.DeleteOne(ctx, bson.M{"_id": "o1"})).DeletedCount; n != 1 {
		t.Errorf("deleted %d", n)
	}
	if err := c.FindOne(ctx, bson.M{"_id": "o1"}).Err(); !errors.Is(err, mongo.ErrNoDocuments) {
		t.Errorf("deleted document: %v", err)
	}
}

func TestBulkWrites(t *testing.T) {
	ctx := t.Context()
	db := testDatabase(t)
	docs := []any{bson.M{"_id": 1}, bson.M{"_id": 2}, bson.M{"_id": 1}, bson.M{"_id": 3}}
	var failed mongo.BulkWriteException
	for _, tt := range []struct {
		ordered bool
		want    int64
	}{{true, 2}, {false, 3}} {
		c := db.Collection(fmt.Sprint("ordered-", tt.ordered))
		_, err := c.InsertMany(ctx, docs, options.InsertMany().SetOrdered(tt.ordered))
		if !errors.As(err, &failed) || len(failed.WriteErrors) != 1 || failed.WriteErrors[0].Index != 2 || failed.WriteErrors[0].Code != 11000 {
			t.Fatalf("ordered %v: %v", tt.ordered, err)
		}
		if n := must[int64](t)(c.CountDocuments(ctx, bson.M{})); n != tt.want {
			t.Errorf("ordered %v: %d documents", tt.ordered, n)
		}
	}
	res, err := db.Collection("ordered-false").BulkWrite(ctx, []mongo.WriteModel{
		mongo.NewUpdateManyModel().SetFilter(bson.M{"_id": bson.M{"$lt": 3}}).SetUpdate(bson.M{"$set": bson.M{"a": 1}}),
		mongo.NewReplaceOneModel().SetFilter(bson.M{"_id": 9}).SetReplacement(bson.M{"b": 1}).SetUpsert(true),
		mongo.NewDeleteManyModel().SetFilter(bson.M{"a": 1}),
		mongo.NewInsertOneModel().SetDocument(bson.M{"_id": 10}),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []int64{1, 2, 2, 2, 1}
	got := []int64{res.InsertedCount, res.MatchedCount, res.ModifiedCount, res.DeletedCount, res.UpsertedCount}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if id := res.UpsertedIDs[1]; id != int32(9) {
		t.Errorf("upserted %v", id)
	}
}

func TestIncrementsAreAtomic(t *testing.T) {
	ctx := t.Context()
	addr := startServer(t, Options{}).Addr()
	var wg sync.WaitGroup
	for range 8 {
		c := connect(t, addr).Database("test").Collection("counter")
		wg.Go(func() {
			for range 50 {
				if _, err := c.UpdateOne(ctx, bson.M{"_id": "n"}, bson.M{"$inc": bson.M{"v": 1}}, options.UpdateOne().SetUpsert(true)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got := find[bson.M](t, connect(t, addr).Database("test").Collection("counter"), bson.M{})
	if diff := cmp.Diff([]bson.M{{"_id": "n", "v": int32(400)}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestClaimsAreNotShared(t *testing.T) {
	ctx := t.Context()
	c := testDatabase(t).Collection("jobs")
	var jobs []any
	for i := range 200 {
		jobs = append(jobs, bson.M{"_id": fmt.Sprint("job-", i), "state": "new", "at": i})
	}
	must[*mongo.InsertManyResult](t)(c.InsertMany(ctx, jobs))
	must[string](t)(c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "state", Value: 1}, {Key: "at", Value: 1}}}))
	var mu sync.Mutex
	var claimed []string
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				var job struct {
					ID string `bson:"_id"`
				}
				err := c.FindOneAndUpdate(ctx, bson.M{"state": "new"}, bson.M{"$set": bson.M{"state": "taken"}},
					options.FindOneAndUpdate().SetSort(bson.M{"at": 1})).Decode(&job)
				if errors.Is(err, mongo.ErrNoDocuments) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				claimed = append(claimed, job.ID)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(claimed)
	if once := slices.Compact(slices.Clone(claimed)); len(claimed) != 200 || len(once) != 200 {
		t.Errorf("%d claims of %d jobs", len(claimed), len(once))
	}
}

func TestVersionCompareAndSet(t *testing.T) {
	ctx := t.Context()
	c := testDatabase(t).Collection("versions")
	must[*mongo.InsertOneResult](t)(c.InsertOne(ctx, bson.M{"_id": 1, "version": 0}))
	var wins [8]int
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for v := range 25 {
				res, err := c.UpdateOne(ctx, bson.M{"_id": 1, "version": v}, bson.M{"$inc": bson.M{"version": 1}})
				if err != nil {
					t.Error(err)
					return
				}
				wins[w] += int(res.ModifiedCount)
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range wins {
		total += n
	}
	got := find[bson.M](t, c, bson.M{})
	if got[0]["version"] != int32(total) {
		t.Errorf("%d wins, version %v", total, got[0]["version"])
	}
}
