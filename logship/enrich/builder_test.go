package enrich

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/logship/record"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func testBuilder(t testing.TB) *Builder {
	b := NewBuilder(Options{Geo: testGeo(t), UserAgent: true, Zone: time.UTC})
	b.SetNow(time.Date(2025, 11, 22, 18, 30, 0, 5e6, time.UTC))
	return b
}

func testOrigin(kind Kind) *Origin {
	source := Source{Kind: kind, Env: "local", Customer: "acme", Service: "nginx"}
	switch kind {
	case Service:
		source.Service = "order"
	case Text:
		source = Source{Kind: Text, Env: "prod", Dataset: "app.text", Labels: map[string]string{"zone": "b", "cell": "1"}}
	case Container:
		source = Source{Kind: Container, Env: "prod", Namespace: "shop", Pod: "order-7d9f", PodUID: "0b1c", Container: "order", Restarts: "2"}
	}
	return NewOrigin(source, "/logs/a \"b\".log", [IdentitySize]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
}

const accessLine = `{"msec":1763835810.123,"service_name":"nginx","env":"local","customer":"kreislauf","platform_version":"dev","message":"POST /api/order/v1/orders 201",` +
	`"remote_addr":"203.0.113.9","peer_addr":"127.0.0.1","x_forwarded_for":"203.0.113.9","http.request.method":"POST","url.original":"/api/order/v1/orders?x=1",` +
	`"url.path":"/api/order/v1/orders","http.version":"HTTP/1.1","http.response.status_code":201,"http.response.body.bytes":512,"http.request.bytes":900,` +
	`"request_time":0.012,"upstream_addr":"127.0.0.1:18103, 127.0.0.1:18104","upstream_status":"502, 201","upstream_connect_time":"-, 0.000",` +
	`"upstream_header_time":"-, 0.011","upstream_response_time":"0.001, 0.011","limit_req":"PASSED","url.domain":"localhost","user_agent.original":"curl/8",` +
	`"http.request.referrer":"","request_id":"0af7651916cd43dd8448eb211c80319c","trace.id":"0af7651916cd43dd8448eb211c80319c","span.id":"b7ad6b7169203331","parent.id":""}`

const serviceLine = `{"@timestamp":"2025-11-22T18:23:30.123Z","log.level":"info","message":"order placed","ecs.version":"8.11.0","service_name":"order","env":"local",` +
	`"customer":"kreislauf","instance":"order-2","platform_version":"dev","trace.id":"4bf92f3577b34da6a3ce929d0e0e4736","span.id":"00f067aa0ba902b7","event.action":"order.placed","event.duration":1200345}`

func TestDocuments(t *testing.T) {
	access := func(fields string) string {
		return `{"msec":1763835810.000,"service_name":"nginx","env":"local",` + fields + `}`
	}
	for _, group := range []struct {
		file  string
		lines []struct {
			name string
			kind Kind
			text string
		}
	}{
		{"nginx", []struct {
			name string
			kind Kind
			text string
		}{
			{"failover", NginxAccess, accessLine},
			{"one upstream", NginxAccess, access(`"http.response.status_code":200,"request_time":12.340,"upstream_addr":"127.0.0.1:1","upstream_status":"200","upstream_connect_time":"0.000","upstream_header_time":"0.010","upstream_response_time":"12.34"`)},
			{"static file", NginxAccess, access(`"remote_addr":"127.0.0.1","http.response.status_code":304,"request_time":0.000,"upstream_addr":"","upstream_status":"","upstream_connect_time":"","upstream_header_time":"","upstream_response_time":""`)},
			{"refused", NginxAccess, access(`"remote_addr":"2001:db8::7","http.response.status_code":429,"request_time":1.5,"upstream_addr":"-","upstream_status":"-"`)},
			{"all upstreams down", NginxAccess, access(`"remote_addr":"10.0.0.1","x_forwarded_for":"192.168.0.1, 198.51.100.200","http.response.status_code":502,"upstream_addr":"127.0.0.1:1, 127.0.0.1:2 : unix:/tmp/x y.sock","upstream_status":"502, 502 : 502","upstream_connect_time":"-, - : -","upstream_response_time":"0.000, 0.001 : -"`)},
			{"what the line has stays", NginxAccess, access(`"@timestamp":"2020-01-01T00:00:00.000Z","event.duration":1,"event":{"outcome":"unknown","created":"2020-01-01T00:00:00.000Z"},"source":{"ip":"192.0.2.9"},"remote_addr":"203.0.113.9","request_time":0.5,"http.response.status_code":200,"data_stream":{"namespace":"other"},"event.dataset":"mine","log.file.path":"/x","nginx":{"access":{"upstream":{"retries":7}}},"upstream_addr":"a, b"`)},
			{"a network of its own", NginxAccess, access(`"remote_addr":"203.0.113.9","source.network":"192.0.2.0/28","http.response.status_code":200`)},
			{"numbers that are none", NginxAccess, access(`"request_time":"-","http.response.status_code":0,"upstream_addr":17,"upstream_status":"x","remote_addr":null`)},
			{"recognised in a container", Container, access(`"request_time":0.001,"http.response.status_code":200`)},
			{"without service name", NginxAccess, `{"msec":1763835810.999}`},
			{"text in the access log", NginxAccess, `127.0.0.1 - - [x] "GET /"`},
			{"error log", NginxError, `2025/11/22 18:23:30 [error] 4711#4712: *5 connect() failed (111: Connection refused), upstream: "http://127.0.0.1:1/"`},
			{"error log, second line", NginxError, "  of a message with \xff in it"},
			{"error log without process", NginxError, `2025/11/22 18:23:30 [emerg] bind() failed`},
		}},
		{"combined", []struct {
			name string
			kind Kind
			text string
		}{
			{"combined", NginxCombined, `203.0.113.9 - - [22/Nov/2025:19:23:30 +0100] "GET /shop/orders?x=1&y=a%20b HTTP/1.1" 200 512 "https://shop.example/" "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"`},
			{"common", NginxCombined, `198.51.100.200 - - [22/Nov/2025:18:23:30 +0000] "HEAD / HTTP/1.0" 304 0`},
			{"main, behind a proxy, with a user", NginxCombined, `10.0.0.1 - ann b [22/Nov/2025:18:23:30 +0000] "POST /x HTTP/2.0" 502 157 "-" "curl/8.5.0" "203.0.113.9, 10.0.0.7"`},
			{"escapes of nginx", NginxCombined, `203.0.113.9 - - [22/Nov/2025:18:23:30 +0000] "GET /\x22\xC3\xA4\xFF\x5C HTTP/1.1" 404 0 "-" "a \x22quoted\x22 agent"`},
			{"escapes of others", NginxCombined, `203.0.113.9 - - [22/Nov/2025:18:23:30 +0000] "GET /\"q\" HTTP/1.1" 404 - "-" "tab\there"`},
			{"no request", NginxCombined, `203.0.113.9 - - [22/Nov/2025:18:23:30 +0000] "-" 408 0 "-" "-"`},
			{"no HTTP", NginxCombined, `203.0.113.9 - - [22/Nov/2025:18:23:30 +0000] "\x16\x03\x01\x02" 400 157 "-" "-"`},
			{"spaces in the target", NginxCombined, `203.0.113.9 - - [22/Nov/2025:18:23:30 +0000] "GET /a b c HTTP/1.1" 200 1 "-" "-"`},
			{"whole address", NginxCombined, `203.0.113.9 - - [22/Nov/2025:18:23:30 +0000] "GET http://x.example/a HTTP/1.1" 200 1 "-" "-"`},
			{"a socket", NginxCombined, `unix: - - [22/Nov/2025:18:23:30 +0000] "GET / HTTP/1.1" 200 1 "-" "-"`},
			{"more than combined", NginxCombined, `203.0.113.9 - - [22/Nov/2025:18:23:30 +0000] "GET / HTTP/1.1" 200 1 "-" "-" "-" 0.012`},
			{"no such day", NginxCombined, `203.0.113.9 - - [99/Nov/2025:18:23:30 +0000] "GET / HTTP/1.1" 200 1 "-" "-"`},
			{"a cut line", NginxCombined, `203.0.113.9 - - [22/Nov/2025:18:23:30 +0000] "GET / HTTP/1.1" 200 1 "-" "Mozil`},
			{"invalid UTF-8", NginxCombined, "203.0.113.9 - - [22/Nov/2025:18:23:30 +0000] \"GET /\xff HTTP/1.1\" 200 1 \"-\" \"-\""},
		}},
		{"errorlog", []struct {
			name string
			kind Kind
			text string
		}{
			{"upstream", NginxError, `2025/11/22 18:23:30 [error] 4711#4712: *5 connect() failed (111: Connection refused) while connecting to upstream, client: 203.0.113.9, server: shop.example, request: "POST /api/order/v1/orders?x=1 HTTP/1.1", upstream: "http://127.0.0.1:18103/api/order/v1/orders?x=1", host: "shop.example", referrer: "https://shop.example/cart"`},
			{"limit", NginxError, `2025/11/22 18:23:30 [warn] 4711#4711: *6 limiting requests, excess: 10.5 by zone "api", client: 10.0.0.1, server: localhost, request: "GET /a", b "c HTTP/1.1", host: "localhost:8080"`},
			{"subrequest", NginxError, `2025/11/22 18:23:30 [error] 1#1: *7 auth request unexpected status: 502, client: 2001:db8::7, server: , request: "GET / HTTP/2.0", subrequest: "/auth", upstream: "http://unix:/run/auth.sock:/auth", host: "x"`},
			{"process", NginxError, `2025/11/22 18:23:30 [notice] 4711#4711: signal process started`},
			{"no process", NginxError, `2025/11/22 18:23:30 [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)`},
			{"only a client", NginxError, `2025/11/22 18:23:30 [info] 4711#4711: *8 client closed connection while waiting for request, client: 203.0.113.9, server: 0.0.0.0:443`},
			{"a colon and a hash", NginxError, `2025/11/22 18:23:30 [error] 4711#x: no number`},
			{"a message that begins with a space", NginxError, `2025/11/22 18:23:30 [error]  0`},
			{"no date", NginxError, `2025/13/22 18:23:30 [error] 1#1: x`},
			{"unknown level", NginxError, `2025/11/22 18:23:30 [fatal] 1#1: x`},
		}},
		{"text", []struct {
			name string
			kind Kind
			text string
		}{
			{"line", Text, "2025-11-22 18:23:30 INFO started\r"},
			{"stack trace", Text, "  java.lang.IllegalStateException: \"no\"\n\tat a.B.c(B.java:1)\nCaused by: x\n"},
			{"not JSON here", Text, `{"a":1}`},
			{"invalid UTF-8 and a hole", Text, "a\x00\xff"},
		}},
		{"routes", []struct {
			name string
			kind Kind
			text string
		}{
			{"service", Service, serviceLine},
			{"span", Service, `{"@timestamp":"2025-11-22T18:23:30.123456Z","data_stream.type":"traces","data_stream.dataset":"kreislauf","service_name":"order","env":"local","attributes":{"env":"x"}}`},
			{"event", Service, `{"@timestamp":"2025-11-22T18:23:30.123Z","data_stream.type":"events","data_stream.dataset":"kreislauf","service_name":"statistics","env":"local","event.id":"0199-\u00e4"}`},
			{"event without id", Service, `{"@timestamp":"2025-11-22T18:23:30.123Z","data_stream.type":"events","data_stream.dataset":"kreislauf","service_name":"statistics","env":"local","event.id":17}`},
			{"nested stream", Service, `{"@timestamp":"x","data_stream":{"type":"alerts","dataset":"kreislauf"},"env":"local"}`},
			{"odd names", Service, `{"service_name":"My Service/2-b","env":"Pre-Prod"}`},
			{"nothing known", Service, `{}`},
			{"nothing known in a container", Container, `{"level":"info"}`},
			{"kubernetes fields stay", Container, `{"kubernetes":{"pod":{"name":"x"}}}`},
			{"plain text in a container", Container, "panic: \"no\"\tmore\x1b[0m"},
			{"array", Service, `[1,2]`},
			{"invalid", Service, `{"a":`},
			{"twice", Service, `{"a":1,"a":2}`},
		}},
	} {
		b := testBuilder(t)
		var got bytes.Buffer
		for _, l := range group.lines {
			in := Input{Line: []byte(l.text), Offset: 1<<33 + 5}
			if l.kind == Container {
				in.Time = []byte("2025-11-22T18:23:30.123456789Z")
			}
			out, mark, ok := b.Append([]byte("before\n"), testOrigin(l.kind), in)
			if !ok {
				t.Errorf("%s: no document", l.name)
				continue
			}
			checkDocument(t, l.name, l.text, out, mark)
			fmt.Fprintf(&got, "# %s\n%s", l.name, out[len("before\n"):])
		}
		golden(t, filepath.Join("testdata", group.file+".golden"), got.Bytes())
	}
}

// checkDocument checks what must hold for every document.
func checkDocument(t *testing.T, name, text string, out []byte, mark Mark) {
	t.Helper()
	action, doc := out[len("before\n"):mark.Doc], out[mark.Doc:]
	if !json.Valid(action) || !json.Valid(doc) || bytes.Count(doc, []byte("\n")) != 1 {
		t.Fatalf("%s: %s%s", name, action, doc)
	}
	if mark.Raw > 0 && string(doc[:mark.Raw])+"}" != text {
		t.Errorf("%s: the line is not at the start of %s", name, doc)
	}
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(doc))
	if err := decoder.Decode(&fields); err != nil {
		t.Fatal(err)
	}
	for key := range fields {
		if strings.Count(string(doc), `,"`+key+`":`)+strings.Count(string(doc), `{"`+key+`":`) > 1 && !strings.Contains(key, "env") {
			t.Errorf("%s: %s is there twice: %s", name, key, doc)
		}
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s: %s", path, d)
	}
}

