package enrich

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/logship/config"
	"kreislauf/logship/record"
)

// added are the fields that logship adds to every line of these tests.
var added = []string{
	"customer", "data_stream.type", "data_stream.dataset", "data_stream.namespace", "event.dataset", "event.created", "log.file.path", "log.offset",
}

// documentOf ships one line of a kind and returns its document without what every line gets.
func documentOf(t *testing.T, b *Builder, o *Origin, line string) map[string]any {
	t.Helper()
	out, mark, ok := b.Append(nil, o, Input{Line: []byte(line)})
	if !ok {
		t.Fatalf("%s: no document", line)
	}
	checkTakes(t, line, out[mark.Doc:])
	var doc map[string]any
	if err := json.Unmarshal(out[mark.Doc:], &doc); err != nil {
		t.Fatalf("%s: %v in %s", line, err, out)
	}
	for _, name := range added {
		delete(doc, name)
	}
	for name, value := range map[string]string{"service_name": o.source.Service, "env": o.source.Env} {
		if doc[name] == value {
			delete(doc, name)
		}
	}
	return doc
}

// checkTakes fails when the index templates would refuse a document, or a field is there twice.
func checkTakes(t testing.TB, line string, doc []byte) {
	t.Helper()
	doc = bytes.TrimSpace(doc)
	var l record.Line
	if f := l.Scan(doc); f != record.OK || !json.Valid(doc) || l.LoneSurrogate() {
		t.Fatalf("%s gives fault %d: %s", line, f, doc)
	}
	seen := map[string]bool{}
	var walk func(prefix string, object []byte)
	walk = func(prefix string, object []byte) {
		record.Members(object, func(key, value []byte) bool {
			path := prefix + string(key)
			class := record.FieldOf([]byte(path))
			objects, scalars := value[0] == '{', value[0] != '{' && value[0] != '['
			if value[0] == '[' {
				record.Elements(value, func(e []byte) bool {
					objects, scalars = objects || e[0] == '{' || e[0] == '[', scalars || e[0] != '{'
					return true
				})
			}
			if value[0] == 'n' && class != record.Alias {
				scalars = false
			}
			bad := false
			switch class {
			case record.Object, record.Flattened:
				bad = scalars
			case record.Text:
				bad = objects
			case record.Number:
				bad = objects || value[0] == '"' && !record.IsNumber(value[1:len(value)-1]) || value[0] == 't' || value[0] == 'f'
			case record.Date:
				bad = objects || value[0] == '"' && !isStamp(value)
			case record.Alias:
				bad = true
			case record.Unknown:
				bad = record.BelowLeaf([]byte(path)) && value[0] != 'n'
			}
			if bad {
				t.Fatalf("%s: %s is refused in %s", line, path, doc)
			}
			if value[0] == '{' {
				if class == record.Object || class == record.Unknown {
					walk(path+".", value)
				}
			} else if class != record.Unknown || strings.HasPrefix(path, "labels.") {
				if seen[path] {
					t.Fatalf("%s: %s is there twice in %s", line, path, doc)
				}
				seen[path] = true
			}
			return true
		})
	}
	walk("", doc)
}

const now = "2025-11-22T18:30:00.005Z" // of testBuilder

