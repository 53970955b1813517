package engine_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// access writes n lines like those of nginx, starting with number from.
func access(from, n int) string {
	rnd := rand.New(rand.NewPCG(uint64(from), 1))
	hex := func(digits int) string {
		return fmt.Sprintf("%016x%016x", rnd.Uint64(), rnd.Uint64())[:digits]
	}
	paths := []string{"/api/order/v1/orders", "/api/pricing/v1/quotes", "/api/pricing/v1/catalog", "/api/identity/v1/sessions", "/static/app.js"}
	var b strings.Builder
	for i := range n {
		path, status := paths[rnd.IntN(len(paths))], []int{200, 200, 200, 201, 404, 502}[rnd.IntN(6)]
		ms := 1767225600000 + int64(from+i)*100
		fmt.Fprintf(&b, `{"create":{"_id":"%022d"}}`+"\n", from+i)
		fmt.Fprintf(&b, `{"@timestamp":%d,"service_name":"nginx","env":"local","customer":"kreislauf","platform_version":"dev","message":"GET %s %d","remote_addr":"203.0.113.%d","http.request.method":"GET","url.original":"%s?x=%d","url.path":%q,"http.version":"HTTP/1.1","http.response.status_code":%d,"http.response.body.bytes":%d,"event.duration":%d,"upstream_addr":"127.0.0.1:1810%d","upstream_status":"%d","limit_req":"PASSED","url.domain":"localhost","user_agent.original":"curl/8","request_id":%q,"trace.id":%q,"span.id":%q,"event.dataset":"nginx.access","event.outcome":"success","log.offset":%d}`+"\n",
			ms, path, status, rnd.IntN(250), path, rnd.IntN(1000), path, status, rnd.IntN(5000), rnd.IntN(100_000_000), rnd.IntN(6), status, hex(32), fmt.Sprintf("%032x", from+i), hex(16), (from+i)*600)
	}
	return b.String()
}

func send(b *testing.B, n *node, body string) {
	b.Helper()
	res, err := n.es.Bulk(strings.NewReader(body), n.es.Bulk.WithIndex("logs-nginx.access-bench"))
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || !bytes.Contains(raw, []byte(`"errors":false`)) {
		b.Fatalf("bulk: %v %.300s", err, raw)
	}
}

// BenchmarkBulk1000 indexes batches of 1,000 access lines over HTTP, each synced to disk.
func BenchmarkBulk1000(b *testing.B) {
	n := start(b, b.TempDir())
	n.templates()
	var bodies []string
	for i := range b.N {
		bodies = append(bodies, access(i*1000, 1000))
	}
	b.ResetTimer()
	for _, body := range bodies {
		send(b, n, body)
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "docs/s")
}

func loaded(b *testing.B, docs int) *node {
	n := start(b, b.TempDir())
	n.templates()
	for i := 0; i < docs; i += 2000 {
		send(b, n, access(i, 2000))
	}
	b.ResetTimer()
	return n
}

func search(b *testing.B, docs int, body func(i int) string) {
	n := loaded(b, docs)
	i := 0
	for b.Loop() {
		n.must("POST", "/logs-*,traces-*,events-*/_search?ignore_unavailable=true", body(i))
		i++
	}
}

// BenchmarkTraceIDSearch looks up one trace id among 100,000 lines.
func BenchmarkTraceIDSearch(b *testing.B) {
	search(b, 100_000, func(i int) string {
		return fmt.Sprintf(`{"size":1000,"sort":["@timestamp"],"query":{"term":{"trace.id":"%032x"}}}`, i*977%100_000)
	})
}

// BenchmarkDateHistogram counts 100,000 lines per minute with a percentile.
func BenchmarkDateHistogram(b *testing.B) {
	search(b, 100_000, func(int) string {
		return `{"size":0,"aggs":{"m":{"date_histogram":{"field":"@timestamp","fixed_interval":"1m"},"aggs":{"p":{"percentiles":{"field":"event.duration","percents":[95]}}}}}}`
	})
}
