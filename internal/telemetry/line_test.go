package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"kreislauf/internal/config"
	"kreislauf/internal/logging"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func settings() config.Process {
	return config.Process{Service: "order", Env: "local", Customer: "kreislauf", Instance: "order-1", PlatformVersion: `dev "quoted"`}
}

func spans() []*span {
	start := time.Date(2026, 11, 2, 10, 30, 0, 123456789, time.FixedZone("CET", 3600))
	parent, link := Parse(goodParent), Parse("00-11111111111111111111111111111111-2222222222222222-00")
	own := func(last byte) trace.SpanContext {
		return trace.NewSpanContext(trace.SpanContextConfig{TraceID: parent.TraceID(), SpanID: trace.SpanID{1, 2, 3, 4, 5, 6, 7, last}, TraceFlags: 1})
	}
	odd := "quote \" backslash \\ tab \t newline \n bell \a del \x7f umlaut ü key 🔑 html <&> line \u2028 bad \xff"
	return []*span{
		{name: "GET /x", sc: own(1), kind: trace.SpanKindServer, start: start, ended: start.Add(1500 * time.Microsecond)},
		{
			name: "redis getex", sc: own(2), parent: parent, kind: trace.SpanKindClient, start: start, ended: start,
			attrs: []attribute.KeyValue{
				attribute.String("s", "text"), attribute.Int64("i", -7), attribute.Bool("b", true), attribute.Float64("f", 0.25),
				attribute.StringSlice("list", []string{"a", `b"`}),
			},
		},
		{
			name: "publish", sc: own(3), parent: parent, kind: trace.SpanKindProducer, start: start, ended: start.Add(time.Hour),
			failed: true, reason: "no broker",
		},
		{
			name: "consume", sc: own(4), kind: trace.SpanKindConsumer, start: start, ended: start,
			links: []trace.Link{{SpanContext: parent}, {SpanContext: link}},
		},
		{
			name: odd, sc: own(5), kind: trace.SpanKindInternal, start: start.Truncate(time.Second), ended: start,
			attrs: []attribute.KeyValue{attribute.String(odd, odd)}, failed: true, reason: odd,
		},
		{name: "no kind", sc: own(6), start: start, ended: start, failed: true},
	}
}

func TestSpanLines(t *testing.T) {
	lw := newLineWriter(settings(), logging.NewSink(&bytes.Buffer{}))
	var got []byte
	for _, s := range spans() {
		got = lw.encode(got, s)
	}
	path := filepath.Join("testdata", "spans.ndjson")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("span lines (-want +got):\n%s", diff)
	}
	for line := range bytes.Lines(got) {
		if !json.Valid(line) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

func TestTracerWritesOneLineASpan(t *testing.T) {
	var out bytes.Buffer
	sink := logging.NewSink(&out)
	tel, err := New(t.Context(), settings(), sink)
	if err != nil {
		t.Fatal(err)
	}
	ctx, root := tel.Tracer.Start(WithRemote(t.Context(), goodParent[:53]+"00"), "root") // even what the caller did not sample
	_, child := tel.Tracer.Start(ctx, "child")
	child.End()
	root.End()
	if err := tel.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	type line struct {
		Trace    string `json:"trace.id"`
		Span     string `json:"span.id"`
		Parent   string `json:"parent.id"`
		Name     string `json:"span.name"`
		Type     string `json:"data_stream.type"`
		Dataset  string `json:"data_stream.dataset"`
		Service  string `json:"service_name"`
		Instance string `json:"instance"`
	}
	var got []line
	for d := json.NewDecoder(&out); d.More(); {
		var l line
		if err := d.Decode(&l); err != nil {
			t.Fatal(err)
		}
		got = append(got, l)
	}
	rootID, childID := root.SpanContext().SpanID().String(), child.SpanContext().SpanID().String()
	want := []line{
		{goodParent[3:35], childID, rootID, "child", "traces", "kreislauf", "order", "order-1"},
		{goodParent[3:35], rootID, goodParent[36:52], "root", "traces", "kreislauf", "order", "order-1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestStopOfACancelledContext(t *testing.T) {
	tel, err := New(t.Context(), settings(), logging.NewSink(&bytes.Buffer{}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tel.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func FuzzString(f *testing.F) {
	f.Add("plain")
	f.Add("quote \" \\ \n \x00 \x7f ü \u2028 \xff <script>")
	f.Fuzz(func(t *testing.T, s string) {
		std, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var want, got string
		if err := json.Unmarshal(std, &want); err != nil {
			t.Fatal(err)
		}
		mine := appendString(nil, s)
		if err := json.Unmarshal(mine, &got); err != nil {
			t.Fatalf("%q became %s: %v", s, mine, err)
		}
		if got != want {
			t.Errorf("%q reads back as %q, with encoding/json as %q", s, got, want)
		}
		if bytes.ContainsAny(mine, "\n\r") {
			t.Errorf("%q splits the line", s)
		}
	})
}