const combinedText = `203.0.113.9 - - [22/Nov/2025:19:23:30 +0100] "GET /shop/orders?x=1 HTTP/1.1" 200 512 "https://shop.example/" "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"`

func TestBlankLinesGiveNoDocument(t *testing.T) {
	b := testBuilder(t)
	for _, text := range []string{"", " \t\r"} {
		if out, _, ok := b.Append(nil, testOrigin(Service), Input{Line: []byte(text)}); ok || len(out) != 0 {
			t.Errorf("%q gives %s", text, out)
		}
	}
}

func TestIdsAreStableAndDistinct(t *testing.T) {
	b, o := testBuilder(t), testOrigin(Service)
	seen := map[string]int64{}
	for _, offset := range []int64{0, 1, 255, 256, 1 << 32, 1<<48 - 1} {
		id := string(o.appendID(nil, offset))
		if other, ok := seen[id]; ok || len(id) != 24 {
			t.Errorf("offset %d has id %q, and so has %d", offset, id, other)
		}
		seen[id] = offset
	}
	one, _, _ := b.Append(nil, o, Input{Line: []byte(serviceLine), Offset: 7})
	two, _, _ := b.Append(nil, o, Input{Line: []byte(serviceLine), Offset: 7})
	if !bytes.Equal(one, two) {
		t.Errorf("%s and %s", one, two)
	}
}

