package record

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDocker(t *testing.T) {
	const time = `"time":"2025-11-22T18:23:30.123456789Z"}`
	for _, c := range []struct {
		line, text      string
		partial, stderr bool
		ok              bool
	}{
		{`{"log":"a\n","stream":"stdout",` + time, "a", false, false, true},
		{`{"log":"a","stream":"stderr",` + time, "a", true, true, true},
		{`{"log":"\n","stream":"stdout","attrs":{"tag":"x","time":"y"},` + time, "", false, false, true},
		{`{"log":"\"q\" \\ \/ \b\f\r\t \u00e4 \ud83d\ude00 \ud83d ä\n","stream":"stdout",` + time, "\"q\" \\ / \b\f\r\t ä 😀 \ufffd ä", false, false, true},
		{`{"log":"a\n","stream":"stdin",` + time, "", false, false, false},
		{`{"log":"a\n","stream":"stdout","time":"now"}`, "", false, false, false},
		{`{"log":"a\n","stream":"stdout"}`, "", false, false, false},
		{`{"log":"a\x","stream":"stdout",` + time, "", false, false, false},
		{`{"log":"a`, "", false, false, false},
		{`{"log":"","stream":"stderr","time":"}`, "", false, false, false},
		{`{"message":"a"}`, "", false, false, false},
	} {
		got, _, ok := ParseDocker([]byte(c.line), nil)
		if ok != c.ok || ok && (string(got.Content) != c.text || got.Partial != c.partial || got.Stderr != c.stderr || len(got.Time) != 30) {
			t.Errorf("%s: %v, %q, %+v", c.line, ok, got.Content, got)
		}
	}
}

func FuzzParseDocker(f *testing.F) {
	f.Add([]byte(`{"log":"a\u00e4\ud83d\ude00\ud83d\n","stream":"stdout","time":"2025-11-22T18:23:30Z"}`))
	f.Add([]byte(`{"log":"","stream":"stderr","attrs":{},"time":"2025-11-22T18:23:30Z"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		got, _, ok := ParseDocker(line, nil)
		if !ok || !json.Valid(line) {
			return
		}
		var want struct{ Log string }
		if err := json.Unmarshal(line, &want); err != nil {
			return // the same key in another type
		}
		if strings.Count(strings.ToLower(string(line)), `"log"`) > 1 {
			return // encoding/json takes the last one, of any case
		}
		text := strings.TrimSuffix(want.Log, "\n")
		if d := cmp.Diff(text, strings.ToValidUTF8(string(got.Content), "\ufffd")); d != "" && !strings.Contains(text, "\ufffd") {
			t.Fatalf("%q: %s", line, d)
		}
	})
}
