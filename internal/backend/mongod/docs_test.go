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
	"go.mongodb.org/mongo-driver/v2/mongo"
)

var updateDocs = flag.Bool("update", false, "rewrite the tables in docs/mongod.md")

const (
	docsFile   = "../../../docs/mongod.md"
	docsMarker = "<!-- From here on written by: go test ./internal/backend/mongod -run TestDocs -update -->\n"
)

// docsRow is one line of a table: a name, what the registry says of it, and a command that uses it.
type docsRow struct {
	name, note string
	refused    *commandError
	use        string
}

type docsTable struct {
	title string
	rows  []docsRow
}

func rowsOf[P any](entries []entry[P], use string) []docsRow {
	var out []docsRow
	for _, e := range entries {
		out = append(out, docsRow{e.name, e.note, e.refused, strings.ReplaceAll(use, "NAME", e.name)})
	}
	return out
}

func commandRows() []docsRow {
	var out []docsRow
	for name, c := range commandTable() {
		if name != c.name {
			continue // another spelling
		}
		row := docsRow{name: name, note: c.note}
		if c.refusal {
			row.refused, row.use = unsupported("the command %s", name), fmt.Sprintf(`{%q:1}`, name)
		}
		if len(c.refused) > 0 {
			row.note = strings.TrimPrefix(row.note+"; refused options: "+strings.Join(c.refused, ", "), "; ")
		}
		out = append(out, row)
	}
	slices.SortFunc(out, func(a, b docsRow) int { return strings.Compare(a.name, b.name) })
	return out
}

func docsTables() []docsTable {
	return []docsTable{
		{"Commands", commandRows()},
		{"Query operators on a field", rowsOf(fieldOperators(), `{"find":"c","filter":{"a":{"NAME":1}}}`)},
		{"Query operators on a document", rowsOf(logicalOperators(), `{"find":"c","filter":{"NAME":1}}`)},
		{"Update operators", rowsOf(updateOperators(), `{"update":"c","updates":[{"q":{},"u":{"NAME":{"a":1}}}]}`)},
		{"Aggregation stages", rowsOf(stages(), `{"aggregate":"c","pipeline":[{"NAME":{}}],"cursor":{}}`)},
		{"Accumulators of $group", rowsOf(accumulators(), `{"aggregate":"c","pipeline":[{"$group":{"_id":1,"x":{"NAME":{}}}}],"cursor":{}}`)},
		{"Expressions", rowsOf(expressionOperators(), `{"aggregate":"c","pipeline":[{"$project":{"x":{"NAME":1}}}],"cursor":{}}`)},
		{"Index options", rowsOf(indexOptions(), `{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"x","NAME":true}]}`)},
		{"Index types", rowsOf(indexTypes(), `{"createIndexes":"c","indexes":[{"key":{"a":"NAME"},"name":"x"}]}`)},
	}
}

func renderDocs(tables []docsTable) string {
	var b strings.Builder
	b.WriteString(docsMarker)
	for _, t := range tables {
		fmt.Fprintf(&b, "\n## %s\n\n| name | status | |\n|---|---|---|\n", t.title)
		for _, r := range t.rows {
			status, note := "supported", r.note
			switch {
			case r.refused != nil:
				status, note = fmt.Sprintf("refused: %d %s", r.refused.code, codeName(r.refused.code)), ""
				if r.refused.code != codeNotImplemented {
					note = r.refused.message
				}
			case note != "":
				status = "different"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.name, status, note)
		}
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

// TestRefusedNames uses every name that is documented as refused, and gets the documented error.
func TestRefusedNames(t *testing.T) {
	db := testDatabase(t)
	run(t, db, `{"insert":"c","documents":[{"_id":1,"a":1}]}`)
	for _, table := range docsTables() {
		for _, r := range table.rows {
			if r.refused != nil {
				checkRefusal(t, db, r.use, r.refused)
			}
		}
	}
}

// TestRefusedOptions uses every option that a command is documented to refuse.
func TestRefusedOptions(t *testing.T) {
	db := testDatabase(t)
	for _, c := range commandTable() {
		for _, option := range c.refused {
			checkRefusal(t, db, fmt.Sprintf(`{%q:"c",%q:true}`, c.name, option), unsupported("%s option '%s'", c.name, option))
		}
	}
}

func checkRefusal(t *testing.T, db *mongo.Database, command string, want *commandError) {
	t.Helper()
	got := run(t, db, command)
	if list, ok := got.Lookup("writeErrors").ArrayOK(); ok {
		got = must[bson.RawValue](t)(list.IndexErr(0)).Document()
	}
	code, _ := got.Lookup("code").AsInt64OK()
	message, _ := got.Lookup("errmsg").StringValueOK()
	if code != int64(want.code) || message != want.message {
		t.Errorf("%s: %s, want %d %s", command, got, want.code, want.message)
	}
}