func TestConflicts(t *testing.T) {
	type fields = map[string]any
	conflict := []any{"conflict"}
	for _, c := range []struct {
		line string
		want fields
	}{
		{`{"level":"error","error":"EOF","message":"query failed"}`, fields{"log.level": "error", "error.message": "EOF", "message": "query failed", "tags": conflict}},
		{`{"error":"EOF","error.message":"mine"}`, fields{"labels.error": "EOF", "error.message": "mine", "tags": conflict}},
		{`{"error":true}`, fields{"error.message": true, "tags": conflict}},
		{`{"error":["a","b"]}`, fields{"error.message": []any{"a", "b"}, "tags": conflict}},
		{`{"error":["a",{"b":1}]}`, fields{"labels.error": `["a",{"b":1}]`, "tags": conflict}},
		{`{"error":{"message":"a"}}`, fields{"error": fields{"message": "a"}}},
		{`{"error":[{"message":"a"},{"message":"b"}]}`, fields{"error": []any{fields{"message": "a"}, fields{"message": "b"}}}},
		{`{"error":{"message":{"a":1},"x":2}}`, fields{"error": fields{"message": `{"a":1}`, "x": 2.0}, "tags": conflict}},
		{`{"error":null}`, fields{"error": nil}},
		{`{"user":17,"host":"web-1","service":"shop","url":"/a?b","client":"::1","source":"x","trace":"abc"}`, fields{
			"user.name": 17.0, "host.name": "web-1", "service_name": "shop", "url.original": "/a?b", "client.address": "::1", "source.address": "x", "trace.id": "abc", "tags": conflict,
		}},
		{`{"log":"started"}`, fields{"message": "started", "tags": conflict}},
		{`{"log":"started","message":"m"}`, fields{"labels.log": "started", "message": "m", "tags": conflict}},
		{`{"http":"HTTP/1.1","event":"login","nginx":1.5}`, fields{"labels.http": "HTTP/1.1", "event.action": "login", "labels.nginx": "1.5", "tags": conflict}},
		{`{"http":{"request":"GET /","response":{"status_code":"ok","body":7}}}`, fields{
			"http": fields{"response": fields{}}, "labels.http_request": "GET /", "labels.http_response_status_code": "ok", "http.response.body.bytes": 7.0, "tags": conflict,
		}},
		{`{"message":{"a":"b"},"user":{"name":["x",["y"]]}}`, fields{"message": `{"a":"b"}`, "user": fields{"name": `["x",["y"]]`}, "tags": conflict}},
		{`{"message.text":"a","message":"b"}`, fields{"labels.message_text": "a", "message": "b", "tags": conflict}},
		{`{"event.duration":"1.5ms","process":{"pid":"12"},"net_kg":"","value_cents":"7"}`, fields{
			"labels.event_duration": "1.5ms", "process": fields{"pid": "12"}, "labels.net_kg": "", "value_cents": "7", "tags": conflict,
		}},
		{`{"event.created":"yesterday"}`, fields{"labels.event_created": "yesterday", "tags": conflict}},
		{`{"attributes":"x","alert":{"values":[1]}}`, fields{"labels.attributes": "x", "alert": fields{}, "labels.alert_values": "[1]", "tags": conflict}},
		{`{"labels":"x","labels.labels":"y"}`, fields{"labels.labels_": "x", "labels.labels": "y", "tags": conflict}},
		{`{"labels":{"error":"x"},"error":"EOF","error.message":"m"}`, fields{"labels": fields{"error": "x"}, "labels.error_": "EOF", "error.message": "m", "tags": conflict}},
		{`{"tags":["mine"],"error":"EOF"}`, fields{"tags": []any{"mine", "conflict"}, "error.message": "EOF"}},
		{`{"error":"EOF","tags":"mine"}`, fields{"tags": []any{"mine", "conflict"}, "error.message": "EOF"}},
		{`{"error":"EOF","tags":[ ]}`, fields{"tags": conflict, "error.message": "EOF"}},
		{`{"error":"EOF","tags":null}`, fields{"tags": conflict, "error.message": "EOF"}},
		{`{"error":"EOF","tags":{"a":1}}`, fields{"labels.tags": `{"a":1}`, "tags": conflict, "error.message": "EOF"}},
		{`{"service.name":"shop","service.environment":"prod","service.version":"1"}`, fields{"service_name": "shop", "env": "prod", "service.version": "1"}},
		{`{"service":{"name":"shop","version":"1"}}`, fields{"service_name": "shop", "service": fields{"version": "1"}}},
		{`{"service_name":"a","service.name":"b"}`, fields{"service_name": "a", "labels.service_name": "b", "tags": conflict}},
		{`{"service.name":{"a":1}}`, fields{"labels.service_name": `{"a":1}`, "tags": conflict}},
		{`{"err":{"type":"Error","message":"boom","stack":"at x"},"level":50,"time":1763835810123,"pid":657,"hostname":"web-1","msg":"hello"}`, fields{
			"error": fields{"type": "Error", "message": "boom", "stack": "at x"}, "log.level": "error", "@timestamp": "2025-11-22T18:23:30.123Z",
			"process.pid": 657.0, "host.name": "web-1", "message": "hello",
		}},
		{`{"err":"EOF","error":"other"}`, fields{"error.message": "EOF", "labels.error": "other", "tags": conflict}},
		{`{"agent":"x"}`, fields{"agent.name": "x", "tags": conflict}},
		{`{"unknown":{"error":"x"},"a.b":1}`, fields{"unknown": fields{"error": "x"}, "a.b": 1.0}},
		{`{"message":"\ud83d and \ud83d\ude00 \\ud83d"}`, fields{"message": "\ufffd and 😀 \\ud83d", "tags": []any{"lone_surrogate"}}},
		{`{"\udc00":1,"tags":["x"]}`, fields{"\ufffd": 1.0, "tags": []any{"x", "lone_surrogate"}}},
	} {
		b := testBuilder(t)
		got := documentOf(t, b, testOrigin(Service), c.line)
		if _, ok := c.want["@timestamp"]; !ok {
			if got["@timestamp"] != now {
				t.Errorf("%s: @timestamp %v", c.line, got["@timestamp"])
			}
			delete(got, "@timestamp")
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.line, d)
		}
	}
}

