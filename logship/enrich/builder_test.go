package enrich

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
			{"static file", NginxAccess, access(`"remote_addr":"127.0.0.1","http.response.status_code":304,"request_time":0.000,"upstream_addr":"","upstream_status":"","upstream_connect_time":"","upstream_header_time":"","upstream_response_time":""`)},
			{"refused", NginxAccess, access(`"remote_addr":"2001:db8::7","http.response.status_code":429,"request_time":1.5,"upstream_addr":"-","upstream_status":"-"`)},
			{"all upstreams down", NginxAccess, access(`"remote_addr":"10.0.0.1","x_forwarded_for":"192.168.0.1, 198.51.100.200","http.response.status_code":502,"upstream_addr":"127.0.0.1:1, 127.0.0.1:2 : unix:/tmp/x y.sock","upstream_status":"502, 502 : 502","upstream_connect_time":"-, - : -","upstream_response_time":"0.000, 0.001 : -"`)},
			{"what the line has stays", NginxAccess, access(`"@timestamp":"2020-01-01T00:00:00.000Z","event.duration":1,"event":{"outcome":"unknown","created":"2020-01-01T00:00:00.000Z"},"source":{"ip":"192.0.2.9"},"remote_addr":"203.0.113.9","request_time":0.5,"http.response.status_code":200,"data_stream":{"namespace":"other"},"event.dataset":"mine","log.file.path":"/x","nginx":{"access":{"upstream":{"retries":7}}},"upstream_addr":"a, b"`)},
			{"numbers that are none", NginxAccess, access(`"request_time":"-","http.response.status_code":0,"upstream_addr":17,"upstream_status":"x","remote_addr":null`)},
			{"recognised in a container", Container, access(`"request_time":0.001,"http.response.status_code":200`)},
			{"without service name", NginxAccess, `{"msec":1763835810.999}`},
			{"text in the access log", NginxAccess, `127.0.0.1 - - [x] "GET /"`},
			{"error log", NginxError, `2025/11/22 18:23:30 [error] 4711#4712: *5 connect() failed (111: Connection refused), upstream: "http://127.0.0.1:1/"`},
			{"error log, second line", NginxError, "  of a message with \xff in it"},
			{"error log without process", NginxError, `2025/11/22 18:23:30 [emerg] bind() failed`},
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
	b := testBuilder(f)
	f.Fuzz(func(t *testing.T, line []byte, kind uint8) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		out, mark, ok := b.Append(nil, testOrigin(Kind(kind%4)), Input{Line: line})
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

func BenchmarkNginxLine(b *testing.B)   { benchmarkLine(b, NginxAccess, accessLine) }
func BenchmarkServiceLine(b *testing.B) { benchmarkLine(b, Service, serviceLine) }
