package mongod

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// TestRecordedReplies replays commands in order and compares with what MongoDB's own engine answered. A "~" stands for an answer
// that is not compared: the texts differ there for a reason that the README names, or the answer is not defined.
func TestRecordedReplies(t *testing.T) {
	files, err := filepath.Glob("testdata/recorded_*.txt")
	if err != nil || len(files) < 3 {
		t.Fatalf("recordings %v, %v", files, err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) { replay(t, name) })
	}
}

func replay(t *testing.T, name string) {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	db := connect(t, startServer(t, Options{}).Addr()).Database("difftest")
	lines := bufio.NewScanner(f)
	compared := 0
	for lines.Scan() {
		command, ok := strings.CutPrefix(lines.Text(), "> ")
		if !ok || !lines.Scan() {
			t.Fatalf("line %q is not a command with an answer", lines.Text())
		}
		got := run(t, db, command)
		if lines.Text() == "~" {
			continue
		}
		var want bson.D
		if err := bson.UnmarshalExtJSON(lines.Bytes(), false, &want); err != nil {
			t.Fatal(err)
		}
		compared++
		if diff := cmp.Diff(canonical(t, want), canonical(t, got)); diff != "" {
			t.Errorf("%s: MongoDB (-), this server (+):\n%s", command, diff)
		}
	}
	if err := lines.Err(); err != nil || compared == 0 {
		t.Fatalf("compared %d, %v", compared, err)
	}
}

// canonical renders an answer with its own fields in order; documents inside keep theirs.
func canonical(t *testing.T, answer any) string {
	t.Helper()
	raw, err := bson.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	var d bson.D
	if err := bson.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	byKey := func(a, b bson.E) int { return strings.Compare(a.Key, b.Key) }
	slices.SortFunc(d, byKey)
	for _, e := range d {
		if cursor, ok := e.Value.(bson.D); ok && e.Key == "cursor" {
			slices.SortFunc(cursor, byKey)
		}
	}
	out, err := bson.MarshalExtJSONIndent(d, false, false, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
