package asked

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/backend/mongod"
)

// TestListEqualsTheServer: what the server has is asked or reviewed as next, and the list names nothing else.
func TestListEqualsTheServer(t *testing.T) {
	all, err := lines(list)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, l := range all {
		if named[l.String()] {
			t.Errorf("%s stands in the list twice", l)
		}
		named[l.String()] = true
		if l.next == "" && !slices.Contains([]string{"journey", "outbox", "openapi", "repository", "auditlog", "drills"}, l.by) {
			t.Errorf("%s: no tests are called %q; a reason begins with \"next: \"", l, l.by)
		}
	}
	for _, n := range mongod.Names() {
		key := line{kind: n.Kind, name: n.Name}.String()
		if !named[key] {
			t.Errorf("nobody asks for %s: take it out of the server, or write a line in asked.txt with the reason why it is asked next", key)
		}
		delete(named, key)
	}
	for key := range named {
		t.Errorf("the server does not have %s", key)
	}
}

func TestCompare(t *testing.T) {
	all, err := lines("# a comment\n\ncommand | find | journey\ncommand | ping | next: a probe\nstage | $match | drills\nstage | $limit | journey\n")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		noted []string
		whole bool
		want  []string
	}{
		{"as listed", []string{"command find", "stage $limit"}, true, nil},
		{"next is asked", []string{"command find", "stage $limit", "command ping"}, true, []string{
			"journey asks for command ping, which the list has as next: write journey in place of the reason",
		}},
		{"another's", []string{"command find", "stage $limit", "stage $match"}, true, nil},
		{"no longer", []string{"command find"}, true, []string{"journey does not ask for stage $limit any more: write who does, or why it is next, or take it out of the server"}},
		{"only some tests", []string{"command find"}, false, nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, compare(all, "journey", tt.noted, tt.whole)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	for _, bad := range []string{"command | find", "command | find | ", "command find journey"} {
		if _, err := lines(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}
