package mongod

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

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
		{`{"count":"c","query":{"x":"secret"}}`, "warn", "{x: ?}", ""},
		{`{"distinct":"c","key":"k","query":{"x":"secret"}}`, "warn", "{x: ?}", ""},
		{`{"aggregate":"c","pipeline":[{"$match":{"x":"secret"}},{"$count":"n"}],"cursor":{}}`, "warn", "{x: ?}", ""},
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
	run(t, db, `{"count":"c","query":{"n":{"$gte":0}}}`)
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
	late := &work{deadline: time.Now().Add(-time.Second)}
	all := selection{filter: must[*filter](t)(parseFilter(nil))}
	err := s.scanAll("test.c", all, late, func(document) (bool, error) { return true, nil })
	var ce *commandError
	if !errors.As(err, &ce) || ce.code != codeMaxTimeExpired || codeName(ce.code) != "MaxTimeMSExpired" {
		t.Errorf("scan: %v", err)
	}
	pq := &pipelineQuery{ns: "test.c", selection: all, stages: must[[]stage](t)(parsePipeline(nil))}
	if _, _, err := s.runPipeline("test", pq, late); !errors.As(err, &ce) || ce.code != codeMaxTimeExpired {
		t.Errorf("pipeline: %v", err)
	}
	err = s.store.write(func(w *writeTx) error {
		_, err := w.runDelete("test.c", deleteStatement{selection: all}, late)
		return err
	})
	if !errors.As(err, &ce) || ce.code != codeMaxTimeExpired {
		t.Errorf("delete: %v", err)
	}
	if got := run(t, db, `{"find":"c","maxTimeMS":60000,"limit":1}`); got.Lookup("ok").Double() != 1 {
		t.Errorf("with time enough: %s", got)
	}
}

func TestCollModAndRename(t *testing.T) {
	client := connect(t, startServer(t, Options{}).Addr())
	db, admin := client.Database("test"), client.Database("admin")
	fill(t, db.Collection("c"), 20)
	run(t, db, `{"createIndexes":"c","indexes":[{"key":{"t":1},"name":"t_1","expireAfterSeconds":60},{"key":{"k":1},"name":"k_1","unique":true}]}`)
	steps := []struct {
		db            *mongo.Database
		command, want string
	}{
		{db, `{"collMod":"c","index":{"name":"t_1","expireAfterSeconds":100}}`, `{"expireAfterSeconds_old":60,"expireAfterSeconds_new":100,"ok":1.0}`},
		{db, `{"collMod":"c","index":{"keyPattern":{"t":1},"expireAfterSeconds":200}}`, `{"expireAfterSeconds_old":100,"expireAfterSeconds_new":200,"ok":1.0}`},
		{db, `{"collMod":"c","index":{"name":"nope","expireAfterSeconds":1}}`, `{"ok":0.0,"errmsg":"cannot find index nope for ns test.c","code":27,"codeName":"IndexNotFound"}`},
		{db, `{"collMod":"nope","index":{"name":"t_1","expireAfterSeconds":1}}`, `{"ok":0.0,"errmsg":"ns does not exist","code":26,"codeName":"NamespaceNotFound"}`},
		{db, `{"renameCollection":"test.c","to":"test.d"}`, `{"ok":0.0,"errmsg":"renameCollection may only be run against the admin database.","code":13,"codeName":"Unauthorized"}`},
		{admin, `{"renameCollection":"test.nope","to":"test.d"}`, `{"ok":0.0,"errmsg":"Source collection test.nope does not exist","code":26,"codeName":"NamespaceNotFound"}`},
		{admin, `{"renameCollection":"test.c","to":"other.d"}`, `{"ok":1.0}`},
		{client.Database("other"), `{"count":"d","query":{"k":"7"}}`, `{"n":1,"ok":1.0}`},
		{db, `{"count":"c"}`, `{"n":0,"ok":1.0}`},
	}
	for _, step := range steps {
		var got bson.D
		if err := bson.Unmarshal(run(t, step.db, step.command), &got); err != nil {
			t.Fatal(err)
		}
		text := string(must[[]byte](t)(bson.MarshalExtJSON(got, false, false)))
		if diff := cmp.Diff(step.want, text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.command, diff)
		}
	}
	_, err := client.Database("other").Collection("d").InsertOne(t.Context(), bson.M{"k": "7"})
	if !mongo.IsDuplicateKeyError(err) {
		t.Errorf("the unique index did not come along: %v", err)
	}
}

