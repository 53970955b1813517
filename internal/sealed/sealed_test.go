package sealed_test

import (
	"errors"
	"strings"
	"testing"

	"kreislauf/internal/sealed"
)

func TestSealed(t *testing.T) {
	key, other := []byte(strings.Repeat("k", 32)), []byte(strings.Repeat("o", 32))
	text, err := sealed.Seal(key, "reset", "geheim")
	if err != nil || strings.Contains(text, "geheim") {
		t.Fatal(text, err)
	}
	if again, _ := sealed.Seal(key, "reset", "geheim"); again == text {
		t.Error("the same secret is sealed as the same text")
	}
	if got, err := sealed.Open(key, "reset", text); got != "geheim" || err != nil {
		t.Errorf("opened %q, %v", got, err)
	}
	last := map[byte]string{'A': "Q"}[text[len(text)-1]]
	if last == "" {
		last = "A"
	}
	for name, tc := range map[string]struct {
		key        []byte
		kind, text string
	}{
		"another key": {other, "reset", text}, "another kind": {key, "invite", text}, "changed": {key, "reset", text[:len(text)-1] + last},
		"cut": {key, "reset", text[:len(text)-4]}, "short": {key, "reset", "AAAA"}, "empty": {key, "reset", ""}, "no base64": {key, "reset", text + "!"},
	} {
		if got, err := sealed.Open(tc.key, tc.kind, tc.text); !errors.Is(err, sealed.ErrForged) || got != "" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := sealed.Seal([]byte("short"), "reset", "x"); err == nil {
		t.Error("a short key was taken")
	}
}
