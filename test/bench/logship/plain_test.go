package main

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func FuzzPlain(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, ` { "msec" : 1.5e+3 , "a":[1,{"b":null}],"c":true } `, `{"a":"\u00e9\n"}`, "{\"a\":\"\xff\"}", `{"a":01}`, `{"a":-}`, `{"a":"b"`, `{"status":[]}x`} {
		f.Add([]byte(seed))
	}
	var p plain
	f.Fuzz(func(t *testing.T, line []byte) {
		var object map[string]json.RawMessage
		want := json.Valid(line) && utf8.Valid(line) && json.Unmarshal(line, &object) == nil && object != nil
		if got := p.scan(line); got != want {
			t.Fatalf("%q: %v, want %v", line, got, want)
		}
		if want && line[p.brace] != '}' {
			t.Fatalf("%q: the brace is not at %d", line, p.brace)
		}
	})
}