// TestNoWayAroundRights: explain needs the right to run what it explains, a $lookup does not read users, and a rename needs rights on
// both databases.
func TestNoWayAroundRights(t *testing.T) {
	addr := startServer(t, Options{Users: []User{root, owner}}).Addr()
	client := login(t, addr, owner)
	run(t, client.Database("orders"), `{"insert":"c","documents":[{"_id":1}]}`)
	tests := []struct{ db, command string }{
		{"orders", `{"aggregate":"c","pipeline":[{"$lookup":{"from":"system.users","localField":"a","foreignField":"b","as":"c"}}],"cursor":{}}`},
		{"orders", `{"aggregate":"c","pipeline":[{"$facet":{"x":[{"$lookup":{"from":"system.users","localField":"a","foreignField":"b","as":"c"}}]}}],"cursor":{}}`},
		{"other", `{"explain":{"find":"c"}}`},
		{"orders", `{"explain":{"find":"system.users"}}`},
		{"admin", `{"renameCollection":"orders.c","to":"other.c"}`},
		{"admin", `{"renameCollection":"admin.system.users","to":"orders.u"}`},
	}
	for _, tt := range tests {
		got := run(t, client.Database(tt.db), tt.command)
		if code, _ := got.Lookup("code").AsInt64OK(); code != codeUnauthorized {
			t.Errorf("%s: %s", tt.command, got)
		}
	}
	if got := run(t, client.Database("admin"), `{"renameCollection":"orders.c","to":"orders.d"}`); got.Lookup("ok").Double() != 1 {
		t.Errorf("rename in the own database: %s", got)
	}
	if got := run(t, client.Database("orders"), `{"explain":{"find":"d"}}`); got.Lookup("ok").Double() != 1 {
		t.Errorf("explain in the own database: %s", got)
	}
}

// TestExpressionsAreBounded: values that double with every step end in an error, not in memory.
func TestExpressionsAreBounded(t *testing.T) {
	db := testDatabase(t)
	run(t, db, `{"insert":"c","documents":[{"_id":1,"s":"0123456789"}]}`)
	for _, step := range []string{`{"$concat":["$$value","$$value"]}`, `["$$value","$$value"]`, `{"a":"$$value","b":"$$value"}`, `{"$replaceAll":{"input":"$$value","find":"0","replacement":"$$value"}}`} {
		got := run(t, db, `{"aggregate":"c","pipeline":[{"$project":{"x":{"$reduce":{"input":{"$range":[0,40]},"initialValue":"$s","in":`+step+`}}}}],"cursor":{}}`)
		if code, _ := got.Lookup("code").AsInt64OK(); code != codeObjectTooLarge {
			t.Errorf("%s: %.300s", step, got)
		}
	}
}

// TestNullBytesInNames: a string that becomes the name of a field cannot hold a null byte, which ends a name in BSON.
func TestNullBytesInNames(t *testing.T) {
	db := testDatabase(t)
	run(t, db, `{"insert":"c","documents":[{"_id":1,"s":"x","l":[1]}]}`)
	for command, code := range map[string]int64{
		`{"update":"c","updates":[{"q":{},"u":{"$rename":{"s":"a\u0000b"}}}]}`:                                                    2,
		`{"aggregate":"c","pipeline":[{"$count":"a\u0000b"}],"cursor":{}}`:                                                        40159,
		`{"aggregate":"c","pipeline":[{"$unset":"a\u0000b"}],"cursor":{}}`:                                                        16411,
		`{"aggregate":"c","pipeline":[{"$unwind":{"path":"$l","includeArrayIndex":"a\u0000b"}}],"cursor":{}}`:                     16411,
		`{"aggregate":"c","pipeline":[{"$lookup":{"from":"c","localField":"s","foreignField":"s","as":"a\u0000b"}}],"cursor":{}}`: 16411,
		`{"aggregate":"c","pipeline":[{"$project":{"x":{"$arrayToObject":[[["a\u0000b",1]]]}}}],"cursor":{}}`:                     4940400,
		`{"aggregate":"c","pipeline":[{"$project":{"x":"$a\u0000b"}}],"cursor":{}}`:                                               16411,
	} {
		got := run(t, db, command)
		if list, ok := got.Lookup("writeErrors").ArrayOK(); ok {
			got = must[bson.RawValue](t)(list.IndexErr(0)).Document()
		}
		if n, _ := got.Lookup("code").AsInt64OK(); n != code {
			t.Errorf("%s: %s, want code %d", command, got, code)
		}
	}
}
