package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"time"

	"kreislauf/internal/event"
)

// wanted are the services whose lines an order must leave under its trace id: nginx, and who writes and reads the order's topic.
func wanted() []string {
	list := []string{"nginx"}
	for _, t := range event.Topics() {
		if t.Name == event.TopicOrder {
			list = append(append(list, t.Producer), t.Consumers...)
		}
	}
	return list
}

// awaitTrace waits until the nginx line, with a location, and the lines of the services are searchable under the trace id.
// It returns how many log lines there are.
func (p *running) awaitTrace(ctx context.Context, traceID string) (int, error) {
	for {
		missing, n, err := p.traceLines(ctx, traceID)
		if err == nil && missing == "" {
			return n, nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("trace %s: still missing: %s (last error: %v)", traceID, missing, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (p *running) traceLines(ctx context.Context, traceID string) (missing string, lines int, err error) {
	body, err := json.Marshal(map[string]any{"size": 1000, "query": map[string]any{"term": map[string]any{"trace.id": traceID}}})
	if err != nil {
		return "", 0, err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", p.info.Elastic+"/logs-*/_search?ignore_unavailable=true", bytes.NewReader(body))
	if err != nil {
		return "", 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer res.Body.Close()
	var found struct {
		Hits struct {
			Hits []struct {
				Source map[string]any `json:"_source"`
			}
		}
	}
	if res.StatusCode != http.StatusOK {
		return "", 0, fmt.Errorf("search: %s", res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(&found); err != nil {
		return "", 0, err
	}
	left := map[string]bool{"geo": true}
	for _, s := range wanted() {
		left[s] = true
	}
	for _, h := range found.Hits.Hits {
		name, _ := h.Source["service_name"].(string)
		delete(left, name)
		if name == "nginx" && hasGeo(h.Source) {
			delete(left, "geo")
		}
	}
	var names []string
	for n := range left {
		names = append(names, n)
	}
	sort.Strings(names)
	return strings.Join(names, ", "), len(found.Hits.Hits), nil
}

// hasGeo finds source.geo in either spelling, dotted or nested.
func hasGeo(source map[string]any) bool {
	if s, ok := source["source"].(map[string]any); ok {
		if _, ok := s["geo"]; ok {
			return true
		}
	}
	for k := range source {
		if strings.HasPrefix(k, "source.geo") {
			return true
		}
	}
	return false
}

// versionsEverywhere fails when a document of the platform does not say which platform version made it, or says another one than runs.
func (p *running) versionsEverywhere(ctx context.Context) error {
	body, err := json.Marshal(map[string]any{
		"size": 3, "query": map[string]any{"bool": map[string]any{"must_not": []any{map[string]any{"term": map[string]any{"platform_version": p.info.Version}}}}},
	})
	if err != nil {
		return err
	}
	const streams = "logs-*,traces-*,events-*,alerts-*,metrics-*"
	req, err := http.NewRequestWithContext(ctx, "POST", p.info.Elastic+"/"+streams+"/_search?ignore_unavailable=true", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var found struct {
		Hits struct {
			Total struct{ Value int }
			Hits  []json.RawMessage
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&found); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("search documents without platform version: %s, %v", res.Status, err)
	}
	if found.Hits.Total.Value > 0 {
		return fmt.Errorf("%d documents do not have the platform version %s: %s", found.Hits.Total.Value, p.info.Version, found.Hits.Hits)
	}
	return nil
}
