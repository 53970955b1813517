package local

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"kreislauf/elk/connect"
	"kreislauf/internal/local/supervise"
)

// flowLine tells what flowed in the minute before now, from the documents themselves.
func flowLine(ctx context.Context, client *esapi.API, env string, now time.Time, components []supervise.Status) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	term := func(field string, value any) map[string]any {
		return map[string]any{"term": map[string]any{field: value}}
	}
	filters := map[string]any{
		"requests":  term("event.dataset", "nginx.access"),
		"failures":  map[string]any{"bool": map[string]any{"filter": []any{term("event.dataset", "nginx.access"), map[string]any{"range": map[string]any{"http.response.status_code": map[string]any{"gte": 500}}}}}},
		"placed":    map[string]any{"bool": map[string]any{"filter": []any{term("data_stream.type", "events"), term("event.action", "order.placed")}}},
		"matched":   map[string]any{"bool": map[string]any{"filter": []any{term("data_stream.type", "events"), term("event.action", "order.matched")}}},
		"spans":     term("data_stream.type", "traces"),
		"documents": map[string]any{"match_all": map[string]any{}},
	}
	body := map[string]any{
		"size":  0,
		"query": map[string]any{"range": map[string]any{"@timestamp": map[string]any{"gte": now.Add(-time.Minute).UTC().Format(time.RFC3339Nano), "lt": now.UTC().Format(time.RFC3339Nano)}}},
		"aggs":  map[string]any{"flow": map[string]any{"filters": map[string]any{"filters": filters}}},
	}
	restarts := 0
	for _, c := range components {
		restarts += c.Restarts
	}
	at := now.Format(time.TimeOnly)
	answer, err := connect.Search(ctx, client, []string{"logs-*-" + env, "traces-kreislauf-" + env, "events-kreislauf-" + env}, body)
	if err != nil {
		return fmt.Sprintf("%s Elasticsearch does not answer: %v", at, err)
	}
	var flow struct {
		Buckets map[string]struct {
			N int64 `json:"doc_count"`
		}
	}
	if raw, ok := answer.Aggregations["flow"]; ok {
		if err := json.Unmarshal(raw, &flow); err != nil {
			return fmt.Sprintf("%s the flow cannot be read: %v", at, err)
		}
	}
	n := func(k string) int64 { return flow.Buckets[k].N }
	return fmt.Sprintf("%s last minute: requests %d (5xx %d) · orders placed %d, matched %d · spans %d · documents %d · restarts so far %d",
		at, n("requests"), n("failures"), n("placed"), n("matched"), n("spans"), n("documents"), restarts)
}
