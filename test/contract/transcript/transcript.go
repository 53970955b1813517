// Package transcript is what the contract suites of Kafka and Redis have in common: a case writes down what a server answers, the
// answers of the real server are kept as golden files, and the embedded servers must give the same.
//
//	testdata/<case>.txt       name = answer, in the order of the case; written with CONTRACT_RECORD=1
//	testdata/differences.txt  what an embedded server answers instead, and why that is accepted
//
// Invariants: an answer that differs and is not listed fails the test; so does a listed difference that is gone (stale), one that
// shows another value than listed, and one without a reason. Answers hold nothing that changes from run to run: cases leave out or
// normalise times, ports and generated ids.
package transcript

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Recording says whether the suites run against the real servers and write the golden files.
func Recording() bool { return os.Getenv("CONTRACT_RECORD") == "1" }

// Transcript is what one server answered in one case.
type Transcript struct {
	names   []string
	answers map[string]string
}

// Say writes an answer down. A name appears once in a case.
func (tr *Transcript) Say(t testing.TB, name, format string, args ...any) {
	t.Helper()
	if tr.answers == nil {
		tr.answers = map[string]string{}
	}
	if _, ok := tr.answers[name]; ok || strings.Contains(name, " = ") || strings.Contains(name, "|") {
		t.Fatalf("the answer %q has no good name or came before", name)
	}
	tr.names = append(tr.names, name)
	tr.answers[name] = strings.ReplaceAll(strings.TrimSpace(fmt.Sprintf(format, args...)), "\n", `\n`)
}

// Record writes the golden file of a case.
func (tr *Transcript) Record(t testing.TB, name string) {
	t.Helper()
	var b strings.Builder
	for _, n := range tr.names {
		fmt.Fprintf(&b, "%s = %s\n", n, tr.answers[n])
	}
	if err := os.WriteFile(golden(name), []byte(b.String()), 0o640); err != nil {
		t.Fatal(err)
	}
}

func golden(name string) string { return filepath.Join("testdata", name+".txt") }

// absent is the answer that was not given at all.
const absent = "(no such answer)"

// Compare holds the answers of an embedded server against the golden file of the case.
func (tr *Transcript) Compare(t testing.TB, server, name string, d *Differences) {
	t.Helper()
	b, err := os.ReadFile(golden(name))
	if err != nil {
		t.Fatalf("%v; record the real server's answers first", err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		answer, want, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " = ")
		if !ok {
			t.Fatalf("%s: line %q", golden(name), line)
		}
		seen[answer] = true
		got, ok := tr.answers[answer]
		if !ok {
			got = absent
		}
		d.judge(t, entry{server, name, answer}, want, got)
	}
	for _, answer := range tr.names {
		if !seen[answer] {
			d.judge(t, entry{server, name, answer}, absent, tr.answers[answer])
		}
	}
}

// entry is one place where servers may differ.
type entry struct{ server, name, answer string }

// Differences is the list of what is accepted.
type Differences struct {
	listed map[entry]string // what the embedded server answers
	met    map[entry]bool
}

// LoadDifferences reads testdata/differences.txt:
//
//	server | case | name of the answer | what it answers
//	    why this is accepted
func LoadDifferences(t testing.TB) *Differences {
	t.Helper()
	path := filepath.Join("testdata", "differences.txt")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d, err := parse(string(b))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return d
}

func parse(text string) (*Differences, error) {
	d := &Differences{listed: map[entry]string{}, met: map[entry]bool{}}
	explained := map[entry]bool{}
	var last entry
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == ' ':
			if strings.TrimSpace(line) != "" {
				explained[last] = true
			}
		default:
			parts := strings.SplitN(line, " | ", 4)
			if len(parts) != 4 {
				return nil, fmt.Errorf("line %q: want server | case | answer | value", line)
			}
			last = entry{parts[0], parts[1], parts[2]}
			if _, ok := d.listed[last]; ok {
				return nil, fmt.Errorf("%v is listed twice", last)
			}
			d.listed[last] = parts[3]
		}
	}
	for e := range d.listed {
		if !explained[e] {
			return nil, fmt.Errorf("%v has no reason: an indented line below it", e)
		}
	}
	return d, nil
}

func (d *Differences) judge(t testing.TB, e entry, want, got string) {
	t.Helper()
	listed, ok := d.listed[e]
	d.met[e] = true
	switch {
	case got == want && ok:
		t.Errorf("stale: %s answers %s/%s as the real one now; take it off the list", e.server, e.name, e.answer)
	case got != want && !ok:
		t.Errorf("%s: %s\nreal: %s\nhere: %s", e.name, e.answer, want, got)
	case got != want && got != listed:
		t.Errorf("%s: %s\nreal:   %s\nhere:   %s\nlisted: %s", e.name, e.answer, want, got, listed)
	}
}

// AllMet fails for what is listed of a server and was never asked.
func (d *Differences) AllMet(t testing.TB, server string) {
	t.Helper()
	for e := range d.listed {
		if e.server == server && !d.met[e] {
			t.Errorf("stale: the list has %s/%s, which no case asks", e.name, e.answer)
		}
	}
}
