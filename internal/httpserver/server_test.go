package httpserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"kreislauf/internal/config"
	"kreislauf/internal/logging"
	"kreislauf/internal/problem"
	"kreislauf/internal/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	incoming    = "0af7651916cd43dd8448eb211c80319c"
)

// fixture is a server whose lines end in a buffer.
type fixture struct {
	*Server
	out      bytes.Buffer
	sink     *logging.Sink
	registry *prometheus.Registry
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{registry: prometheus.NewRegistry()}
	f.sink = logging.NewSink(&f.out)
	p := config.Process{Service: "order", Env: "local", Customer: "kreislauf", Instance: "order-1", PlatformVersion: "dev"}
	tel, err := telemetry.New(t.Context(), p, f.sink)
	if err != nil {
		t.Fatal(err)
	}
	f.Server = New(Options{Addr: "127.0.0.1:0", Log: logging.New(f.sink, p), Tracer: tel.Tracer, Registry: f.registry})
	type body struct {
		Name string `json:"name"`
		Size int    `json:"size"`
	}
	f.Handle("POST", "/api/order/v1/orders", func(w http.ResponseWriter, r *http.Request) error {
		var b body
		if err := Decode(r, &b); err != nil {
			return err
		}
		Annotate(r.Context(), "order.id", "o-0")
		Annotate(r.Context(), "order.id", "o-1")
		Annotate(r.Context(), "partner.id", "")
		Action(r.Context(), "order.placed")
		return JSON(w, http.StatusCreated, b)
	})
	for path, err := range map[string]error{
		"/internal": errors.New("dial: password=geheim"), "/away": problem.Wrap(problem.Unavailable, errors.New("no primary"), "Try again."),
		"/unencodable": nil,
	} {
		f.Handle("GET", path, func(w http.ResponseWriter, _ *http.Request) error {
			if err == nil {
				return JSON(w, http.StatusOK, func() {})
			}
			return err
		})
	}
	f.Handle("GET", "/panic", func(http.ResponseWriter, *http.Request) error { panic("boom") })
	f.Handle("GET", "/late", func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusAccepted)
		return errors.New("after the answer")
	})
	f.Handle("GET", "/silent", func(http.ResponseWriter, *http.Request) error { return nil })
	f.Handle("GET", "/items/{id}", func(w http.ResponseWriter, r *http.Request) error { return JSON(w, http.StatusOK, 1) })
	return f
}

// serve answers one request and gives its log lines and span lines.
func (f *fixture) serve(t *testing.T, r *http.Request) (w *httptest.ResponseRecorder, logs, spans []map[string]any) {
	t.Helper()
	f.out.Reset()
	w = httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if n := strings.Count(f.out.String(), `"order.id"`); n > 2 {
		t.Errorf("a line or span has a key twice: %s", &f.out)
	}
	for d := json.NewDecoder(bytes.NewReader(f.out.Bytes())); d.More(); {
		var line map[string]any
		if err := d.Decode(&line); err != nil {
			t.Fatalf("%v in %s", err, &f.out)
		}
		if line["data_stream.type"] == "traces" {
			spans = append(spans, line)
		} else {
			logs = append(logs, line)
		}
	}
	return w, logs, spans
}

func call(method, target, body string) *http.Request {
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, rd)
	r.Header.Set(telemetry.Header, traceparent)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Request-Id", "r-1")
	r.Header.Set("Cookie", "kreislauf_session=geheim")
	return r
}

