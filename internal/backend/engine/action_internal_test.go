package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzPlainAction compares with the way over JSON: what is plain must mean the same there.
func FuzzPlainAction(f *testing.F) {
	for _, s := range []string{
		`{"create":{"_id":"a"}}`, `{"index":{"_index":"i","_id":"a b"}}`, `{"create":{}}`, `{"delete":{"_id":"a"}}`, `{"create":{"_id":""}}`,
		`{"index":{"_index":"","_id":"a"}}`, `{"create":{"_id":"a","x":1}}`, `{"create":{"_id":"\u0041"}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		it := plainAction([]byte(line), "default")
		if it == nil {
			return
		}
		// A space makes it a line that is not plain.
		want, err := parseAction([]byte(" "+line), 1, "default")
		if err != nil || want.err != nil {
			t.Fatalf("%s: accepted, but %v", line, err)
		}
		if d := cmp.Diff([]string{want.action, want.index, want.id}, []string{it.action, it.index, it.id}); d != "" {
			t.Errorf("%s (-want +got):\n%s", line, d)
		}
	})
}
