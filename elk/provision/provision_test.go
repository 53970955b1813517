package provision_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"kreislauf/elk/connect"
	"kreislauf/elk/elktest"
	"kreislauf/elk/provision"
)

func TestRunTwice(t *testing.T) {
	client := elktest.Bare(t, embedded)
	first, err := provision.Run(t.Context(), client, provision.Options{Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"component template kreislauf@mappings", "component template kreislauf@settings", "index template kreislauf-alerts",
		"index template kreislauf-events", "index template kreislauf-logs", "index template kreislauf-metrics", "index template kreislauf-nginx", "index template kreislauf-traces",
	}
	if first.Server.Distribution == connect.Elasticsearch {
		want = append([]string{"lifecycle policy kreislauf-logs"}, want...)
		if len(first.LeftOut) > 0 {
			t.Errorf("left out: %q", first.LeftOut)
		}
	} else if len(first.LeftOut) != 3 {
		t.Errorf("OpenSearch lacks three things, reported are %q", first.LeftOut)
	}
	if diff := cmp.Diff(want, first.Put); diff != "" {
		t.Errorf("put (-want +have):\n%s", diff)
	}
	second, err := provision.Run(t.Context(), client, provision.Options{Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the second run differs:\n%s", diff)
	}
}

// TestAliasesAndTypes writes a line and finds it by the fields the templates promise.
func TestAliasesAndTypes(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	elktest.Index(t, client, env, map[string]any{
		"@timestamp": "2026-11-22T10:00:00.000Z", "data_stream.type": "logs", "data_stream.dataset": "nginx.access", "service_name": "nginx", "env": env,
		"message": "GET /api/pricing/v1/catalog 200", "http.response.status_code": 200, "request_time": 0.012, "source.ip": "203.0.113.9",
		"source.geo.location": map[string]any{"lat": 52.5, "lon": 13.4}, "event.duration": 12000000, "trace.id": "4bf92f3577b34da6a3ce929d0e0e4736",
	}, map[string]any{
		"@timestamp": "2026-11-22T10:00:00.000001Z", "data_stream.type": "traces", "data_stream.dataset": "kreislauf", "service_name": "order", "env": env,
		"attributes": map[string]any{"db.collection": "orders", "retries": "2"}, "source.ip": "not an address",
	})
	for name, c := range map[string]struct {
		index string
		query map[string]any
	}{
		"alias":        {"logs-nginx.access-" + env, map[string]any{"term": map[string]any{"service.name": "nginx"}}},
		"environment":  {"logs-nginx.access-" + env, map[string]any{"term": map[string]any{"service.environment": env}}},
		"long":         {"logs-nginx.access-" + env, map[string]any{"range": map[string]any{"http.response.status_code": map[string]any{"gte": 200, "lt": 300}}}},
		"ip":           {"logs-nginx.access-" + env, map[string]any{"term": map[string]any{"source.ip": "203.0.113.0/24"}}},
		"text":         {"logs-nginx.access-" + env, map[string]any{"match_phrase": map[string]any{"message": "pricing v1 catalog"}}},
		"flattened":    {"traces-kreislauf-" + env, map[string]any{"term": map[string]any{"attributes.db.collection": "orders"}}},
		"malformed ip": {"traces-kreislauf-" + env, map[string]any{"term": map[string]any{"service_name": "order"}}},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := connect.Search(t.Context(), client, []string{c.index}, map[string]any{"query": c.query})
			if err != nil {
				t.Fatal(err)
			}
			if answer.Total != 1 {
				t.Errorf("%d documents, want 1", answer.Total)
			}
		})
	}
}

func TestRunWaitsForTheServerAndNoLongerThanAsked(t *testing.T) {
	answers := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answers++
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(server.Close)
	client, err := connect.New(connect.Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	var log bytes.Buffer
	_, err = provision.Run(ctx, client, provision.Options{Logger: zerolog.New(&log)})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error: %v", err)
	}
	if answers < 3 || !strings.Contains(log.String(), "waiting for Elasticsearch") {
		t.Errorf("%d answers, log %s", answers, log.String())
	}
}

func TestRunDoesNotWaitForARefusal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":{"type":"security_exception","reason":"missing authentication credentials"},"status":401}`))
	}))
	t.Cleanup(server.Close)
	client, err := connect.New(connect.Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, err = provision.Run(t.Context(), client, provision.Options{Logger: zerolog.Nop()})
	if connect.Status(err) != http.StatusUnauthorized || !strings.Contains(err.Error(), "missing authentication credentials") {
		t.Errorf("error: %v", err)
	}
}