func TestFixedPoint(t *testing.T) {
	for _, c := range []struct {
		text  string
		scale int
		want  int64
		ok    bool
	}{
		{"1763835810.123", 3, 1763835810123, true},
		{"0.012", 9, 12_000_000, true},
		{"0.0129", 3, 12, true},
		{"7", 3, 7000, true},
		{"0", 0, 0, true},
		{"0.000", 3, 0, true},
		{"007.5", 1, 75, true},
		{"200", 0, 200, true},
		{"", 3, 0, false},
		{"-", 3, 0, false},
		{"-1", 3, 0, false},
		{".5", 3, 0, false},
		{"5.", 3, 0, false},
		{"1.2.3", 3, 0, false},
		{"1e3", 3, 0, false},
		{"9999999999999999999", 0, 0, false},
		{"99999999999", 9, 0, false},
	} {
		if got, ok := fixedPoint([]byte(c.text), c.scale); ok != c.ok || ok && got != c.want {
			t.Errorf("%q: %d, %v", c.text, got, ok)
		}
		want := "x"
		if c.ok {
			want += strconv.FormatInt(c.want, 10)
		}
		if got, ok := appendFixed([]byte("x"), []byte(c.text), c.scale); ok != c.ok || string(got) != want {
			t.Errorf("%q in digits: %q, %v", c.text, got, ok)
		}
	}
}

