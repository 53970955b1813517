package store

import (
	"testing"

	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"

	"go.mongodb.org/mongo-driver/v2/bson"
)

func parsed(tb testing.TB, text string) raw.Document {
	tb.Helper()
	var d bson.D
	if err := bson.UnmarshalExtJSON([]byte(text), false, &d); err != nil {
		tb.Fatal(err)
	}
	raw, err := bson.Marshal(d)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

func mustDo[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func TestPlanChoice(t *testing.T) {
	coll := &description{}
	for _, spec := range []string{
		`{"name":"state_at","key":{"state":1,"at":1}}`, `{"name":"email","key":{"email":1},"unique":true}`,
		`{"name":"tags","key":{"tags":1},"multikey":true}`, `{"name":"open","key":{"due":1},"partialFilterExpression":{"open":true}}`,
	} {
		coll.indexes = append(coll.indexes, mustDo[*index](t)(parseStoredIndex(parsed(t, spec))))
	}
	tests := []struct {
		filter, sort string
		want         string
		sorted       bool
	}{
		{`{"_id":1}`, `{}`, "_id", false},
		{`{"_id":1,"email":"x"}`, `{}`, "_id", false},
		{`{"email":"x"}`, `{}`, "email", false},
		{`{"$and":[{"email":{"$in":["x","y"]}}]}`, `{}`, "email", false},
		{`{"state":"new"}`, `{"at":1}`, "state_at", true},
		{`{"state":"new","at":{"$gt":1}}`, `{"at":-1}`, "state_at", true},
		{`{"state":"new"}`, `{"other":1}`, "state_at", false},
		{`{}`, `{"state":-1,"at":-1}`, "state_at", true},
		{`{}`, `{"state":-1,"at":1}`, "_id", false},
		{`{"at":1}`, `{}`, "_id", false},
		{`{"tags":"a"}`, `{"tags":1}`, "tags", false},
		{`{"due":1}`, `{}`, "_id", false},
		{`{"due":1,"open":true}`, `{}`, "open", false},
		{`{"email":null}`, `{}`, "email", false},
		{`{"$or":[{"email":"x"},{"state":1}]}`, `{}`, "_id", false},
		{`{"state":"new"}`, `{"_id":1}`, "state_at", false},
	}
	for _, tt := range tests {
		f := mustDo[*query.Filter](t)(query.Parse(parsed(t, tt.filter), nil))
		order := mustDo[[]query.SortField](t)(query.ParseSort(parsed(t, tt.sort)))
		p := choosePlan(coll, Selection{Filter: f, Order: order})
		got := "_id"
		if p.index != nil {
			got = p.index.name
		}
		if got != tt.want || p.Sorted != tt.sorted {
			t.Errorf("%s sort %s: %s sorted %v, want %s %v", tt.filter, tt.sort, got, p.Sorted, tt.want, tt.sorted)
		}
	}
}
