package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSpans holds the tokens with places against those without.
func TestSpans(t *testing.T) {
	for _, text := range []string{
		"", "The quick brown fox", "naïve café, Straße Köln 2.0 foo_bar e-mail@example.org it's", "__ _a", strings.Repeat("é", 600), "\xff broken \xc3", "a.b:c;1,5",
	} {
		var got []string
		for _, s := range Spans(text) {
			got = append(got, s.Token)
			if !strings.EqualFold(text[s.Start:s.End], s.Token) && !strings.Contains(text, "\xff") {
				t.Errorf("%q is at %q", s.Token, text[s.Start:s.End])
			}
		}
		if diff := cmp.Diff(Tokens(text), got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
