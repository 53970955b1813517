package strict_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/elk/strict"
)

func TestObject(t *testing.T) {
	for name, c := range map[string]struct{ raw, err string }{
		"good":          {`{"name":"a","every":"5m"}`, ""},
		"optional":      {`{"name":"a","every":"5m","size":3}`, ""},
		"unknown":       {`{"name":"a","every":"5m","colour":1}`, "f.json: in.colour: unknown key; allowed are every, name, size"},
		"twice":         {`{"name":"a","name":"b","every":"5m"}`, "f.json: in.name: the key comes twice"},
		"missing":       {`{"name":"a"}`, "f.json: in.every: missing"},
		"type":          {`{"name":1,"every":"5m"}`, "f.json: in.name: want string, have number"},
		"duration":      {`{"name":"a","every":5}`, `f.json: in.every: want a duration in quotes such as "30s" or "5m"`},
		"duration unit": {`{"name":"a","every":"5 minutes"}`, `f.json: in.every: "5 minutes" is not a duration such as "30s" or "5m"`},
		"negative":      {`{"name":"a","every":"-5m"}`, `f.json: in.every: "-5m" is not a duration such as "30s" or "5m"`},
		"list":          {`[]`, "f.json: in: want a JSON object"},
		"empty":         {``, "f.json: in: want a JSON object"},
		"rest":          {`{"name":"a","every":"5m"} {}`, "f.json: in: text after the object"},
	} {
		t.Run(name, func(t *testing.T) {
			var (
				text  string
				every time.Duration
				size  int
			)
			err := strict.Object("f.json", "in", []byte(c.raw), map[string]strict.Member{
				"name": {Into: &text}, "every": {Into: &every}, "size": {Into: &size, Optional: true},
			})
			have := ""
			if err != nil {
				have = err.Error()
			}
			if diff := cmp.Diff(c.err, have); diff != "" {
				t.Error(diff)
			}
			if c.err == "" && (text != "a" || every != 5*time.Minute) {
				t.Errorf("decoded %q, %s", text, every)
			}
		})
	}
}

func TestOneOf(t *testing.T) {
	if err := strict.OneOf("f.json", "colour", "red", "red", "blue"); err != nil {
		t.Error(err)
	}
	err := strict.OneOf("f.json", "colour", "green", "red", "blue")
	if err == nil || err.Error() != `f.json: colour: "green" is not one of red, blue` {
		t.Error(err)
	}
}

func FuzzKeys(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"b":[{}]}`, `{"a":{"a":"}"}}`, `{"a":1`, `{"a":1,"a":2}`, `null`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		found, err := strict.Keys("f.json", "", raw)
		if err != nil {
			return
		}
		if !json.Valid(raw) {
			t.Fatalf("accepted what is not JSON: %q", raw)
		}
		for name, value := range found {
			if !json.Valid(value) {
				t.Fatalf("%s: %q is not JSON", name, value)
			}
		}
	})
}
