package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// work is a query of the table with its target. Body gets the number of the run, so that a lookup is for another id each time.
type work struct {
	name   string
	target time.Duration
	path   string
	body   func(run int) []byte
}

func works(g *generator) []work {
	from, to := day.Add(6*time.Hour).Format(time.RFC3339), day.Add(18*time.Hour).Format(time.RFC3339)
	span := fmt.Sprintf(`{"range":{"@timestamp":{"gte":%q,"lt":%q}}}`, from, to)
	text := func(s string) func(int) []byte { return func(int) []byte { return []byte(s) } }
	newest := `"sort":[{"@timestamp":"desc"}],`
	return []work{
		{
			"newest 50 of status and range", 5 * time.Millisecond, "_search",
			text(`{"size":50,` + newest + `"query":{"bool":{"filter":[{"term":{"http.response.status_code":404}},` + span + `]}}}`),
		},
		{
			"minute histogram with p95", 25 * time.Millisecond, "_search",
			text(`{"size":0,"aggs":{"m":{"date_histogram":{"field":"@timestamp","fixed_interval":"1m"},"aggs":{"p":{"percentiles":{"field":"event.duration","percents":[95]}}}}}}`),
		},
		{
			"top 20 uri with avg and sum", 15 * time.Millisecond, "_search",
			text(`{"size":0,"aggs":{"u":{"terms":{"field":"url.path","size":20},"aggs":{"d":{"avg":{"field":"event.duration"}},"b":{"sum":{"field":"http.response.body.bytes"}}}}}}`),
		},
		{
			"exact trace id", 1500 * time.Microsecond, "_search",
			func(run int) []byte {
				return fmt.Appendf(nil, `{"query":{"term":{"trace.id":%q}}}`, g.traceID((run*7919+13)*104729%g.total))
			},
		},
		{
			"newest 20 with a word", 4 * time.Millisecond, "_search",
			text(`{"size":20,` + newest + `"query":{"match":{"message":"logstash"}}}`),
		},
		{
			"count of phrase and range", 150 * time.Millisecond, "_count",
			text(`{"query":{"bool":{"filter":[{"match_phrase":{"message":"logstash monitorama 2013"}},` + span + `]}}}`),
		},
	}
}

// timing is what a query took: the first run, and the median of the others.
type timing struct{ first, median time.Duration }

// measure runs a query several times after the first one and checks that all answers agree on the total.
func (s *server) measure(w work, runs int) (timing, int, error) {
	var all []time.Duration
	var out timing
	total := -1
	for run := range runs + 4 {
		body := w.body(run)
		started := time.Now()
		raw, err := s.call("POST", "/"+index+"/"+w.path+noCache(w.path), body)
		took := time.Since(started)
		if err != nil {
			return out, 0, err
		}
		got, err := found(raw)
		if err != nil {
			return out, 0, err
		}
		if total >= 0 && got != total || got == 0 {
			return out, 0, fmt.Errorf("%s: %s found %d, before %d", s.name, w.name, got, total)
		}
		total = got
		switch {
		case run == 0:
			out.first = took
		case run >= 4: // after the warm-up
			all = append(all, took)
		}
	}
	slices.Sort(all)
	out.median = all[len(all)/2]
	return out, total, nil
}

// noCache keeps OpenSearch from answering from its request cache; the engine has none.
func noCache(path string) string {
	if path == "_search" {
		return "?request_cache=false"
	}
	return ""
}

// found is the number of matching documents of a search or a count.
func found(raw []byte) (int, error) {
	var out struct {
		Count int
		Hits  struct{ Total struct{ Value int } }
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	return out.Count + out.Hits.Total.Value, nil
}
