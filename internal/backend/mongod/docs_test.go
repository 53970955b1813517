package mongod

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
)

var updateDocs = flag.Bool("update", false, "rewrite the tables in docs/mongod.md")

const (
	docsFile   = "../../../docs/mongod.md"
	docsMarker = "<!-- From here on written by: go test ./internal/backend/mongod -run TestDocs -update -->\n"
)

// docsRow is one line of a table: a name and what the registry says of it.
type docsRow struct{ name, note string }

type docsTable struct {
	title string
	rows  []docsRow
	use   string // a command that uses a name that is not in the table, and what it is answered with
	code  int32
}

func rowsOf[P any](entries []entry[P]) []docsRow {
	var out []docsRow
	for _, e := range entries {
		out = append(out, docsRow{e.name, e.note})
	}
	return out
}

func commandRows() []docsRow {
	var out []docsRow
	for name, c := range commandTable() {
		out = append(out, docsRow{name, c.note})
	}
	slices.SortFunc(out, func(a, b docsRow) int { return strings.Compare(a.name, b.name) })
	return out
}

func docsTables() []docsTable {
	return []docsTable{
		{"Commands", commandRows(), `{"$lookup":1}`, codeCommandNotFound},
		{"Query operators on a field", rowsOf(fieldOperators()), `{"find":"c","filter":{"a":{"$lookup":1}}}`, codeBadValue},
		{"Query operators on a document", rowsOf(logicalOperators()), `{"find":"c","filter":{"$lookup":1}}`, codeBadValue},
		{"Update operators", rowsOf(updateOperators()), `{"update":"c","updates":[{"q":{},"u":{"$lookup":{"a":1}}}]}`, codeFailedToParse},
		{"Aggregation stages", rowsOf(stages()), `{"aggregate":"c","pipeline":[{"$lookup":{}}],"cursor":{}}`, codeUnknownStage},
		{"Accumulators of $group", rowsOf(accumulators()), `{"aggregate":"c","pipeline":[{"$group":{"_id":1,"x":{"$lookup":{}}}}],"cursor":{}}`, codeGroupOperator},
		{"Index options", rowsOf(indexOptions()), `{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"x","$lookup":true}]}`, codeInvalidIndexOption},
	}
}

func renderDocs(tables []docsTable) string {
	var b strings.Builder
	b.WriteString(docsMarker)
	for _, t := range tables {
		fmt.Fprintf(&b, "\n## %s\n\n| name | different from MongoDB |\n|---|---|\n", t.title)
		for _, r := range t.rows {
			fmt.Fprintf(&b, "| `%s` | %s |\n", r.name, r.note)
		}
		fmt.Fprintf(&b, "\nAny other: %d %s.\n", t.code, codeName(int(t.code)))
	}
	return b.String()
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
	want := renderDocs(docsTables())
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
	for _, table := range docsTables() {
		got := run(t, db, table.use)
		if list, ok := got.Lookup("writeErrors").ArrayOK(); ok {
			got = must[bson.RawValue](t)(list.IndexErr(0)).Document()
		}
		if code, _ := got.Lookup("code").AsInt64OK(); code != int64(table.code) || !strings.Contains(got.Lookup("errmsg").StringValue(), "$lookup") {
			t.Errorf("%s: %s, want %d", table.use, got, table.code)
		}
	}
}