func TestRoutesAreBounded(t *testing.T) {
	b := testBuilder(t)
	for i := range 3 * maxRoutes {
		b.Append(nil, testOrigin(Service), Input{Line: fmt.Appendf(nil, `{"service_name":"s%d"}`, i)})
	}
	if len(b.router.routes) > maxRoutes {
		t.Errorf("%d routes", len(b.router.routes))
	}
}

func FuzzUpstreamList(f *testing.F) {
	for _, seed := range []string{"", "-", "127.0.0.1:1", "a, b : c", "502, 201", "-, 0.011", ", ", " : ", "a,b", `\", \"`} {
		f.Add([]byte(seed))
	}
	b := testBuilder(f)
	f.Fuzz(func(t *testing.T, list []byte) {
		var back []byte
		count := 0
		for rest := list; rest != nil; count++ {
			var one []byte
			one, rest = nextUpstream(rest)
			back = append(back, one...)
			if rest != nil {
				back = append(back, list[len(back):len(list)-len(rest)]...)
			}
		}
		if !bytes.Equal(back, list) {
			t.Fatalf("%q became %q", list, back)
		}
		value, err := json.Marshal(string(list))
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf(`{"msec":1,"upstream_addr":%s,"upstream_response_time":%s}`, value, value)
		out, _, ok := b.Append(nil, testOrigin(NginxAccess), Input{Line: []byte(text)})
		if !ok || !json.Valid(out[bytes.IndexByte(out, '\n')+1:]) {
			t.Fatalf("%q gives %s", text, out)
		}
	})
}

