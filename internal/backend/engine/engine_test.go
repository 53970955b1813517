package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kreislauf/internal/backend/engine"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("ENGINE_CHILD_DIR"); dir != "" {
		runChild(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// node is a running engine with a client.
type node struct {
	t   testing.TB
	dir string
	srv *engine.Server
	tr  *elastictransport.Client
	es  *esapi.API
}

func start(t testing.TB, dir string) *node {
	t.Helper()
	srv, err := engine.New(engine.Options{Dir: dir, Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	tr := transport(t, srv.Addr(), false)
	n := &node{t: t, dir: dir, srv: srv, tr: tr, es: esapi.New(tr)}
	t.Cleanup(n.stop)
	return n
}

// transport is go-elasticsearch's. The library's root package would add a check of the header that TestMediaTypesAndLimits reads.
func transport(t testing.TB, addr string, compress bool) *elastictransport.Client {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	opts := []elastictransport.Option{elastictransport.WithURLs(&url.URL{Scheme: "http", Host: addr}), elastictransport.WithTransport(tr)}
	if compress {
		opts = append(opts, elastictransport.WithCompression())
	}
	c, err := elastictransport.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (n *node) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := n.srv.Stop(ctx); err != nil {
		n.t.Errorf("stop: %v", err)
	}
}

// call sends a request and decodes the JSON answer; text answers come as a string.
func (n *node) call(method, path, body string, header ...string) (int, any) {
	n.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := n.tr.Perform(req)
	if err != nil {
		n.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	var out any
	if json.Unmarshal(raw, &out) != nil {
		out = string(raw)
	}
	return res.StatusCode, out
}

// must is call for a request that has to succeed.
func (n *node) must(method, path, body string) map[string]any {
	n.t.Helper()
	status, out := n.call(method, path, body)
	if status >= 300 {
		n.t.Fatalf("%s %s: %d %v", method, path, status, out)
	}
	m, ok := out.(map[string]any)
	if !ok {
		n.t.Fatalf("%s %s: not an object: %v", method, path, out)
	}
	return m
}

// bulk sends a bulk with the client's own API and returns status per item with the error type, if any.
func (n *node) bulk(index, body string) []string {
	n.t.Helper()
	res, err := n.es.Bulk(strings.NewReader(body), n.es.Bulk.WithIndex(index))
	if err != nil {
		n.t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct {
		Items []map[string]struct {
			Status int
			Error  struct{ Type, Reason string }
		}
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &out); err != nil || res.IsError() {
		n.t.Fatalf("bulk: %s %s", res.Status(), raw)
	}
	var list []string
	for _, it := range out.Items {
		for _, r := range it {
			list = append(list, strings.TrimSpace(fmt.Sprintf("%d %s", r.Status, r.Error.Type)))
		}
	}
	return list
}

// get walks a decoded answer by a path such as hits.total.value or items.0.create.status.
func get(v any, path string) any {
	for part := range strings.SplitSeq(path, "/") {
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			var i int
			if _, err := fmt.Sscanf(part, "%d", &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// ids are the ids of the hits in order.
func ids(v any) []string {
	out := []string{}
	list, _ := get(v, "hits/hits").([]any)
	for _, h := range list {
		out = append(out, get(h, "_id").(string))
	}
	return out
}

func decode(t testing.TB, s string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%v in %s", err, s)
	}
	return v
}

func wantEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

const streamTemplate = `{"index_patterns":["logs-*","traces-*","events-*","alerts-*"],"data_stream":{},"priority":500,
 "composed_of":["logs@mappings","kreislauf@mappings"],"ignore_missing_component_templates":["logs@mappings"]}`

const componentTemplate = `{"template":{"settings":{"index.mapping.total_fields.limit":200},"mappings":{"dynamic_templates":[{"strings":{"match_mapping_type":"string","mapping":{"type":"keyword","ignore_above":1024}}}],
 "properties":{"@timestamp":{"type":"date"},"message":{"type":"match_only_text"},"service_name":{"type":"keyword"},
 "service":{"properties":{"name":{"type":"alias","path":"service_name"}}},"trace":{"properties":{"id":{"type":"keyword"}}},
 "data_stream":{"properties":{"type":{"type":"constant_keyword"}}},"attributes":{"type":"flattened"},"event":{"properties":{"duration":{"type":"long"}}}}}}}`

func (n *node) templates() {
	n.t.Helper()
	n.must("PUT", "/_component_template/kreislauf@mappings", componentTemplate)
	n.must("PUT", "/_index_template/kreislauf", streamTemplate)
}

func TestRoot(t *testing.T) {
	n := start(t, t.TempDir())
	res, err := n.es.Info()
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || res.Header.Get("X-Elastic-Product") != "Elasticsearch" {
		t.Errorf("root: %v", res)
	}
	status, out := n.call("GET", "/_cluster/health", "")
	wantEqual(t, "health", []any{status, get(out, "status")}, []any{200, "green"})
	other := engine.Options{Dir: t.TempDir(), Addr: n.srv.Addr(), Logger: zerolog.Nop()}
	second, err := engine.New(other)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Start(); err == nil || !strings.Contains(err.Error(), n.srv.Addr()) {
		t.Errorf("busy address: %v", err)
	}
	for range 2 {
		if err := second.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func TestDataStream(t *testing.T) {
	n := start(t, t.TempDir())
	n.templates()
	day := time.Now().UTC().Format("2006.01.02")
	line := func(op, id, doc string) string {
		return fmt.Sprintf(`{%q:{"_index":"logs-kreislauf.order-test","_id":%q}}`+"\n%s\n", op, id, doc)
	}
	got := n.bulk("", line("create", "a", `{"@timestamp":"2026-01-02T03:04:05.000Z","service_name":"order","trace.id":"t1","message":"Order placed","attributes":{"http":{"method":"GET"}},"data_stream.type":"logs"}`)+
		line("create", "b", `{"@timestamp":1767323046000,"trace":{"id":"t1"},"service_name":"order","event.duration":"12"}`)+
		line("create", "a", `{"@timestamp":"2026-01-02T03:04:05.000Z"}`)+
		line("index", "c", `{"@timestamp":"2026-01-02T03:04:05.000Z"}`)+
		line("create", "d", `{"message":"no time"}`)+
		line("create", "e", `{"@timestamp":"2026-01-02T03:04:05.000Z","event.duration":"long"}`)+
		line("create", "f", `{"@timestamp":"2026-01-02T03:04:05.000Z","service.name":"x"}`)+
		line("create", "g", `{"@timestamp":"2026-01-02T03:04:05.000Z","data_stream.type":"metrics"}`)+
		line("update", "a", `{"doc":{}}`)+
		`{"delete":{"_index":"logs-kreislauf.order-test","_id":"a"}}`+"\n")
	wantEqual(t, "bulk", got, []string{
		"201", "201", "409 version_conflict_engine_exception", "400 illegal_argument_exception", "400 document_parsing_exception",
		"400 document_parsing_exception", "400 document_parsing_exception", "400 document_parsing_exception", "400 illegal_argument_exception", "400 illegal_argument_exception",
	})
	backing := ".ds-logs-kreislauf.order-test-" + day + "-000001"
	out := n.must("POST", "/logs-*,traces-*,nope-*/_search?ignore_unavailable=true", `{"size":1000,"query":{"term":{"trace.id":"t1"}},"sort":[{"@timestamp":"asc"}]}`)
	wantEqual(t, "trace", ids(out), []string{"a", "b"})
	wantEqual(t, "index", get(out, "hits/hits/0/_index"), any(backing))
	for _, q := range []string{`{"term":{"service.name":"order"}}`, `{"term":{"data_stream.type":"logs"}}`} {
		wantEqual(t, q, len(ids(n.must("POST", "/logs-*/_search", `{"query":`+q+`}`))), 2)
	}
	for _, q := range []string{`{"term":{"attributes.http.method":"GET"}}`, `{"term":{"attributes":"GET"}}`, `{"match":{"message":"PLACED"}}`} {
		wantEqual(t, q, ids(n.must("POST", "/logs-*/_search", `{"query":`+q+`}`)), []string{"a"})
	}
	roll := n.must("POST", "/logs-kreislauf.order-test/_rollover", "")
	wantEqual(t, "rollover", roll["new_index"], any(strings.Replace(backing, "000001", "000002", 1)))
	wantEqual(t, "same id after a rollover", n.bulk("", line("create", "a", `{"@timestamp":"2026-01-02T03:04:05.000Z"}`)), []string{"201"})
	wantEqual(t, "count", get(n.must("GET", "/logs-kreislauf.order-test/_count", ""), "count"), any(3.0))
	ds := n.must("GET", "/_data_stream/logs-*", "")
	wantEqual(t, "generation", []any{get(ds, "data_streams/0/generation"), get(ds, "data_streams/0/template")}, []any{2.0, "kreislauf"})
	n.must("DELETE", "/_data_stream/logs-kreislauf.order-test", "")
	status, _ := n.call("GET", "/logs-kreislauf.order-test/_search", "")
	wantEqual(t, "deleted", status, 404)
}

func TestDocumentsOfPlainIndex(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir)
	check := func(method, path, body string, status int, result any) {
		t.Helper()
		s, out := n.call(method, path, body)
		wantEqual(t, method+" "+path, []any{s, get(out, "result")}, []any{status, result})
	}
	check("PUT", "/things/_doc/1?refresh=wait_for", `{"n":1,"s":"x"}`, 201, "created")
	check("PUT", "/things/_doc/1", `{"n":2,"s":"y"}`, 200, "updated")
	check("PUT", "/things/_create/1", `{"n":3}`, 409, nil)
	check("POST", "/things/_doc", `{"n":4}`, 201, "created")
	check("PUT", "/things/_create/2", `{"n":5}`, 201, "created")
	check("DELETE", "/things/_doc/2", "", 200, "deleted")
	check("DELETE", "/things/_doc/2", "", 404, "not_found")
	for range 2 {
		wantEqual(t, "source", get(n.must("GET", "/things/_doc/1", ""), "_source"), decode(t, `{"n":2,"s":"y"}`))
		wantEqual(t, "count", get(n.must("GET", "/things/_count", ""), "count"), any(2.0))
		wantEqual(t, "replaced", ids(n.must("POST", "/things/_search", `{"query":{"range":{"n":{"lte":2}}}}`)), []string{"1"})
		if status, _ := n.call("HEAD", "/things/_doc/2", ""); status != 404 {
			t.Errorf("deleted document: %d", status)
		}
		n.stop()
		n = start(t, dir)
	}
	mapping := n.must("GET", "/things/_mapping", "")
	wantEqual(t, "dynamic", get(mapping, "things/mappings/properties/s"), decode(t, `{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":256}}}`))
	n.must("DELETE", "/things", "")
	if status, _ := n.call("HEAD", "/things", ""); status != 404 {
		t.Errorf("deleted index: %d", status)
	}
}

func TestMediaTypesAndLimits(t *testing.T) {
	n := start(t, t.TempDir())
	for _, tc := range []struct {
		contentType, accept string
		status              int
		answer              string
	}{
		{"application/json", "", 200, "application/json"},
		{"application/vnd.elasticsearch+json;compatible-with=8", "application/vnd.elasticsearch+json;compatible-with=8", 200, "application/vnd.elasticsearch+json;compatible-with=8"},
		{"application/x-ndjson", "application/vnd.elasticsearch+json;compatible-with=9", 200, "application/vnd.elasticsearch+json;compatible-with=9"},
		{"application/vnd.elasticsearch+json;compatible-with=7", "", 406, "application/json"},
		{"text/xml", "", 406, "application/json"},
		{"application/json", "text/html", 406, "application/json"},
	} {
		req, err := http.NewRequest("POST", "http://"+n.srv.Addr()+"/_search", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", tc.contentType)
		if tc.accept != "" {
			req.Header.Set("Accept", tc.accept)
		}
		tr := &http.Transport{DisableKeepAlives: true}
		res, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		wantEqual(t, tc.contentType+" "+tc.accept, []any{res.StatusCode, res.Header.Get("Content-Type"), res.Header.Get("X-Elastic-Product")}, []any{tc.status, tc.answer, "Elasticsearch"})
	}
	status, _ := n.call("POST", "/_bulk", string(bytes.Repeat([]byte(" "), 101<<20)))
	wantEqual(t, "too large", status, 413)
	es := esapi.New(transport(t, n.srv.Addr(), true))
	res, err := es.Index("zipped", strings.NewReader(`{"a":"b"}`), es.Index.WithDocumentID("1"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	wantEqual(t, "gzip request", res.StatusCode, 201)
}

func TestCat(t *testing.T) {
	n := start(t, t.TempDir())
	n.must("PUT", "/one", `{"mappings":{"properties":{"a":{"type":"keyword"}}}}`)
	n.bulk("one", `{"index":{}}`+"\n"+`{"a":"x"}`+"\n")
	_, out := n.call("GET", "/_cat/indices?format=json", "")
	wantEqual(t, "json", []any{get(out, "0/index"), get(out, "0/docs.count"), get(out, "0/health")}, []any{"one", "1", "green"})
	_, out = n.call("GET", "/_cat/indices?v=true&h=index,docs.count", "")
	wantEqual(t, "text", out, any("index docs.count\none   1\n"))
	_, out = n.call("GET", "/_cat/count?h=count", "")
	wantEqual(t, "count", out, any(1.0))
	caps := n.must("GET", "/one/_field_caps?fields=*", "")
	wantEqual(t, "field caps", get(caps, "fields/a/keyword/aggregatable"), any(true))
}
