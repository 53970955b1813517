package connect_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/elk/connect"
	"kreislauf/elk/elktest"
)

func TestNewRefusesABadAddress(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:9200", "ftp://host", "http://", "http://user:secret@"} {
		_, err := connect.New(connect.Options{URL: url})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestServer(t *testing.T) {
	info, err := connect.Server(t.Context(), elktest.Bare(t, embedded))
	if err != nil {
		t.Fatal(err)
	}
	if (info.Distribution != connect.Elasticsearch && info.Distribution != connect.OpenSearch) || info.Version == "" {
		t.Errorf("%+v", info)
	}
}

// answer serves one status and body on every path.
func answer(t *testing.T, status int, body string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		status    int
		body      string
		want      connect.Error
		transient bool
	}{
		"object": {
			404, `{"error":{"root_cause":[{"type":"index_not_found_exception","reason":"no such index [x]"}],"type":"index_not_found_exception","reason":"no such index [x]"},"status":404}`,
			connect.Error{Type: "index_not_found_exception", Reason: "no such index [x]", Status: 404},
			false,
		},
		"shards": {
			400, `{"error":{"root_cause":[{"type":"query_shard_exception","reason":"no mapping"}],"type":"search_phase_execution_exception","reason":"all shards failed"},"status":400}`,
			connect.Error{Type: "search_phase_execution_exception", Reason: "all shards failed: no mapping", Status: 400},
			false,
		},
		"sentence":  {405, `{"error":"Incorrect HTTP method","status":405}`, connect.Error{Reason: "Incorrect HTTP method", Status: 405}, false},
		"proxy":     {413, "<html>too large</html>\n", connect.Error{Reason: "<html>too large</html>", Status: 413}, false},
		"empty":     {429, "", connect.Error{Reason: "Too Many Requests", Status: 429}, true},
		"no reason": {500, `{"error":{"type":"null_pointer_exception","reason":null},"status":500}`, connect.Error{Type: "null_pointer_exception", Reason: `{"error":{"type":"null_pointer_exception","reason":null},"status":500}`, Status: 500}, true},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := connect.New(connect.Options{URL: answer(t, c.status, c.body).URL})
			if err != nil {
				t.Fatal(err)
			}
			_, err = connect.Search(t.Context(), client, []string{"x"}, map[string]any{})
			var have *connect.Error
			if !errors.As(err, &have) {
				t.Fatalf("%v is no connect.Error", err)
			}
			if diff := cmp.Diff(c.want, *have); diff != "" {
				t.Error(diff)
			}
			if connect.Transient(err) != c.transient {
				t.Errorf("transient: %v", !c.transient)
			}
		})
	}
}

func TestAPartialAnswerIsAnError(t *testing.T) {
	for name, body := range map[string]string{
		"timed out": `{"timed_out":true,"_shards":{"total":2,"failed":0},"hits":{"total":{"value":1},"hits":[]}}`,
		"failed":    `{"timed_out":false,"_shards":{"total":2,"failed":1,"failures":[{"reason":{"type":"t","reason":"r"}}]},"hits":{"total":{"value":1},"hits":[]}}`,
		"not JSON":  `{"timed_out":false,`,
	} {
		t.Run(name, func(t *testing.T) {
			client, err := connect.New(connect.Options{URL: answer(t, 200, body).URL})
			if err != nil {
				t.Fatal(err)
			}
			if a, err := connect.Search(t.Context(), client, []string{"x"}, map[string]any{}); err == nil {
				t.Errorf("taken for complete: %+v", a)
			}
		})
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	hang := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(hang) })
	client, err := connect.New(connect.Options{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := connect.Server(ctx, client); !errors.Is(err, context.DeadlineExceeded) || !connect.Transient(err) {
		t.Errorf("error: %v", err)
	}
}

func TestWalkSeesEveryHitOnceInOrder(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	var docs []map[string]any
	for i := range 25 { // several documents share a millisecond, so pages end between equal timestamps
		docs = append(docs, map[string]any{
			"@timestamp": fmt.Sprintf("2026-11-22T10:00:00.%03dZ", i/10), "data_stream.type": "events", "data_stream.dataset": "kreislauf", "event.id": fmt.Sprintf("e%02d", i),
		})
	}
	elktest.Index(t, client, env, docs...)
	walk := connect.Walk{
		Indices: []string{"events-kreislauf-" + env},
		Query:   map[string]any{"match_all": map[string]any{}},
		Sort:    []map[string]any{{"@timestamp": map[string]any{"order": "asc"}}, {"event.id": map[string]any{"order": "asc"}}},
		Page:    4,
	}
	for _, c := range []struct {
		limit, want int
		cut         bool
	}{{0, 25, false}, {25, 25, false}, {10, 10, true}} {
		walk.Limit = c.limit
		var seen []string
		cut, err := walk.Each(t.Context(), client, func(h connect.Hit) error {
			seen = append(seen, h.Doc.String("event.id"))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for i := range c.want {
			want = append(want, fmt.Sprintf("e%02d", i))
		}
		if diff := cmp.Diff(want, seen); diff != "" || cut != c.cut {
			t.Errorf("limit %d, cut %v: %s", c.limit, cut, diff)
		}
	}
}

func TestDoc(t *testing.T) {
	var source map[string]any
	dec := json.NewDecoder(strings.NewReader(`{"trace":{"id":"t"},"span.id":"s","n":{"big":9007199254740993,"half":1.5,"yes":true},
		"list":["a",2],"attributes":{"a.b":1},"@timestamp":"2026-11-22T11:00:00.000001+01:00"}`))
	dec.UseNumber()
	if err := dec.Decode(&source); err != nil {
		t.Fatal(err)
	}
	d := connect.Flatten(source)
	have := []any{
		d.String("trace.id"), d.String("span.id"), d.Int("n.big"), d.Int("n.half"), d.String("n.yes"), d.Strings("list"), d.Strings("span.id"),
		d.Strings("none"), d.String("list"), d.Object("attributes"), d.Time("@timestamp"), d.Time("span.id").IsZero(), d.Duration("n.half"),
	}
	want := []any{
		"t", "s", int64(9007199254740993), int64(1), "true",
		[]string{"a", "2"},
		[]string{"s"},
		[]string(nil), "a",
		map[string]any{"a.b": json.Number("1")},
		time.Date(2026, 11, 22, 10, 0, 0, 1000, time.UTC), true, time.Duration(1),
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
}
