package logship_test

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/logship/config"
)

// TestGoldenRequest holds the bulk request byte for byte: method, path, headers and lines, for each type of input
// and each way in which ids are made. Only what differs from machine to machine is replaced: the folder, and the
// identity of files, which hangs on inodes, at the beginning of ids.
func TestGoldenRequest(t *testing.T) {
	b := newBench(t)
	const cri = "2025-11-22T18:23:30.123456789Z "
	const event = `{"@timestamp":"2025-11-22T18:23:30.123Z","data_stream.type":"events","data_stream.dataset":"kreislauf",` +
		`"service_name":"statistics","env":"test","event.id":"e-1","event.action":"order.placed"}`
	pods := filepath.Join(b.logs, "..", "pods")
	for _, file := range []struct{ path, text string }{
		{b.file, line(1) + line(1) + "no json\n" + "\n" +
			`{"service_name":"order","env":"test","event.created":"2020-01-01T00:00:00.000Z"}` + "\n"},
		{filepath.Join(b.logs, "test/acme/statistics/statistics-1.log"), event + "\n" + event + "\n"},
		{filepath.Join(b.logs, "test/acme/nginx/access.log"), `{"msec":1763835810.123,"service_name":"nginx","env":"test",` +
			`"http.response.status_code":201,"remote_addr":"203.0.113.9","request_time":0.012,"upstream_addr":"127.0.0.1:1, 127.0.0.1:2",` +
			`"upstream_status":"502, 201","upstream_response_time":"0.001, 0.011"}` + "\n"},
		{
			filepath.Join(b.logs, "test/acme/nginx/error-0123456789ab.log"),
			"2025/11/22 18:23:30 [error] 12#13: *14 connect() failed, client: 203.0.113.9, server: _\n",
		},
		{
			filepath.Join(pods, "shop_order-7d9f_0b1c/order/0.log"),
			cri + `stdout P {"service_name":"order",` + "\n" + cri + `stdout F "env":"test"}` + "\n" + cri + "stderr F panic: no\n",
		},
		{
			filepath.Join(b.logs, "../other/access.log"),
			`203.0.113.9 - - [22/Nov/2025:18:23:30 +0000] "GET /x HTTP/1.1" 404 12 "-" "curl/8.0"` + "\n",
		},
		{filepath.Join(b.logs, "../other/app.txt"), "some text\n"},
	} {
		if err := os.MkdirAll(filepath.Dir(file.path), 0o755); err != nil {
			t.Fatal(err)
		}
		b.appendText(file.path, file.text)
	}
	root := filepath.Dir(b.logs)
	b.opt.Inputs = append(b.opt.Inputs, config.Pods(filepath.Clean(pods)),
		config.Input{Type: config.NginxCombined, Paths: []config.Glob{config.Glob(filepath.Join(root, "other/access.log"))}},
		config.Input{Type: config.Text, Paths: []config.Glob{config.Glob(filepath.Join(root, "other/*.txt"))}, Dataset: "app.text"})
	target := &b.opt.Targets[0]
	target.Gzip, target.Username, target.Password, target.FlushInterval = 1, "shipper", "secret", 500*time.Millisecond
	var got bytes.Buffer
	b.look = func(r *http.Request, body []byte) {
		fmt.Fprintf(&got, "%s %s\n", r.Method, r.URL)
		var names []string
		for name := range r.Header {
			if name != "Content-Length" && name != "User-Agent" && name != "X-Elastic-Client-Meta" {
				names = append(names, name)
			}
		}
		sort.Strings(names)
		for _, name := range names {
			fmt.Fprintf(&got, "%s: %s\n", name, strings.Join(r.Header[name], ", "))
		}
		fmt.Fprintf(&got, "\n%s", body)
	}
	s, _ := b.runAt(func() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) })
	b.until("all final", func() bool { st := s.Status(); return st.Delivered+st.Duplicates == 12 })
	text := bytes.ReplaceAll(got.Bytes(), []byte(root), []byte("/root"))
	text = regexp.MustCompile(`("_id":")[A-Za-z0-9_-]{16}([A-Za-z0-9_-]{8}")`).ReplaceAll(text, []byte("${1}<identity>${2}"))
	path := filepath.Join("testdata", "request.golden")
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(text)); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}
