package transcript

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// witness notes the failures that a comparison reports.
type witness struct {
	testing.TB
	failures []string
}

func (w *witness) Helper() {}

func (w *witness) Errorf(format string, args ...any) {
	w.failures = append(w.failures, fmt.Sprintf(format, args...))
}

func TestCompare(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("testdata", 0o750); err != nil {
		t.Fatal(err)
	}
	var real Transcript
	for _, n := range []string{"same", "differs", "listed", "listed otherwise", "healed", "missing"} {
		real.Say(t, n, "%s %d", n, 1)
	}
	real.Record(t, "case")
	d, err := parse(`# comment
s | case | listed | two = 2
    because
s | case | listed otherwise | x
    because
s | case | healed | x
    because
s | gone | x | y
    because
other | case | same | x
    because
`)
	if err != nil {
		t.Fatal(err)
	}
	var here Transcript
	here.Say(t, "same", "same 1")
	here.Say(t, "differs", "2\n3")
	here.Say(t, "listed", "two = 2")
	here.Say(t, "listed otherwise", "y")
	here.Say(t, "healed", "healed 1")
	here.Say(t, "more", "z")
	w := &witness{TB: t}
	here.Compare(w, "s", "case", d)
	d.AllMet(w, "s")
	want := []string{`differs` + "\nreal: differs 1\nhere: " + `2\n3`, "listed: x", "stale: s answers case/healed", "here: (no such answer)", "real: (no such answer)\nhere: z", "stale: the list has gone/x"}
	if len(w.failures) != len(want) {
		t.Fatalf("%d failures, want %d: %q", len(w.failures), len(want), w.failures)
	}
	for i, part := range want {
		if !strings.Contains(w.failures[i], part) {
			t.Errorf("failure %d is %q, want %q", i, w.failures[i], part)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"s | case | x | y\n", "s | case | x\n    because\n", "s | c | x | y\n  because\ns | c | x | z\n  because\n"} {
		if _, err := parse(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
