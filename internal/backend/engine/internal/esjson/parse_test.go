package esjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestErrorsNamePositions(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1,"a":2}`:          "[1:8] Duplicate field 'a'",
		"{\n \"a\": tru}":        "[2:7] Unexpected character ('t' (code 116)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
		`{"a":01}`:               "[1:6] Invalid numeric value: Leading zeroes not allowed",
		`{"a":"`:                 "[1:6] Unexpected end-of-input in VALUE_STRING",
		`[1,]`:                   "[1:4] Unexpected character (']' (code 93)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
		`{} x`:                   "[1:4] Unexpected character ('x') after the end of the value",
		"\"a\xff\"":              "[1:1] Invalid UTF-8 in a string",
		strings.Repeat("[", 300): "[1:202] Document nesting depth (201) exceeds the maximum allowed (200)",
	} {
		_, err := Parse([]byte(in))
		if err == nil {
			t.Errorf("%s: no error", in)
			continue
		}
		if d := cmp.Diff("x_content_parse_exception: "+want, err.Error()); d != "" {
			t.Errorf("%s (-want +got):\n%s", in, d)
		}
	}
}

// FuzzParse compares with encoding/json: what we accept it accepts too, with the same value.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"x\u00e4\n",null,true]}`, `-0`, `"\ud83d\ude00"`, `{"a":{"b":{}}}`, `[`, `{"a":1,"a":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := Parse(data)
		if err != nil {
			return
		}
		var want any
		dec := json.NewDecoder(strings.NewReader(string(data)))
		dec.UseNumber()
		if err := dec.Decode(&want); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		if got := n.Any(); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %#v, want %#v", got, want)
		}
	})
}
