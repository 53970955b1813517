package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const page = "# x\n```sh\nnot of the tour\n```\n## A tour in no time\n\n" +
	"1. **Say it.** Like this:\n\n   ```sh\n   A=1\n   echo $A\n   # → 1\n   # → …\n   echo two\n   ```\n\n   ```\n   two\n   ```\n" +
	"2. **Wait.**\n\n   ```sh\n   sleep 300\n   ```\n## Next\n```sh\nneither\n```\n"

func TestReadTour(t *testing.T) {
	got, err := readTour(page)
	if err != nil {
		t.Fatal(err)
	}
	want := []block{
		{9, "Say it", []step{{10, "A=1\necho $A\n", []string{"1", "…"}}, {14, "echo two\n", []string{"two"}}}},
		{22, "Wait", []step{{23, "sleep 300\n", nil}}},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(block{}, step{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got[0].slow() || !got[1].slow() {
		t.Error("slow are the blocks that sleep for minutes")
	}
	for _, bad := range []string{
		"", "## A tour\n", "## A tour\n```sh\n", "## A tour\n```sh\n```\n", "## A tour\n```sh\n# → x\n```\n", "## A tour\n```\nx\n```\n",
	} {
		if b, err := readTour(bad); err == nil {
			t.Errorf("%q is read as %v", bad, b)
		}
	}
}

func TestMissing(t *testing.T) {
	for _, c := range []struct{ want, output, missing string }{
		{"a\nb", "x a\nc\nb y", ""},
		{"a\nb", "b\na", "b"},
		{"a\n…\nb", "a\nb", ""},
		{`"number":"R-…","kind"`, `{"number":"R-2026-000001","kind":"invoice"}`, ""},
		{"one … two", "one\ntwo", "one … two"},
		{"└─ order-1 server POST 201   4.5ms |██   |", "  └─ order-3 server POST 201 815µs |        █|", ""},
		{"   ├─ order-1 server\n   │  …\n   │  └─ order-1 client", "└─ order-3 server\n   └─ order-2 client", ""},
		{"ready, … 1 restart", "ready, pid 7, 1 restart", ""},
		{"ready … 1 restart", "ready, pid 7, 11 restarts", ""}, // anything is anything
		{"POST 201", "POST 409", "POST 201"},
		{"pid 7, 1 restart", "pid 8, 1 restart", "pid 7, 1 restart"},
		{"after 1.6 s: 5", "after 1.6 s: 6", "after 1.6 s: 5"},
		{"took 1m2s", "took 12s", ""},
		{"a.c", "abc", "a.c"},
	} {
		if got := missing(strings.Split(c.want, "\n"), c.output); got != c.missing {
			t.Errorf("%q in %q: %q is missing, want %q", c.want, c.output, got, c.missing)
		}
	}
}

// TestShell: variables and functions stay, what only asks is asked again, what acts is done once, and a command that fails fails.
func TestShell(t *testing.T) {
	s, err := startShell(t.Context(), t.TempDir(), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	here := strings.NewReplacer("HERE", "there")
	walk := func(code string, want ...string) error {
		return s.walk(t.Context(), block{1, "x", []step{{1, code, want}}}, here)
	}
	for _, ok := range []struct {
		code string
		want []string
	}{
		{"A='x  y'\npost() { echo \"$JAR $*\"; }\n", nil},
		{"echo \"$A\" HERE", []string{"x y there"}},
		{"JAR=jar post one", []string{"jar one"}},
		{"echo \"[$JAR]\"", []string{"[]"}},
		{"echo oops >&2; cat", []string{"oops"}},
		{"echo x >> file; wc -l file", []string{"3 file"}}, // the third time
	} {
		if err := walk(ok.code, ok.want...); err != nil {
			t.Errorf("%s: %v", ok.code, err)
		}
	}
	for code, says := range map[string]string{
		"post two >> once; cat once": "should print: three\nit printed:\n    two",
		"kill -0 $$ ; (exit 7)":      "status 7",
	} {
		if err := walk(code, "three"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want %s", code, err, says)
		}
	}
	if _, _, err := s.run(t.Context(), "sleep 600", 50*time.Millisecond); err == nil || !strings.Contains(err.Error(), "did not end") {
		t.Errorf("a command without end: %v", err)
	}
}