func TestTimes(t *testing.T) {
	const at = "2025-03-24T19:10:40.123Z"
	for _, c := range []struct{ line, time, rest string }{
		{`{"time":"2025-03-24T19:10:40.123Z","level":"INFO","msg":"x"}`, at, `{"log.level":"info","message":"x"}`},
		{`{"level":"warn","ts":1742843440.123,"caller":"a.go:1","msg":"x"}`, at, `{"log.level":"warn","caller":"a.go:1","message":"x"}`},
		{`{"level":"warning","msg":"x","time":"2025-03-24T19:10:40Z"}`, "2025-03-24T19:10:40.000Z", `{"log.level":"warn","message":"x"}`},
		{`{"level":30,"time":1742843440123,"msg":"x"}`, at, `{"log.level":"info","message":"x"}`},
		{`{"level":"35","time":"1742843440123","msg":"x"}`, at, `{"log.level":"info","message":"x"}`},
		{`{"severity":"ERR","timestamp":1742843440123456}`, "2025-03-24T19:10:40.123456Z", `{"log.level":"error"}`},
		{`{"level":3,"timestamp":1742843440123456789}`, "2025-03-24T19:10:40.123456789Z", `{"log.level":"error"}`},
		{`{"ts":1742843440}`, "2025-03-24T19:10:40.000Z", `{}`},
		{`{"ts":1.742843440123e9}`, "2025-03-24T19:10:40.122999906Z", `{}`}, // as near as a float is
		{`{"ts":"2025-03-24T20:10:40.123+0100"}`, at, `{}`},
		{`{"asctime":"2025-03-24 19:10:40,123"}`, at, `{}`},
		{`{"time":"2025-03-24T19:10:40.123456789+01:00"}`, "2025-03-24T18:10:40.123456789Z", `{}`},
		{`{"time":"Mon, 24 Mar 2025 19:10:40 GMT"}`, "2025-03-24T19:10:40.000Z", `{}`},
		{`{"time":"24\/Mar\/2025:19:10:40 +0000"}`, "2025-03-24T19:10:40.000Z", `{}`},
		{`{"@timestamp":"1742843440.123"}`, at, `{}`},
		{`{"@timestamp":1742843440123}`, at, `{}`},
		{`{"@timestamp":"2025-03-24 19:10:40.123"}`, at, `{}`},
		{`{"@timestamp":"2025-03-24T19:10:40.123Z","time":"12 s","ts":5,"level":"INFO","log.level":"debug"}`, at, `{"time":"12 s","ts":5,"level":"INFO","log.level":"debug"}`},
		{`{"@timestamp":"2025-03-24T19:10:40.123Z","time":{"a":1}}`, at, `{"labels.time":"{\"a\":1}","tags":["conflict"]}`},
		{`{"time":"yesterday","ts":1742843440.123}`, at, `{"time":"yesterday"}`},
		{`{"time":"yesterday","a":1}`, now, `{"event.original_time":"yesterday","a":1,"tags":["bad_time"]}`},
		{`{"a":1,"@timestamp":"yesterday"}`, now, `{"a":1,"event.original_time":"yesterday","tags":["bad_time"]}`},
		{`{"a":1,"@timestamp":"1970-01-01T00:00:12.000Z"}`, now, `{"a":1,"event.original_time":"1970-01-01T00:00:12.000Z","tags":["bad_time"]}`},
		{`{"error":"x","@timestamp":"2040-01-01T00:00:12.000Z"}`, now, `{"error.message":"x","event.original_time":"2040-01-01T00:00:12.000Z","tags":["conflict","bad_time"]}`},
		{`{"@timestamp":"2025-02-30T00:00:12.000Z","tags":["a"]}`, now, `{"event.original_time":"2025-02-30T00:00:12.000Z","tags":["a","bad_time"]}`},
		{`{"@timestamp":{"a":1}}`, now, `{"event.original_time":"{\"a\":1}","tags":["bad_time"]}`},
		{`{"time":0.25}`, now, `{"event.original_time":"0.25","tags":["bad_time"]}`},
		{`{"time":null}`, now, `{"time":null}`},
		{`{"level":{"a":1},"msg":["a",{"b":1}]}`, now, `{"level":"{\"a\":1}","message":"[\"a\",{\"b\":1}]","tags":["conflict"]}`},
		{`{"level":"a very long text that is no level at all, or is it"}`, now, `{"level":"a very long text that is no level at all, or is it"}`},
	} {
		got := documentOf(t, testBuilder(t), testOrigin(Service), c.line)
		if got["@timestamp"] != c.time {
			t.Errorf("%s: @timestamp %v, want %s", c.line, got["@timestamp"], c.time)
		}
		for _, name := range []string{"@timestamp", "service_name", "env", "customer"} {
			delete(got, name)
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(c.rest), &want); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", c.line, d)
		}
	}
}

