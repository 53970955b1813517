package catalog

import (
	"errors"
	"strings"
	"testing"
)

func TestFindPlace(t *testing.T) {
	p, err := FindPlace("59969")
	if err != nil || p.Zone.Prefix != "59" || strings.Join(p.Towns, ", ") != "Bromskirchen, Hallenberg" {
		t.Errorf("59969 is %+v, %v", p, err)
	}
	for _, none := range []string{"", "5066", "50000", "00999", "506670", "abcde"} {
		if _, err := FindPlace(none); !errors.Is(err, ErrPostcode) {
			t.Errorf("%q is found: %v", none, err)
		}
	}
}

func TestCheckTown(t *testing.T) {
	for _, tc := range []struct{ postcode, right, wrong string }{ // separated by |
		{"50667", "Köln|köln|KOELN|Köln-Altstadt|Köln, Innenstadt|Stadt Köln", "Bonn|Kölnberg|K|Berlin|-"},
		{"60311", "Frankfurt am Main|Frankfurt|Frankfurt a. M.|Frankfurt/Main|Frankfurt am Main Altstadt", "Main|Franken|Offenbach"},
		{"06108", "Halle (Saale)|Halle|Halle/Saale|Halle a.d. Saale", "Leipzig|Saal"},
		{"61348", "Bad Homburg vor der Höhe|Bad Homburg|Bad Homburg v.d.H.", "Bad|Bad Vilbel"},
		{"53757", "Sankt Augustin|St. Augustin", "Augustusburg|Sankt"},
		{"59969", "Hallenberg|Bromskirchen", "Winterberg"},
		{"06886", "Wittenberg|Lutherstadt Wittenberg", "Wittenberge|Lutherstadt"},
	} {
		p, err := FindPlace(tc.postcode)
		if err != nil {
			t.Fatal(err)
		}
		for name := range strings.SplitSeq(tc.right, "|") {
			if err := p.CheckTown(name); err != nil {
				t.Errorf("%s %s: %v", tc.postcode, name, err)
			}
		}
		for name := range strings.SplitSeq(tc.wrong, "|") {
			if err := p.CheckTown(name); !errors.Is(err, ErrTown) || !strings.Contains(err.Error(), p.Towns[0]) {
				t.Errorf("%s %s: %v", tc.postcode, name, err)
			}
		}
	}
}
