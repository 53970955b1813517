package mongod

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/store"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

func fill(t *testing.T, c *mongo.Collection, n int) {
	t.Helper()
	var docs []any
	for i := range n {
		docs = append(docs, bson.M{"_id": i, "n": i % 10, "k": fmt.Sprint(i)})
	}
	must[*mongo.InsertManyResult](t)(c.InsertMany(t.Context(), docs))
}

// TestLongScansAreLogged looks at the line: it names collection, shape, index and counts, and no value.
func TestLongScansAreLogged(t *testing.T) {
	var log lockedBuffer
	s := startServer(t, Options{})
	s.log = zerolog.New(&log)
	db := connect(t, s.Addr()).Database("test")
	fill(t, db.Collection("c"), 1500)
	run(t, db, `{"createIndexes":"c","indexes":[{"key":{"n":1},"name":"n_1"}]}`)
	tests := []struct{ command, level, filter, index string }{
		{`{"find":"c","filter":{"x.y":{"$gt":"secret"},"$or":[{"a":1},{"b":[1,2]}]}}`, "warn", "{x.y: {$gt: ?}, $or: [{a: ?}, {b: [?]}]}", ""},
		{`{"find":"c","filter":{"n":{"$gte":0},"x":"secret"}}`, "info", "{n: {$gte: ?}, x: ?}", "n_1"},
		{`{"update":"c","updates":[{"q":{"x":"secret"},"u":{"$set":{"y":1}},"multi":true}]}`, "warn", "{x: ?}", ""},
		{`{"delete":"c","deletes":[{"q":{"x":"secret"},"limit":1}]}`, "warn", "{x: ?}", ""},
		{`{"aggregate":"c","pipeline":[{"$match":{"x":"secret"}},{"$group":{"_id":1,"n":{"$sum":1}}}],"cursor":{}}`, "warn", "{x: ?}", ""},
	}
	for _, tt := range tests {
		log.reset()
		run(t, db, tt.command)
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		var got map[string]any
		if len(lines) != 1 || json.Unmarshal([]byte(lines[0]), &got) != nil {
			t.Fatalf("%s: log %q", tt.command, lines)
		}
		delete(got, "ms")
		want := map[string]any{
			"level": tt.level, "collection": "test.c", "filter": tt.filter, "index": tt.index, "scanned": 1500.0, "returned": 0.0,
			"message": "query scanned many documents",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.command, diff)
		}
	}
	log.reset()
	run(t, db, `{"find":"c","filter":{"n":3}}`)
	if log.String() != "" {
		t.Errorf("a query that reads few documents is logged: %s", log.String())
	}
}

// TestMaxTime runs queries whose time is over before they begin.
func TestMaxTime(t *testing.T) {
	s := startServer(t, Options{})
	db := connect(t, s.Addr()).Database("test")
	fill(t, db.Collection("c"), 200)
	late := store.NewWork(1, nil) // a nanosecond
	all := store.Selection{Filter: must[*query.Filter](t)(query.Parse(nil, nil))}
	var ce *fault.Error
	q := &queryRun{findQuery: findQuery{ns: "test.c", Selection: all}, store: s.store, work: late}
	if _, err := q.next(200); !errors.As(err, &ce) || ce.Code != fault.MaxTimeExpired || fault.CodeName(ce.Code) != "MaxTimeMSExpired" {
		t.Errorf("find: %v", err)
	}
	pq := &pipelineQuery{ns: "test.c", Selection: all}
	if _, err := s.runPipeline(pq, late); !errors.As(err, &ce) || ce.Code != fault.MaxTimeExpired {
		t.Errorf("pipeline: %v", err)
	}
	err := s.store.Write(func(w *store.Tx) error {
		_, err := runDelete(w, "test.c", deleteStatement{Selection: all}, late)
		return err
	})
	if !errors.As(err, &ce) || ce.Code != fault.MaxTimeExpired {
		t.Errorf("delete: %v", err)
	}
	if got := run(t, db, `{"find":"c","maxTimeMS":60000,"limit":1}`); got.Lookup("ok").Double() != 1 {
		t.Errorf("with time enough: %s", got)
	}
}

// TestNullBytesInNames: a string that becomes the name of a field cannot hold a null byte, which ends a name in BSON.
func TestNullBytesInNames(t *testing.T) {
	got := run(t, testDatabase(t), `{"aggregate":"c","pipeline":[{"$group":{"_id":"$a\u0000b"}}],"cursor":{}}`)
	if n, _ := got.Lookup("code").AsInt64OK(); n != 16411 {
		t.Error(got)
	}
}

// TestGroups sums over groups and cuts before.
func TestGroups(t *testing.T) {
	db := testDatabase(t)
	run(t, db, `{"insert":"c","documents":[{"_id":1,"s":"a","n":1},{"_id":2,"s":"b","n":{"$numberLong":"5"}},{"_id":3,"s":"a","n":2},{"_id":4,"n":"x"},{"_id":5,"s":"a","n":0.5}]}`)
	tests := map[string]string{
		`[{"$group":{"_id":"$s","n":{"$sum":"$n"},"docs":{"$sum":1}}}]`:                                             `[{"_id":"a","n":3.5,"docs":3},{"_id":"b","n":5,"docs":1},{"_id":null,"n":0,"docs":1}]`,
		`[{"$match":{"s":"a"}},{"$skip":1},{"$limit":1},{"$group":{"_id":1,"n":{"$sum":"$n"}}},{"$match":{"n":2}}]`: `[{"_id":1,"n":2}]`,
		`[{"$match":{"s":"none"}},{"$group":{"_id":1,"n":{"$sum":1}}}]`:                                             `[]`,
	}
	for pipeline, want := range tests {
		got := run(t, db, `{"aggregate":"c","pipeline":`+pipeline+`,"cursor":{}}`)
		var reply struct{ Cursor struct{ FirstBatch bson.A } }
		if err := bson.Unmarshal(got, &reply); err != nil {
			t.Fatal(err)
		}
		text := string(must[[]byte](t)(bson.MarshalExtJSON(bson.D{{Key: "x", Value: reply.Cursor.FirstBatch}}, false, false)))
		if diff := cmp.Diff(`{"x":`+want+`}`, text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", pipeline, diff)
		}
	}
}