// TestTimeOfAnInput has times in the forms that an input can set.
func TestTimeOfAnInput(t *testing.T) {
	for _, c := range []struct{ key, form, line, want string }{
		{"when", "", `{"when":1742843440123,"time":"2020-01-01T00:00:00Z"}`, "2025-03-24T19:10:40.123Z"},
		{"when", "unix_us", `{"when":1742843440123456}`, "2025-03-24T19:10:40.123456Z"},
		{"when", "unix_ns", `{"when":"1742843440123456789"}`, "2025-03-24T19:10:40.123456789Z"},
		{"when", "unix_ms", `{"when":1742843440123.5}`, "2025-03-24T19:10:40.123500Z"},
		{"when", "unix", `{"when":1742843440123}`, now}, // the year 57198
		{"when", "02.01.2006 15:04:05", `{"when":"24.03.2025 19:10:40"}`, "2025-03-24T19:10:40.000Z"},
		{"@timestamp", "02.01.2006 15:04:05", `{"@timestamp":"24.03.2025 19:10:40"}`, "2025-03-24T19:10:40.000Z"},
		{"when", "Jan _2 15:04:05", `{"when":"Mar 24 19:10:40"}`, "2025-03-24T19:10:40.000Z"},
		{"when", "Jan _2 15:04:05", `{"when":"Dec 24 19:10:40"}`, "2024-12-24T19:10:40.000Z"},
		{"when", "rfc3339", `{"when":"1742843440"}`, now},
	} {
		o := testOrigin(Service)
		o.source.Names = NewNames(Service, nil, c.key, c.form)
		if got := documentOf(t, testBuilder(t), o, c.line); got["@timestamp"] != c.want {
			t.Errorf("%s as %s: %v, want %s", c.line, c.form, got["@timestamp"], c.want)
		}
	}
}

// TestBacklogKeepsItsOrder ships lines of the past, with and without a time that can be used.
func TestBacklogKeepsItsOrder(t *testing.T) {
	b := testBuilder(t)
	last := ""
	for i := range 1000 {
		got := documentOf(t, b, testOrigin(Service), fmt.Sprintf(`{"time":"%s","msg":"%d"}`, time.UnixMilli(1742843440123+int64(i)*7).UTC().Format(time.RFC3339Nano), i))
		if text := got["@timestamp"].(string); text <= last || len(text) != len(now) {
			t.Fatalf("line %d has the time %s, the one before %s", i, text, last)
		} else {
			last = text
		}
	}
}

// foreignAccess is a line in a log_format that people have.
const foreignAccess = `{"time_local":"22/Nov/2025:18:23:30 +0000","remote_addr":"203.0.113.9","remote_user":"-","request_method":"POST","request_uri":"/api/orders?x=1",` +
	`"status":"502","body_bytes_sent":"512","request_time":"0.012","upstream_response_time":"0.001, 0.011","upstream_addr":"127.0.0.1:1, 127.0.0.1:2","upstream_status":"502, 502",` +
	`"user_agent":"curl/8.5.0","xff":"198.51.100.200","http_referer":"","host":"shop.example","server_protocol":"HTTP/1.1"}`

