// Package trace collects everything the platform recorded under one trace id and shows it as one story: the
// access line of nginx, the spans of the services, the Kafka hops with their waiting time, the log lines and events.
//
// Invariants: every document of the trace appears exactly once, whatever is missing or wrong: what has no known
// parent is listed under "without parent"; a document stored twice appears once. The order is by start time, then by id.
// Times of different machines are shown as recorded; the package does not correct clocks.
//
// An access line is written when the request ends, to the millisecond, so its start is @timestamp - event.duration
// and may lie up to a millisecond off the first span.
package trace

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"kreislauf/elk/connect"
)

// Limit is the number of documents Fetch reads at most.
const Limit = 5000

// ErrNotFound says that no document carries the id. Documents become visible about a second after shipping.
var ErrNotFound = errors.New("no document carries this id")

// Fetch reads the trace id (32 hex digits) in the environment env and builds its story.
func Fetch(ctx context.Context, client *esapi.API, id, env string) (Story, error) {
	walk := connect.Walk{
		Indices: []string{"logs-*-" + env, "traces-kreislauf-" + env, "events-kreislauf-" + env},
		Query:   map[string]any{"bool": map[string]any{"filter": []any{term("trace.id", id)}}},
		Sort: []map[string]any{
			{"@timestamp": map[string]any{"order": "asc", "unmapped_type": "date"}},
			{"log.file.path": map[string]any{"order": "asc", "unmapped_type": "keyword"}},
			{"log.offset": map[string]any{"order": "asc", "unmapped_type": "long"}},
		},
		Limit: Limit,
	}
	var docs []connect.Doc
	cut, err := walk.Each(ctx, client, func(h connect.Hit) error {
		docs = append(docs, h.Doc)
		return nil
	})
	if err != nil {
		return Story{}, fmt.Errorf("trace %s: %w", id, err)
	}
	if len(docs) == 0 {
		return Story{}, fmt.Errorf("trace %s in %s: %w", id, env, ErrNotFound)
	}
	story := Build(id, docs)
	story.Env, story.Cut = env, cut
	return story, nil
}

// everywhere is where Resolve looks: the environment is not known yet.
var everywhere = []string{"events-kreislauf-*", "logs-*", "traces-kreislauf-*"}

// Resolve finds the trace of a trace id, order id or request id. A trace id that exists is itself. Of an order the
// trace that placed it is preferred, else the newest document that carries the id decides.
func Resolve(ctx context.Context, client *esapi.API, ref string) (traceID string, err error) {
	ref = strings.TrimSpace(ref)
	either := map[string]any{"bool": map[string]any{
		"should": []any{term("order.id", ref), term("request_id", ref)}, "minimum_should_match": 1,
	}}
	for _, filters := range [][]any{
		{term("trace.id", ref)},
		{term("event.action", "order.placed"), term("order.id", ref)},
		{either, map[string]any{"exists": map[string]any{"field": "trace.id"}}},
	} {
		answer, err := connect.Search(ctx, client, everywhere, map[string]any{
			"size": 1, "_source": []string{"trace.id"},
			"query": map[string]any{"bool": map[string]any{"filter": filters}},
			"sort":  []any{map[string]any{"@timestamp": map[string]any{"order": "desc", "unmapped_type": "date"}}},
		})
		if err != nil {
			return "", fmt.Errorf("resolve %q: %w", ref, err)
		}
		if len(answer.Hits) > 0 {
			if id := answer.Hits[0].Doc.String("trace.id"); id != "" {
				return id, nil
			}
		}
	}
	return "", fmt.Errorf("resolve %q as trace, order or request id: %w", ref, ErrNotFound)
}

func term(field, value string) map[string]any {
	return map[string]any{"term": map[string]any{field: value}}
}
