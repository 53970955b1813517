// Package asked holds the embedded MongoDB to what somebody asks of it.
//
// asked.txt has one line for each command, operator, stage, accumulator, modifier and index option that the server has: one package of
// tests that certainly asks for it, or why it will be asked next. Each package that is named there compares its own lines with what its
// servers were really asked; the test of this package compares the list with the server. So nothing is in the server that nobody asks
// for, and a line stays true. Not guaranteed: that the reason of a next line is a good one; that is for review.
package asked

import (
	_ "embed" // the list
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

//go:embed asked.txt
var list string

// fileVariable names the file in which servers note what they are asked. The processes that a test starts inherit it.
const fileVariable = "KREISLAUF_TEST_MONGOD_ASKED"

// line is one line of the list.
type line struct {
	kind, name string
	by         string // the tests that certainly ask for it, "" when nobody does
	next       string // why it will be asked, "" when it is asked
}

func (l line) String() string { return l.kind + " " + l.name }

// lines reads the list: "kind | name | by" or "kind | name | next: reason".
func lines(text string) ([]line, error) {
	var all []line
	for i, s := range strings.Split(strings.TrimSpace(text), "\n") {
		if s == "" || strings.HasPrefix(s, "#") {
			continue
		}
		parts := strings.Split(s, " | ")
		if len(parts) != 3 || slices.Contains(parts, "") {
			return nil, fmt.Errorf("asked.txt:%d: not \"kind | name | who\": %s", i+1, s)
		}
		l := line{kind: parts[0], name: parts[1]}
		if reason, ok := strings.CutPrefix(parts[2], "next: "); ok {
			l.next = reason
		} else {
			l.by = parts[2]
		}
		all = append(all, l)
	}
	return all, nil
}

// Recorder is for mongod.Options.Asked. It notes each name once in the file of the tests that run, and nothing when there is none.
func Recorder() func(kind, name string) {
	path := os.Getenv(fileVariable)
	if path == "" {
		return nil
	}
	var seen sync.Map
	return func(kind, name string) {
		l := line{kind: kind, name: name}.String()
		if _, known := seen.LoadOrStore(l, true); known {
			return
		}
		if err := note(path, l); err != nil {
			fmt.Fprintf(os.Stderr, "note what is asked: %v\n", err)
		}
	}
}

// note appends a line. Several servers, also of other processes, write to the file.
func note(path, l string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(l + "\n")
	return err
}

// Tests are the tests of one package.
type Tests struct {
	m  *testing.M
	by string
}

// By is for TestMain: by is the name under which asked.txt has the package.
func By(m *testing.M, by string) Tests { return Tests{m, by} }

// Run runs the tests and, when they pass, compares what was asked with the list. It returns the exit code.
func (t Tests) Run() int {
	f, err := os.CreateTemp("", "kreislauf-asked-")
	if err == nil {
		defer os.Remove(f.Name())
		err = f.Close()
	}
	if err == nil {
		err = os.Setenv(fileVariable, f.Name())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if code := t.m.Run(); code != 0 {
		return code
	}
	noted, err := os.ReadFile(f.Name())
	all, badList := lines(list)
	if err != nil || badList != nil {
		fmt.Fprintln(os.Stderr, err, badList)
		return 1
	}
	faults := compare(all, t.by, strings.Split(strings.TrimSpace(string(noted)), "\n"), whole())
	for _, f := range faults {
		fmt.Fprintln(os.Stderr, "test/asked/asked.txt: "+f)
	}
	return min(len(faults), 1)
}

// whole reports whether all tests of the package ran: only then does a name that was not asked mean something.
func whole() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return !testing.Short()
}

// compare returns what is wrong between the list and what one package asked.
func compare(all []line, by string, noted []string, whole bool) []string {
	var faults []string
	for _, l := range all {
		asks := slices.Contains(noted, l.String())
		switch {
		case asks && l.next != "":
			faults = append(faults, fmt.Sprintf("%s asks for %s, which the list has as next: write %s in place of the reason", by, l, by))
		case !asks && l.by == by && whole:
			faults = append(faults, fmt.Sprintf("%s does not ask for %s any more: write who does, or why it is next, or take it out of the server", by, l))
		}
	}
	return faults
}
