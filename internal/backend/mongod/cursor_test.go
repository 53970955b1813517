package mongod

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func insertNumbers(t *testing.T, c *mongo.Collection, n int) {
	t.Helper()
	var docs []any
	for i := range n {
		docs = append(docs, bson.M{"_id": i, "mod": i % 7, "neg": -i})
	}
	must[*mongo.InsertManyResult](t)(c.InsertMany(t.Context(), docs))
}

func TestCursorsReadEverythingInOrder(t *testing.T) {
	c := testDatabase(t).Collection("numbers")
	insertNumbers(t, c, 1500)
	must[string](t)(c.Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: bson.M{"neg": 1}}))
	type number struct {
		ID int `bson:"_id"`
	}
	tests := []struct {
		name   string
		opts   *options.FindOptionsBuilder
		first  int
		step   int
		number int
	}{
		{"by id", options.Find(), 0, 1, 1500},
		{"by id, small batches", options.Find().SetBatchSize(7), 0, 1, 1500},
		{"by id backwards", options.Find().SetSort(bson.M{"_id": -1}).SetBatchSize(100), 1499, -1, 1500},
		{"by index", options.Find().SetSort(bson.M{"neg": 1}).SetBatchSize(100), 1499, -1, 1500},
		{"by index backwards", options.Find().SetSort(bson.M{"neg": -1}).SetBatchSize(100), 0, 1, 1500},
		{"sorted in memory", options.Find().SetSort(bson.D{{Key: "x", Value: 1}, {Key: "_id", Value: -1}}).SetBatchSize(100), 1499, -1, 1500},
		{"skip and limit", options.Find().SetSkip(10).SetLimit(333).SetBatchSize(50), 10, 1, 333},
		{"single batch", options.Find().SetLimit(-5), 0, 1, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := find[number](t, c, bson.M{}, tt.opts)
			want := []number{}
			for i := range tt.number {
				want = append(want, number{tt.first + i*tt.step})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCursorSurvivesWritesBetweenBatches(t *testing.T) {
	ctx := t.Context()
	c := testDatabase(t).Collection("numbers")
	insertNumbers(t, c, 300)
	cur := must[*mongo.Cursor](t)(c.Find(ctx, bson.M{}, options.Find().SetBatchSize(10)))
	seen := 0
	for cur.Next(ctx) {
		id := cur.Current.Lookup("_id").AsInt64()
		must[*mongo.DeleteResult](t)(c.DeleteOne(ctx, bson.M{"_id": id}))
		seen++
	}
	if err := cur.Err(); err != nil || seen != 300 {
		t.Errorf("saw %d, %v", seen, err)
	}
}

func TestKilledAndExpiredCursors(t *testing.T) {
	ctx := t.Context()
	s := startServer(t, Options{})
	c := connect(t, s.Addr()).Database("test").Collection("numbers")
	insertNumbers(t, c, 300)
	cur := must[*mongo.Cursor](t)(c.Find(ctx, bson.M{}, options.Find().SetBatchSize(10)))
	if err := cur.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if len(s.cursors.open) != 0 {
		t.Errorf("%d cursors open after close", len(s.cursors.open))
	}
	cur = must[*mongo.Cursor](t)(c.Find(ctx, bson.M{}, options.Find().SetBatchSize(10)))
	s.cursors.expire(time.Now().Add(cursorTimeout + time.Minute))
	for cur.Next(ctx) {
	}
	var ce mongo.CommandError
	if !errors.As(cur.Err(), &ce) || ce.Code != fault.CursorNotFound || ce.Name != "CursorNotFound" {
		t.Errorf("expired cursor: %v", cur.Err())
	}
}

func TestCursorNumberIsBounded(t *testing.T) {
	c := newCursors()
	first := c.add(&queryRun{findQuery: findQuery{ns: "d.c"}})
	for range maxCursors {
		c.add(&queryRun{findQuery: findQuery{ns: "d.c"}})
	}
	if len(c.open) != maxCursors || taken(c, first) != nil {
		t.Errorf("%d cursors, the oldest still there", len(c.open))
	}
	big := &queryRun{findQuery: findQuery{ns: "d.c"}, kept: []raw.Document{make(raw.Document, maxCursorBytes+1)}}
	id := c.add(big)
	if len(c.open) > 1 || taken(c, id) == nil || c.bytes != 0 {
		t.Errorf("%d cursors beside one that uses all memory, %d bytes", len(c.open), c.bytes)
	}
}

func TestBatchesStayBelowTheMessageLimit(t *testing.T) {
	ctx := t.Context()
	c := testDatabase(t).Collection("big")
	text := strings.Repeat("x", 3<<20)
	for i := range 20 {
		must[*mongo.InsertOneResult](t)(c.InsertOne(ctx, bson.M{"_id": fmt.Sprint(i), "text": text}))
	}
	for name, opts := range map[string]*options.FindOptionsBuilder{
		"scan": options.Find(), "sorted": options.Find().SetSort(bson.M{"other": 1}),
	} {
		if got := find[bson.Raw](t, c, bson.M{}, opts); len(got) != 20 {
			t.Errorf("%s: %d documents", name, len(got))
		}
	}
	_, err := c.InsertOne(ctx, bson.M{"text": strings.Repeat("x", 16<<20)})
	if err == nil {
		t.Error("document of more than 16 MiB was stored")
	}
}

func taken(c *cursors, id int64) *openCursor {
	cur, _ := c.take(id, "d.c")
	return cur
}
