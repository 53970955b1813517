package postcodes

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTable: every line is found by its postcode, and nothing else is; lines and names are in order.
func TestTable(t *testing.T) {
	before, lines := "", 0
	for line := range strings.Lines(towns) {
		lines++
		line = strings.TrimSuffix(line, "\n")
		postcode, names := line[:digits], strings.Split(line[digits:], ";")
		if strings.Trim(postcode, "0123456789") != "" || postcode <= before || !slices.IsSorted(names) || slices.Contains(names, "") {
			t.Errorf("line %q behind %s", line, before)
		}
		before = postcode
		if diff := cmp.Diff(names, Towns(postcode)); diff != "" {
			t.Errorf("towns of %s (-want +got):\n%s", postcode, diff)
		}
	}
	if got := Starting(""); lines < 8000 || len(got) != lines || !slices.IsSorted(got) {
		t.Errorf("%d lines, and %d postcodes start with nothing", lines, len(got))
	}
}

func TestTowns(t *testing.T) {
	for postcode, want := range map[string]string{
		"50667": "Köln", "01067": "Dresden", "99998": "Körner;Mühlhausen", "59969": "Bromskirchen;Hallenberg", "12435": "Berlin",
		"50000": "", "00000": "", "99999": "", "": "", "5066": "", "506670": "", "50667K": "", "Köln": "", "\n0106": "",
	} {
		if got := strings.Join(Towns(postcode), ";"); got != want {
			t.Errorf("towns of %q: %q, want %q", postcode, got, want)
		}
	}
	if diff := cmp.Diff([]string{"27498", "27499"}, Starting("2749")); diff != "" {
		t.Errorf("postcodes starting with 2749 (-want +got):\n%s", diff)
	}
}
