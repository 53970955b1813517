package words_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/words"
)

func TestWordsMeet(t *testing.T) {
	for _, tc := range []struct {
		stored, typed string
		want          []string
	}{
		{"Käthe Müller-Lüdenscheidt", "KAETHE mueller lüdenscheidt", []string{"kaethe", "mueller", "luedenscheidt"}},
		{"Hauptstraße 7", "hauptstrasse 7,", []string{"hauptstrasse", "7"}},
		{"anna@example.org", "anna@example.org", []string{"anna", "example", "org"}},
		{"a A á", "A á", []string{"a", "á"}},
		{" -- ", "", nil},
	} {
		if diff := cmp.Diff(tc.want, words.Of(tc.stored)); diff != "" {
			t.Errorf("words of %q (-want +got):\n%s", tc.stored, diff)
		}
		if diff := cmp.Diff(tc.want, words.Of(tc.typed)); diff != "" {
			t.Errorf("words of %q (-want +got):\n%s", tc.typed, diff)
		}
	}
}

func TestKey(t *testing.T) {
	for typed, want := range map[string]string{"AB 1234-5": "ab12345", "R-2026-000017": "r2026000017", "r 2026/000017": "r2026000017", "–": ""} {
		if got := words.Key(typed); got != want {
			t.Errorf("Key(%q) = %q, want %q", typed, got, want)
		}
	}
	if p := words.Key("AB 12"); p > "ab12" || "ab1299" >= words.After(p) || "ab13" < words.After(p) {
		t.Error("the range of a beginning is wrong")
	}
}
