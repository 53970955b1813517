package record

import (
	"bytes"
	"encoding/json"
	"fmt"
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

// TestShapesDoNotMatter scans lines in every order with one Line and compares with a fresh one.
func TestShapesDoNotMatter(t *testing.T) {
	lines := []string{
		`{"msec":1,"env":"a","event":{"id":"x"}}`, `{"msec":1,"env":"a","event":{"id":"y","id":"z"}}`, `{"msec":1,"env":"a","env":"b"}`,
		`{"env":"a","msec":1}`, `{"msec":1,"other":2,"env":"b","other":3}`, `{"msec":1,"other":2,"env":"b","event":"e"}`, `{"msec" :1, "env": "a" , "event":[] }`,
		`{"msec": 1,"env": "a"}`, `{"msec":  1,"env":  "a","event": {"id" : "x"}}`, "{\"msec\":\t1,\"env\":\"a\"}", `{ "msec":1 , "env":2}`, `{"msec":"1","env": 3}`, `{"msec": "1"}`, `{"msec": x}`, `{"msec": `,
		`{"msec":1,"env":"a","event":{"id":"x"}`, `{"msec":1,"env"`, `{"msec":1,"env":`, `{"msec":`, `{"msec":1,`, `{"msec":1,"env":"a"x`, `{}`, `{"m":1,"m":1}`,
		`{"msec":1,"\u0065nv":1,"env":2}`, `{"msec":1,"\u0065nv":1,"\u0065nv":2}`, "{\"msec\":1,\"\xff\":1}", "{\"msec\":1,\"\xff\":2}",
	}
	for i := range 2000 { // far more keys than the tree holds
		lines = append(lines, fmt.Sprintf(`{"msec":1,"k%d":%d,"env":"e%d"}`, i, i, i), fmt.Sprintf(`{"k%d":1,"env":2}`, i))
	}
	var warm Line
	for round := range 3 {
		for i := range lines {
			line := []byte(lines[(i*7+round)%len(lines)])
			var fresh Line
			want, got := fresh.Scan(line), warm.Scan(line)
			if got != want || got == OK && (warm.Brace != fresh.Brace || warm.Empty != fresh.Empty || warm.present != fresh.present) {
				t.Fatalf("%s: fault %d, want %d", line, got, want)
			}
			for k := Key(0); got == OK && k < numKeys; k++ {
				if string(warm.Raw(line, k)) != string(fresh.Raw(line, k)) {
					t.Fatalf("%s: key %d is %q, want %q", line, k, warm.Raw(line, k), fresh.Raw(line, k))
				}
			}
		}
	}
}

// TestManyMembers has more keys than the duplicate check looks at.
func TestManyMembers(t *testing.T) {
	var text []byte
	for i := range 300 {
		text = fmt.Appendf(text, `,"key-%d":%d`, i, i)
	}
	text[0] = '{'
	var l Line
	for range 3 {
		if f := l.Scan(append(text, '}')); f != OK {
			t.Fatalf("fault %d", f)
		}
		if f := l.Scan(append(text, `,"key-7":1}`...)); f != OK && f != DuplicateKey {
			t.Fatalf("fault %d", f)
		}
		if f := l.Scan([]byte(`{"key-0":0,"key-1":1,"key-2":2,"key-0":1}`)); f != DuplicateKey {
			t.Fatalf("fault %d, want a duplicate key", f)
		}
	}
}

// TestBadKeysAreNotLearned: a key with invalid UTF-8 behind a value with invalid UTF-8 is found bad again later.
func TestBadKeysAreNotLearned(t *testing.T) {
	var l Line
	for _, line := range []string{"{\"event\":\"\xf2\",\"\xf2\":[]}", "{\"event\":{},\"\xf2\":[]}"} {
		if fault := l.Scan([]byte(line)); fault != InvalidUTF8 {
			t.Errorf("%q: fault %d", line, fault)
		}
	}
}

func TestScanDoesNotAllocate(t *testing.T) {
	line := []byte(`{"msec":1763835810.123,"env":"local","event":{"id":"x"},"list":[1,{"a":null}],"message":"GET / 200"}`)
	var l Line
	l.Scan(line)
	if n := testing.AllocsPerRun(100, func() { l.Scan(line) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkScan(b *testing.B) {
	line := []byte(`{"msec":1763835810.123,"service_name":"nginx","env":"local","customer":"kreislauf","platform_version":"dev","message":"POST /api/order/v1/orders 201",` +
		`"remote_addr":"203.0.113.9","peer_addr":"127.0.0.1","x_forwarded_for":"203.0.113.9","http.request.method":"POST","url.original":"/api/order/v1/orders?x=1",` +
		`"url.path":"/api/order/v1/orders","http.version":"HTTP/1.1","http.response.status_code":201,"http.response.body.bytes":512,"http.request.bytes":900,` +
		`"request_time":0.012,"upstream_addr":"127.0.0.1:18103, 127.0.0.1:18104","upstream_status":"502, 201","upstream_connect_time":"-, 0.000",` +
		`"upstream_header_time":"-, 0.011","upstream_response_time":"0.001, 0.011","limit_req":"PASSED","url.domain":"localhost",` +
		`"user_agent.original":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36",` +
		`"http.request.referrer":"","request_id":"0af7651916cd43dd8448eb211c80319c","trace.id":"0af7651916cd43dd8448eb211c80319c","span.id":"b7ad6b7169203331","parent.id":""}`)
	var l Line
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if l.Scan(line) != OK {
			b.Fatal("the line is bad")
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, `{"event":{"id":"x"},"a":[1,{"b":null}]}`, "{\"a\":\"\xff\"}", `[]`, `{"a":"\ud800"}`, `{"a":1,"a":2}`, `{"env": "x", "msec" : 1.5 , "a":{}}`, `{"env":"x","env":1}`} {
		f.Add([]byte(seed))
	}
	var warm Line // has seen the shapes of lines before
	f.Fuzz(func(t *testing.T, line []byte) {
		var l Line
		fault := l.Scan(line)
		for range 2 {
			if again := warm.Scan(line); again != fault || fault == OK && (warm.present != l.present || warm.Brace != l.Brace) {
				t.Fatalf("%q: fault %d alone, %d after other lines", line, fault, again)
			}
			for k := range numKeys {
				if fault == OK && !bytes.Equal(warm.Raw(line, k), l.Raw(line, k)) {
					t.Fatalf("%q: key %d is %q alone, %q after other lines", line, k, l.Raw(line, k), warm.Raw(line, k))
				}
			}
		}
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