func TestOneLineARequest(t *testing.T) {
	f := newFixture(t)
	big := `{"name":"` + strings.Repeat("geheim", BodyLimit/6) + `"}`
	for _, tc := range []struct {
		name, method, target, body string
		status                     int
		level, route, errorText    string
	}{
		{"created", "POST", "/api/order/v1/orders?token=geheim", `{"name":"geheim","size":7}`, 201, "info", "/api/order/v1/orders", ""},
		{"template route", "GET", "/items/7?x=geheim", "", 200, "info", "/items/{id}", ""},
		{"silent handler", "GET", "/silent", "", 200, "info", "/silent", ""},
		{"unknown route", "GET", "/nowhere?x=geheim", "", 404, "info", "", "not-found"},
		{"unclean path", "GET", "//items/../items/7", "", 404, "info", "", "not-found"},
		{"wrong method", "DELETE", "/api/order/v1/orders?x=geheim", "", 405, "info", "", ""},
		{"malformed JSON", "POST", "/api/order/v1/orders", `{"name":geheim}`, 400, "info", "/api/order/v1/orders", "malformed"},
		{"unknown member", "POST", "/api/order/v1/orders", `{"color":"geheim"}`, 400, "info", "/api/order/v1/orders", "color"},
		{"wrong type", "POST", "/api/order/v1/orders", `{"size":"geheim"}`, 400, "info", "/api/order/v1/orders", "/size"},
		{"body too large", "POST", "/api/order/v1/orders", big, 413, "info", "/api/order/v1/orders", "too-large"},
		{"internal error", "GET", "/internal", "", 500, "error", "/internal", "dial"},
		{"dependency away", "GET", "/away", "", 503, "warn", "/away", "no primary"},
		{"unencodable answer", "GET", "/unencodable", "", 500, "error", "/unencodable", "encode answer"},
		{"panic", "GET", "/panic", "", 500, "error", "/panic", "panic: boom"},
		{"error after the answer", "GET", "/late", "", 202, "info", "/late", "after the answer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, logs, spans := f.serve(t, call(tc.method, tc.target, tc.body))
			if w.Code != tc.status {
				t.Errorf("status %d, want %d: %s", w.Code, tc.status, w.Body)
			}
			if len(logs) != 1 || len(spans) != 1 {
				t.Fatalf("%d log lines and %d span lines, want one of each: %s", len(logs), len(spans), &f.out)
			}
			line, span := logs[0], spans[0]
			path, _, _ := strings.Cut(tc.target, "?")
			want := map[string]any{
				"log.level": tc.level, "trace.id": incoming, "span.id": span["span.id"], "request_id": "r-1", "event.action": "http.request",
				"event.outcome": map[bool]string{true: "success", false: "failure"}[tc.status < 400], "http.request.method": tc.method,
				"url.path": path, "http.response.status_code": float64(tc.status), "service_name": "order",
			}
			if tc.route != "" {
				want["http.route"] = tc.route
			}
			if tc.name == "created" {
				want["event.action"], want["order.id"] = "order.placed", "o-1"
			}
			ignore := cmpopts.IgnoreMapEntries(func(k string, _ any) bool {
				return strings.Contains("@timestamp ecs.version env customer instance platform_version message error.message event.duration", k)
			})
			if diff := cmp.Diff(want, line, ignore); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
			if text, _ := line["error.message"].(string); !strings.Contains(text, tc.errorText) || (tc.errorText == "") != (text == "") {
				t.Errorf("error.message %q, want one with %q", text, tc.errorText)
			}
			if d, ok := line["event.duration"].(float64); !ok || d <= 0 {
				t.Errorf("event.duration %v", line["event.duration"])
			}
			if tc.name != "internal error" && strings.Contains(f.out.String(), "geheim") {
				t.Errorf("a line shows what the caller sent: %s", &f.out)
			}
			if span["trace.id"] != incoming || span["parent.id"] != "b7ad6b7169203331" || span["span.kind"] != "server" {
				t.Errorf("span %v", span)
			}
			if failed := span["event.outcome"] == "failure"; failed != (tc.status >= 500) {
				t.Errorf("span outcome %v at status %d", span["event.outcome"], tc.status)
			}
		})
	}
}

func TestNewTraceWithoutTraceparent(t *testing.T) {
	f := newFixture(t)
	seen := map[any]bool{}
	for _, header := range []string{"", "nonsense", strings.ToUpper(traceparent)} {
		r := httptest.NewRequest("GET", "/internal", nil)
		r.Header.Set(telemetry.Header, header)
		w, logs, spans := f.serve(t, r)
		var b problem.Body
		if err := json.Unmarshal(w.Body.Bytes(), &b); err != nil {
			t.Fatal(err)
		}
		id, _ := logs[0]["trace.id"].(string)
		if len(id) != 32 || seen[id] || b.TraceID != id || spans[0]["trace.id"] != id {
			t.Errorf("header %q: line %q, problem %q, span %v", header, id, b.TraceID, spans[0]["trace.id"])
		}
		if _, ok := spans[0]["parent.id"]; ok {
			t.Errorf("header %q: a root span has a parent: %v", header, spans[0])
		}
		seen[id] = true
	}
}

func TestMetrics(t *testing.T) {
	f := newFixture(t)
	for _, r := range []*http.Request{
		call("GET", "/items/1", ""), call("GET", "/items/2", ""), call("GET", "/internal", ""), call("GET", "/x", ""),
		call("PUT", "/items/1", ""),
	} {
		f.serve(t, r)
	}
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, fam := range families {
		for _, m := range fam.GetMetric() {
			labels := fam.GetName()
			for _, l := range m.GetLabel() {
				labels += " " + l.GetValue()
			}
			if n := m.GetHistogram().GetSampleCount(); n > 0 {
				got[labels] = n
			}
		}
	}
	const name = "kreislauf_http_request_duration_seconds"
	want := map[string]uint64{name + " 2xx /items/{id}": 2, name + " 5xx /internal": 1, name + " 4xx unmatched": 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
}
