package connect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// Hit is one found document.
type Hit struct {
	Index string // name of the backing index
	ID    string
	Doc   Doc
	Sort  []any // sort values, to be sent back as they came
}

// Answer is a complete search answer.
type Answer struct {
	Total        int64 // exact number of matching documents
	Hits         []Hit
	Aggregations map[string]json.RawMessage
	Shards       int // how many shards were asked; 0 when no index of the pattern exists yet
}

// Search sends one search body to the indices. A pattern or index that does not exist (yet) is an empty answer.
func Search(ctx context.Context, client *esapi.API, indices []string, body map[string]any) (Answer, error) {
	payload, err := json.Marshal(body)
	if err != nil {
		return Answer{}, fmt.Errorf("search: encode the body: %w", err)
	}
	var raw struct {
		TimedOut bool `json:"timed_out"`
		Shards   struct {
			Total, Failed int
			Failures      []struct {
				Reason struct{ Type, Reason string }
			}
		} `json:"_shards"`
		Hits struct {
			Total struct{ Value int64 }
			Hits  []struct {
				Index  string         `json:"_index"`
				ID     string         `json:"_id"`
				Source map[string]any `json:"_source"`
				Sort   []any          `json:"sort"`
			}
		}
		Aggregations map[string]json.RawMessage
	}
	res, err := client.Search(
		client.Search.WithContext(ctx),
		client.Search.WithIndex(indices...),
		client.Search.WithBody(bytes.NewReader(payload)),
		client.Search.WithIgnoreUnavailable(true),
		client.Search.WithAllowNoIndices(true),
		client.Search.WithTrackTotalHits(true),
	)
	if err := Decode(res, err, &raw); err != nil {
		return Answer{}, fmt.Errorf("search %v: %w", indices, err)
	}
	if raw.TimedOut {
		return Answer{}, fmt.Errorf("search %v: the server timed out and answered in part", indices)
	}
	if raw.Shards.Failed > 0 {
		reason := "no reason given"
		if len(raw.Shards.Failures) > 0 {
			reason = raw.Shards.Failures[0].Reason.Type + ": " + raw.Shards.Failures[0].Reason.Reason
		}
		return Answer{}, fmt.Errorf("search %v: %d of %d shards failed: %s", indices, raw.Shards.Failed, raw.Shards.Total, reason)
	}
	a := Answer{Total: raw.Hits.Total.Value, Aggregations: raw.Aggregations, Shards: raw.Shards.Total}
	for _, h := range raw.Hits.Hits {
		a.Hits = append(a.Hits, Hit{Index: h.Index, ID: h.ID, Doc: Flatten(h.Source), Sort: h.Sort})
	}
	return a, nil
}

// Walk describes a walk over all hits of a query in sort order, page by page with search_after.
type Walk struct {
	Indices []string
	Query   map[string]any   // query DSL
	Sort    []map[string]any // must be a total order, else ties at a page border are lost
	Source  []string         // fields to fetch; nil = all
	Page    int              // hits a page; 0 = 1,000
	Limit   int              // stop after this many hits; 0 = no limit
}

// Each calls visit for every hit in order. It reports whether Limit cut the walk short.
func (w Walk) Each(ctx context.Context, client *esapi.API, visit func(Hit) error) (cut bool, err error) {
	page := w.Page
	if page == 0 {
		page = 1000
	}
	body := map[string]any{"size": page, "query": w.Query, "sort": w.Sort}
	if w.Source != nil {
		body["_source"] = w.Source
	}
	for seen := 0; ; {
		answer, err := Search(ctx, client, w.Indices, body)
		if err != nil {
			return false, err
		}
		for _, h := range answer.Hits {
			if w.Limit > 0 && seen == w.Limit {
				return true, nil
			}
			seen++
			if err := visit(h); err != nil {
				return false, err
			}
		}
		if len(answer.Hits) < page {
			return false, nil
		}
		last := answer.Hits[len(answer.Hits)-1].Sort
		if len(last) == 0 {
			return false, fmt.Errorf("search %v: hits carry no sort values", w.Indices)
		}
		body["search_after"] = slices.Clone(last)
	}
}
