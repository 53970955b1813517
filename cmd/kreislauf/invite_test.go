package main

import (
	"strings"
	"testing"
)

func TestInvite(t *testing.T) {
	t.Setenv("KREISLAUF_INVITE_KEY", strings.Repeat("ab", 32))
	t.Setenv(partnersFile, "../../internal/local/partners.json")
	for line, want := range map[string]string{ // empty: a code is printed
		"-partner p-berlin":                            "",
		"-role driver -partner p-berlin -driver d-1":   "",
		"-role back_office":                            "",
		"-role ops -days 90":                           "",
		"-role site_manager -site s-1":                 "",
		"-partner p-new -unlisted":                     "",
		"":                                             "a dispatcher its partner",
		"-role driver -partner p-berlin":               "its partner and driver id",
		"-role boss":                                   `"boss" is no role; there are dispatcher`,
		"-partner p-bremen":                            "there are p-hamburg, p-berlin, p-koeln",
		"-role driver -partner p-bremen -driver d-1":   "there is no partner p-bremen",
		"-partner p-berlin -days 0":                    "usage",
		"-partner p-berlin -days 91":                   "usage",
		"-partner p-berlin extra":                      "usage",
		"-role customer":                               "a customer needs no invitation",
		"-role back_office -partner p-berlin":          "is not bound",
		"-role dispatcher -partner p-berlin -data nix": "",
	} {
		err := runInvite(t.Context(), strings.Fields(line))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("invite %s: %v, want %q", line, err, want)
		}
	}
	t.Setenv(partnersFile, "nowhere.json")
	if err := runInvite(t.Context(), []string{"-partner", "p-berlin"}); err == nil || !strings.Contains(err.Error(), "-unlisted") {
		t.Errorf("without a file: %v", err)
	}
}
