package record

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestScanFaults(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       Fault
	}{
		{"flat", `{"a":1,"b":"x"}`, OK},
		{"empty", ` {} `, OK},
		{"numbers", `{"a":[-0,0.5,1e9,-1.5E-3,10]}`, OK},
		{"escapes", `{"a":"\"\\\/\b\f\n\r\t\u00e4"}`, OK},
		{"umlaut after eight bytes", `{"a":"12345678ä€😀 and on"}`, OK},
		{"literals", `{"a":true,"b":false,"c":null}`, OK},
		{"number", `12`, NotObject},
		{"array", `[{"a":1}]`, NotObject},
		{"null", `null`, NotObject},
		{"nothing", ``, Syntax},
		{"space", "  ", Syntax},
		{"open", `{"a":1`, Syntax},
		{"open string", `{"a":"12345678901`, Syntax},
		{"trailing comma", `{"a":1,}`, Syntax},
		{"two values", `{"a":1}{}`, Syntax},
		{"leading zero", `{"a":01}`, Syntax},
		{"no digits", `{"a":-}`, Syntax},
		{"no fraction", `{"a":1.}`, Syntax},
		{"no exponent", `{"a":1e}`, Syntax},
		{"bad escape", `{"a":"\x"}`, Syntax},
		{"bad unicode escape", `{"a":"\u00g0"}`, Syntax},
		{"control character", "{\"a\":\"123456789\x01\"}", Syntax},
		{"nul", "{\"a\":\"\x00\"}", Syntax},
		{"bare word", `{a:1}`, Syntax},
		{"half literal", `{"a":tru}`, Syntax},
		{"invalid utf-8", "{\"a\":\"\xff\"}", InvalidUTF8},
		{"surrogate in utf-8", "{\"a\":\"\xed\xa0\x80\"}", InvalidUTF8},
		{"same key twice", `{"a":1,"b":2,"a":3}`, DuplicateKey},
		{"same key twice below", `{"a":{"b":1,"b":2}}`, DuplicateKey},
		{"same key in two objects", `{"a":{"b":1},"c":{"b":2}}`, OK},
		{"deep", `{"a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, TooDeep},
		{"nearly deep", `{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`, OK},
	} {
		var l Line
		if got := l.Scan([]byte(c.line)); got != c.want {
			t.Errorf("%s: fault %d, want %d", c.name, got, c.want)
		}
	}
}

func TestScanFindsKeys(t *testing.T) {
	text := []byte(`{"@timestamp":"t","msec":17.5,"event":{"id":"e1","other":{"id":"no"}},"log":{"file":{"path":"/p"}},` +
		`"data_stream.type":"events","attributes":{"env":"no","event.id":"no"},"source":{"geo":{"city_name":"x"}},` +
		`"nginx.access.upstream.retries":1,"http":{"response":{"status_code":200}},"env":null} `)
	var l Line
	if f := l.Scan(text); f != OK {
		t.Fatalf("fault %d", f)
	}
	got := map[Key]string{}
	for k := Key(0); k < numKeys; k++ {
		if l.Has(k) {
			got[k] = string(l.Raw(text, k))
		}
	}
	want := map[Key]string{
		Timestamp: `"t"`, Msec: `17.5`, EventID: `"e1"`, FilePath: `"/p"`, StreamType: `"events"`,
		SourceGeo: `{"city_name":"x"}`, NginxUpstream: `1`, Status: `200`, Env: `null`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if text[l.Brace] != '}' || l.Brace != len(text)-2 || l.Empty {
		t.Errorf("brace at %d of %d, empty %v", l.Brace, len(text), l.Empty)
	}
	if l.IsString(text, Env) || !l.IsString(text, EventID) || string(l.Text(text, EventID)) != "e1" {
		t.Error("strings are not told from other values")
	}
	if l.Scan([]byte(`{ }`)) != OK || !l.Empty || l.Has(Env) {
		t.Error("a line is not forgotten by the next scan")
	}
}

func TestMemberSetForgets(t *testing.T) {
	var l Line
	l.seen.generation = ^uint32(0)
	for range 3 {
		if f := l.Scan([]byte(`{"a":1,"b":2}`)); f != OK {
			t.Fatalf("fault %d", f)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, `{"event":{"id":"x"},"a":[1,{"b":null}]}`, "{\"a\":\"\xff\"}", `[]`, `{"a":"\ud800"}`, `{"a":1,"a":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var l Line
		fault := l.Scan(line)
		if fault == TooDeep {
			return
		}
		if valid := json.Valid(line); valid != (fault != Syntax) {
			t.Fatalf("%q: fault %d, json.Valid %v", line, fault, valid)
		}
		if fault == OK && !utf8.Valid(line) || fault == InvalidUTF8 && utf8.Valid(line) {
			t.Fatalf("%q: fault %d", line, fault)
		}
		if fault != OK {
			return
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		for name, k := range map[string]Key{"env": Env, "msec": Msec, "service_name": ServiceName} {
			if want, ok := fields[name]; ok && l.Has(k) && string(l.Raw(line, k)) != string(want) {
				t.Fatalf("%q: %s is %q, want %q", line, name, l.Raw(line, k), want)
			}
		}
	})
}

func TestParseCRI(t *testing.T) {
	const at = "2025-11-22T18:23:30.123456789Z"
	for _, c := range []struct {
		line string
		want CRI
		ok   bool
	}{
		{at + " stdout F hello world", CRI{Time: []byte(at), Content: []byte("hello world")}, true},
		{at + " stderr P part", CRI{Time: []byte(at), Stderr: true, Partial: true, Content: []byte("part")}, true},
		{at + " stdout F:x with more tags", CRI{Time: []byte(at), Content: []byte("with more tags")}, true},
		{at + " stdout F ", CRI{Time: []byte(at), Content: []byte("")}, true},
		{at + " stdout F", CRI{Time: []byte(at), Content: nil}, true},
		{"2025-11-22T18:23:30+01:00 stdout F x", CRI{Time: []byte("2025-11-22T18:23:30+01:00"), Content: []byte("x")}, true},
		{at + " stdlog F x", CRI{}, false},
		{at + " stdout X x", CRI{}, false},
		{"2025-11-22 stdout F x", CRI{}, false},
		{`2025-11-22T18:23:30" stdout F x`, CRI{}, false},
		{`{"a":1}`, CRI{}, false},
		{"", CRI{}, false},
	} {
		got, ok := ParseCRI([]byte(c.line))
		if ok != c.ok {
			t.Errorf("%q: ok %v", c.line, ok)
			continue
		}
		if d := cmp.Diff(c.want, got); ok && d != "" {
			t.Errorf("%q: %s", c.line, d)
		}
	}
}

func FuzzParseCRI(f *testing.F) {
	f.Add([]byte("2025-11-22T18:23:30.123456789Z stdout F x"))
	f.Add([]byte("2025-11-22T18:23:30Z stderr P "))
	f.Fuzz(func(t *testing.T, line []byte) {
		c, ok := ParseCRI(line)
		if !ok {
			return
		}
		stream, tag := " stdout ", "F"
		if c.Stderr {
			stream = " stderr "
		}
		if c.Partial {
			tag = "P"
		}
		if !strings.HasPrefix(string(line), string(c.Time)+stream+tag) || !strings.HasSuffix(string(line), string(c.Content)) {
			t.Fatalf("%q: %+v", line, c)
		}
		if quoted := `"` + string(c.Time) + `"`; !json.Valid([]byte(quoted)) {
			t.Fatalf("time %q cannot stand in a document", c.Time)
		}
	})
}
