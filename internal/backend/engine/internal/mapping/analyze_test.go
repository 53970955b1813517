package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzTokens compares the quick way for ASCII with the general one.
func FuzzTokens(f *testing.F) {
	for _, s := range []string{"GET /a/b-c.d?x=1,5;6:7 200", "it's a_b __ _ 1.2.3 A.B. x", "2013'' a:b ,1,", "ä.b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d := cmp.Diff(tokens(s), Tokens(s), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%q (-general +quick):\n%s", s, d)
		}
	})
}
