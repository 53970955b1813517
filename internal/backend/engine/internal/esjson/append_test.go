package esjson

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzAppend compares with encoding/json, which every value must be printed like.
func FuzzAppend(f *testing.F) {
	f.Add("a\"\\\b\f\n\r\t\x00\x7f<&>\u2028ä\xff", int64(-5), 0.1)
	f.Add("", int64(1<<62), 1e300)
	f.Fuzz(func(t *testing.T, s string, i int64, x float64) {
		v := map[string]any{
			s: []any{nil, true, s, i, int(i), x, []string{s, ""}, json.RawMessage(`{"a":1}`)}, "b": map[string]any{}, "c": []any(nil), "d": map[string]any(nil),
			"e": struct{ A string }{s},
		}
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			t.Skip() // NaN and infinities
		}
		got, err := Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want.String(), string(got)+"\n"); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}