func FuzzDocument(f *testing.F) {
	f.Add([]byte(accessLine), uint8(NginxAccess))
	f.Add([]byte(serviceLine), uint8(Service))
	f.Add([]byte("2025/11/22 18:23:30 [error] 1#1: x"), uint8(NginxError))
	f.Add([]byte("\x00\xff{"), uint8(Container))
	f.Add([]byte(combinedText), uint8(NginxCombined))
	f.Add([]byte("a\tb\r"), uint8(Text))
	b := testBuilder(f)
	f.Fuzz(func(t *testing.T, line []byte, kind uint8) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		out, mark, ok := b.Append(nil, testOrigin(Kind(kind%6)), Input{Line: line})
		if !ok {
			return
		}
		if !json.Valid(out[:mark.Doc]) || !json.Valid(out[mark.Doc:]) || bytes.Count(out, []byte("\n")) != 2 {
			t.Fatalf("%q gives %s", line, out)
		}
	})
}

func benchmarkLine(b *testing.B, kind Kind, text string) {
	builder, origin, line := testBuilder(b), testOrigin(kind), []byte(text)
	buf := make([]byte, 0, 4<<20)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if len(buf) > 3<<20 {
			buf = buf[:0]
		}
		buf, _, _ = builder.Append(buf, origin, Input{Line: line, Offset: int64(len(buf))})
	}
}

func BenchmarkNginxLine(b *testing.B)    { benchmarkLine(b, NginxAccess, accessLine) }
func BenchmarkServiceLine(b *testing.B)  { benchmarkLine(b, Service, serviceLine) }
func BenchmarkCombinedLine(b *testing.B) { benchmarkLine(b, NginxCombined, combinedText) }
func BenchmarkErrorLine(b *testing.B)    { benchmarkLine(b, NginxError, errorText) }
func BenchmarkTextLine(b *testing.B) {
	benchmarkLine(b, Text, "2025-11-22 18:23:30 INFO started in 12 ms with 3 workers")
}