func TestForeignNginx(t *testing.T) {
	b := testBuilder(t)
	got := documentOf(t, b, testOrigin(NginxAccess), foreignAccess)
	want := map[string]any{
		"@timestamp": "2025-11-22T18:23:30.000Z", "remote_addr": "203.0.113.9", "user.name": nil, "http.request.method": "POST", "url.original": "/api/orders?x=1",
		"url.path": "/api/orders", "message": "POST /api/orders 502", "http.response.status_code": 502.0, "http.response.body.bytes": 512.0, "request_time": "0.012",
		"event.duration": 12000000.0, "event.outcome": "failure", "source.ip": "203.0.113.9", "source.network": "203.0.113.0/24", "x_forwarded_for": "198.51.100.200",
		"upstream_response_time": "0.001, 0.011", "upstream_addr": "127.0.0.1:1, 127.0.0.1:2", "upstream_status": "502, 502",
		"nginx.access.upstream.address_list": []any{"127.0.0.1:1", "127.0.0.1:2"}, "nginx.access.upstream.address": "127.0.0.1:2",
		"nginx.access.upstream.status_list": []any{"502", "502"}, "nginx.access.upstream.status_code": 502.0,
		"nginx.access.upstream.response_time_list": []any{"0.001", "0.011"}, "nginx.access.upstream.response_time_ms": 11.0, "nginx.access.upstream.retries": 1.0,
		"user_agent.original": "curl/8.5.0", "user_agent.name": "curl", "user_agent.version": "8.5.0", "http.request.referrer": nil, "url.domain": "shop.example", "http.version": "HTTP/1.1",
	}
	for name := range got {
		if strings.HasPrefix(name, "source.geo") {
			delete(got, name)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, c := range []struct {
		line string
		keys map[string]string
		want map[string]any
	}{
		{`{"request":"GET /a?b HTTP/2.0","status":200,"timestamp":"1763835810.123"}`, nil, map[string]any{
			"@timestamp": "2025-11-22T18:23:30.123Z", "http.request.method": "GET", "url.original": "/a?b", "url.path": "/a", "http.version": "HTTP/2.0", "message": "GET /a?b HTTP/2.0",
			"http.response.status_code": 200.0, "event.outcome": "success",
		}},
		{`{"uri":"/a","request_uri":"/b?c","method":"GET","code":200,"duration":0.5,"upstream_time":0.25}`, nil, map[string]any{
			"url.path": "/a", "url.original": "/b?c", "http.request.method": "GET", "http.response.status_code": 200.0, "event.outcome": "success",
			"request_time": 0.5, "event.duration": 5e8, "upstream_response_time": 0.25, "nginx.access.upstream.response_time_ms": 250.0, "message": "GET /b 200",
		}},
		{`{"st":404,"ua":"-","wer":"203.0.113.9","body_bytes_sent":"-","status":"-","request_time":"-"}`, map[string]string{"st": "http.response.status_code", "wer": "remote_addr"}, map[string]any{
			"http.response.status_code": 404.0, "event.outcome": "failure", "user_agent.original": nil, "remote_addr": "203.0.113.9", "source.ip": "203.0.113.9", "source.network": "203.0.113.0/24",
			"http.response.body.bytes": nil, "status": "-", "request_time": nil,
		}},
	} {
		o := testOrigin(NginxAccess)
		o.source.Names = NewNames(NginxAccess, c.keys, "", "")
		got := documentOf(t, testBuilder(t), o, c.line)
		for name := range got {
			if strings.HasPrefix(name, "source.geo") || name == "@timestamp" && c.want[name] == nil {
				delete(got, name)
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.line, d)
		}
	}
}

// TestAbsurdTimesOfNginx has times that no access log of today can have.
func TestAbsurdTimesOfNginx(t *testing.T) {
	for line, c := range map[string]struct {
		kind Kind
		want any
	}{
		`203.0.113.9 - - [01/Jan/1970:00:00:12 +0000] "GET / HTTP/1.1" 200 1 "-" "-"`: {NginxCombined, "01/Jan/1970:00:00:12 +0000"},
		`2040/11/22 18:23:30 [error] 1#1: x`:                                          {NginxError, "2040/11/22 18:23:30"},
		`{"msec":12.000,"service_name":"nginx"}`:                                      {NginxAccess, nil},
		`{"msec":"-","service_name":"nginx"}`:                                         {NginxAccess, nil},
	} {
		got := documentOf(t, testBuilder(t), testOrigin(c.kind), line)
		if got["@timestamp"] != now || got["event.original_time"] != c.want || !cmp.Equal(got["tags"], []any{"bad_time"}) {
			t.Errorf("%s: %v", line, got)
		}
	}
}

// TestForeignLevelsAreRouted: rules look at log.level as the document has it.
func TestForeignLevelsAreRouted(t *testing.T) {
	b := NewBuilder(Options{Geo: testGeo(t), Zone: time.UTC, Routes: levelRoute()})
	b.SetNow(time.Date(2025, 11, 22, 18, 30, 0, 5e6, time.UTC))
	for line, want := range map[string]string{
		`{"level":"DEBUG"}`: "low", `{"level":20}`: "low", `{"log.level":"debug"}`: "low", `{"log.level":"DEBUG"}`: "kreislauf.order", `{"level":"info"}`: "kreislauf.order",
	} {
		for range 2 {
			out, _, _ := b.Append(nil, testOrigin(Service), Input{Line: []byte(line)})
			if !bytes.Contains(out, []byte(`"_index":"logs-`+want+`-local"`)) {
				t.Errorf("%s goes to %s", line, out)
			}
		}
	}
}

func FuzzMend(f *testing.F) {
	for _, seed := range []string{
		`{"level":"error","error":"EOF","message":"query failed"}`, `{"http":{"request":"GET /","response":{"status_code":"ok"}},"tags":[1]}`, foreignAccess,
		`{"service":{"name":"x"},"service.environment":"y","labels":{"a":1},"event.created":"x"}`, `{"time":1e9,"err":{"message":{}},"@timestamp":"\ud800"}`,
		`{"log":{"level":"x"},"level":"y","error":[[1]],"error.message":2,"uri":"/","request":"GET / HTTP/1.1"}`, `{"msg":"a","@m":"b","stack":{},"pid":"x","trace_id":[]}`,
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	b := testBuilder(f)
	f.Fuzz(func(t *testing.T, line []byte, nginx bool) {
		var l record.Line
		if bytes.IndexByte(line, '\n') >= 0 || l.Scan(bytes.TrimSpace(line)) != record.OK {
			return
		}
		if bytes.Contains(line, []byte(`.`)) && bytes.Contains(line, []byte(`{"`)) && mixed(line) {
			return
		}
		kind := Service
		if nginx {
			kind = NginxAccess
		}
		out, mark, ok := b.Append(nil, testOrigin(kind), Input{Line: line})
		if !ok {
			t.Fatalf("%q gives no document", line)
		}
		checkTakes(t, string(line), out[mark.Doc:])
	})
}

// mixed reports whether a line has a field of the templates twice itself, dotted and nested, or a key with escapes.
func mixed(line []byte) bool {
	if bytes.IndexByte(line, '\\') >= 0 {
		return true
	}
	seen := map[string]bool{}
	var walk func(prefix string, object []byte) bool
	walk = func(prefix string, object []byte) bool {
		twice := false
		record.Members(object, func(key, value []byte) bool {
			path := prefix + string(key)
			if value[0] == '{' {
				twice = twice || walk(path+".", value)
			}
			twice = twice || seen[path]
			seen[path] = true
			return true
		})
		return twice
	}
	return walk("", bytes.TrimSpace(line))
}

func BenchmarkForeignService(b *testing.B) {
	benchmarkLine(b, Service, `{"time":"2025-11-22T18:23:30.123Z","level":"INFO","msg":"order placed","service_name":"order","env":"local","customer":"kreislauf","instance":"order-2",`+
		`"platform_version":"dev","trace.id":"4bf92f3577b34da6a3ce929d0e0e4736","span.id":"00f067aa0ba902b7","event.action":"order.placed","event.duration":1200345}`)
}
func BenchmarkForeignNginx(b *testing.B) { benchmarkLine(b, NginxAccess, foreignAccess) }

func levelRoute() []config.Route {
	return []config.Route{{Match: map[string]config.Patterns{"log.level": {"debug"}}, Dataset: "low"}}
}
