package telemetry

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"kreislauf/internal/logging"
)

// TestCollectorGetsSpans sends spans to a collector and expects their name in the protobuf body of a request to /v1/traces.
func TestCollectorGetsSpans(t *testing.T) {
	bodies := make(chan []byte, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		bodies <- b
	}))
	defer collector.Close()
	p := settings()
	p.OTLPEndpoint = collector.URL
	var out bytes.Buffer
	sink := logging.NewSink(&out)
	tel, err := New(t.Context(), p, sink)
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.Tracer.Start(t.Context(), "a span for both")
	span.End()
	if err := tel.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	if b := <-bodies; !bytes.Contains(b, []byte("a span for both")) {
		t.Errorf("the collector got %q", b)
	}
	if !bytes.Contains(out.Bytes(), []byte("a span for both")) {
		t.Errorf("the span line is missing: %s", &out)
	}
}

func TestIdleTracerNeedsNoCollector(t *testing.T) {
	p := settings()
	p.OTLPEndpoint = "http://127.0.0.1:1"
	tel, err := New(t.Context(), p, logging.NewSink(io.Discard))
	if err != nil {
		t.Fatalf("a collector that is away must not stop a service: %v", err)
	}
	if err := tel.Stop(t.Context()); err != nil {
		t.Errorf("no span was lost, but: %v", err)
	}
}
