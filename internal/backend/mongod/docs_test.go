package mongod

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"kreislauf/internal/backend/mongod/fault"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
)

var updateDocs = flag.Bool("update", false, "rewrite the tables in docs/mongod.md")

const (
	docsFile   = "../../../docs/mongod.md"
	docsMarker = "<!-- From here on written by: go test ./internal/backend/mongod -run TestDocs -update -->\n"
)

// docsKinds are the tables: a title for each kind of name, a command that uses a name that is not in it, and the code of the answer.
func docsKinds() []docsKind {
	return []docsKind{
		{"command", "Commands", `{"$lookup":1}`, fault.CommandNotFound},
		{"query operator on a field", "Query operators on a field", `{"find":"c","filter":{"a":{"$lookup":1}}}`, fault.BadValue},
		{"query operator on a document", "Query operators on a document", `{"find":"c","filter":{"$lookup":1}}`, fault.BadValue},
		{"update operator", "Update operators", `{"update":"c","updates":[{"q":{},"u":{"$lookup":{"a":1}}}]}`, fault.FailedToParse},
		{"modifier of $push", "Modifiers of $push", `{"update":"c","updates":[{"q":{},"u":{"$push":{"a":{"$each":[],"$lookup":1}}}}]}`, fault.BadValue},
		{"stage", "Aggregation stages", `{"aggregate":"c","pipeline":[{"$lookup":{}}],"cursor":{}}`, fault.UnknownStage},
		{"accumulator of $group", "Accumulators of $group", `{"aggregate":"c","pipeline":[{"$group":{"_id":1,"x":{"$lookup":{}}}}],"cursor":{}}`, fault.GroupOperator},
		{"index option", "Index options", `{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"x","$lookup":true}]}`, fault.InvalidIndexOption},
	}
}

type docsKind struct {
	kind, title, unknown string
	code                 int
}

func renderDocs() string {
	var b strings.Builder
	b.WriteString(docsMarker)
	names := Names()
	for _, k := range docsKinds() {
		fmt.Fprintf(&b, "\n## %s\n\n| name | different from MongoDB |\n|---|---|\n", k.title)
		for _, n := range names {
			if n.Kind == k.kind {
				fmt.Fprintf(&b, "| `%s` | %s |\n", n.Name, n.Note)
			}
		}
		fmt.Fprintf(&b, "\nAny other: %d %s.\n", k.code, fault.CodeName(k.code))
	}
	return b.String()
}

// TestEveryKindIsDocumented: a new table of names needs a table in the documentation.
func TestEveryKindIsDocumented(t *testing.T) {
	for _, n := range Names() {
		if !slices.ContainsFunc(docsKinds(), func(k docsKind) bool { return k.kind == n.Kind }) {
			t.Errorf("%s is a %s, which docs/mongod.md has no table for", n.Name, n.Kind)
		}
	}
}

// TestDocs compares the tables in docs/mongod.md with the registries from which the code dispatches.
func TestDocs(t *testing.T) {
	raw, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	text, written, found := strings.Cut(string(raw), docsMarker)
	if !found {
		t.Fatalf("%s has no line %q", docsFile, docsMarker)
	}
	want := renderDocs()
	if *updateDocs {
		if err := os.WriteFile(docsFile, []byte(text+want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, docsMarker+written); diff != "" {
		t.Errorf("%s differs from the code (-code +file); renew it with -update:\n%s", docsFile, diff)
	}
}

// TestUnknownNames uses a name that is in no registry in each place, and gets the documented error.
func TestUnknownNames(t *testing.T) {
	db := testDatabase(t)
	run(t, db, `{"insert":"c","documents":[{"_id":1,"a":1}]}`)
	for _, k := range docsKinds() {
		got := run(t, db, k.unknown)
		if list, ok := got.Lookup("writeErrors").ArrayOK(); ok {
			got = must[bson.RawValue](t)(list.IndexErr(0)).Document()
		}
		if code, _ := got.Lookup("code").AsInt64OK(); code != int64(k.code) || !strings.Contains(got.Lookup("errmsg").StringValue(), "$lookup") {
			t.Errorf("%s: %s, want %d", k.unknown, got, k.code)
		}
	}
}