// TestNothingIsAllocatedPerLine holds for every kind of line once its caches are warm.
func TestNothingIsAllocatedPerLine(t *testing.T) {
	for name, c := range map[string]struct {
		kind Kind
		text string
	}{
		"access": {NginxAccess, accessLine}, "service": {Service, serviceLine}, "combined": {NginxCombined, combinedText},
		"escapes": {NginxCombined, `203.0.113.9 - - [22/Nov/2025:18:23:30 +0000] "GET /\x22 HTTP/1.1" 404 0 "-" "a \x22b"`},
		"error":   {NginxError, errorText}, "text": {Text, "plain"}, "container": {Container, "plain"},
	} {
		b, o, buf := testBuilder(t), testOrigin(c.kind), make([]byte, 0, 64<<10)
		line := []byte(c.text)
		if n := testing.AllocsPerRun(100, func() { b.Append(buf, o, Input{Line: line}) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

const errorText = `2025/11/22 18:23:30 [error] 4711#4712: *5 connect() failed (111: Connection refused) while connecting to upstream, client: 203.0.113.9, server: shop.example, request: "POST /api/order/v1/orders?x=1 HTTP/1.1", upstream: "http://127.0.0.1:18103/api/order/v1/orders?x=1", host: "shop.example"`

func FuzzCombined(f *testing.F) {
	f.Add([]byte(combinedText))
	f.Add([]byte(`10.0.0.1 - ann b [22/Nov/2025:18:23:30 -1100] "-" 502 - "-" "\x22\" "203.0.113.9, 10.0.0.7"`))
	f.Add([]byte(`a b c [01/Jan/1970:00:00:00 +0000] "" 0 0`))
	b, o := testBuilder(f), testOrigin(NginxCombined)
	f.Fuzz(func(t *testing.T, line []byte) {
		checkText(t, b, o, line, func() bool { _, ok := parseCombined(bytes.TrimSpace(line)); return ok })
	})
}

func FuzzErrorLog(f *testing.F) {
	f.Add([]byte(errorText))
	f.Add([]byte(`2025/11/22 18:23:30 [warn] 1#1: *6 x, client: , server: , request: "GET /a", upstream: "" b", host: ""`))
	f.Add([]byte(`2025/11/22 18:23:30 [emerg] #: *`))
	f.Add([]byte(`2000/01/01 00:00:00 [error]  0`))
	b, o := testBuilder(f), testOrigin(NginxError)
	f.Fuzz(func(t *testing.T, line []byte) {
		checkText(t, b, o, line, func() bool { _, ok := parseErrorLine(bytes.TrimSpace(line), time.UTC); return ok })
	})
}

// checkText checks what must hold for a line of a text format: a document without repeated fields, whose message is the
// whole line when it has not the format.
func checkText(t *testing.T, b *Builder, o *Origin, line []byte, parses func() bool) {
	if bytes.IndexByte(line, '\n') >= 0 {
		return
	}
	out, mark, ok := b.Append(nil, o, Input{Line: line})
	if !ok {
		return
	}
	var fault record.Line
	if f := fault.Scan(bytes.TrimSpace(out[mark.Doc:])); f != record.OK || !json.Valid(out[:mark.Doc]) || bytes.Count(out, []byte("\n")) != 2 {
		t.Fatalf("%q gives fault %d: %s", line, f, out)
	}
	var doc struct {
		Time    time.Time `json:"@timestamp"`
		Message string
		Tags    []string
	}
	if err := json.Unmarshal(out[mark.Doc:], &doc); err != nil {
		t.Fatal(err)
	}
	if parses() {
		return
	}
	whole := strings.ReplaceAll(strings.ToValidUTF8(string(bytes.TrimSpace(line)), ""), "\x00", "")
	if !slices.Contains(doc.Tags, "unparsed") || strings.ReplaceAll(doc.Message, "\ufffd", "") != strings.ReplaceAll(whole, "\ufffd", "") {
		t.Fatalf("%q gives %s", line, out)
	}
}
