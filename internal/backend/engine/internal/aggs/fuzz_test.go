package aggs

import (
	"testing"
	"time"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/store"
)

// FuzzAggs reads aggregations and computes them over nothing.
func FuzzAggs(f *testing.F) {
	for _, s := range []string{
		`{"a":{"terms":{"field":"k","order":{"m":"asc"},"include":"a.*"},"aggs":{"m":{"max":{"field":"n"}}}}}`,
		`{"a":{"date_histogram":{"field":"d","calendar_interval":"1M","offset":"-3h","extended_bounds":{"min":"2026-01","max":"2026-03"}},"aggs":{"c":{"cumulative_sum":{"buckets_path":"_count"}}}}}`,
		`{"a":{"histogram":{"field":"n","interval":5,"hard_bounds":{"min":1}},"aggs":{"s":{"bucket_sort":{"sort":["_key"],"size":1}}}}}`,
		`{"a":{"composite":{"size":2,"after":{"x":1},"sources":[{"x":{"histogram":{"field":"n","interval":2}}}]}}}`,
		`{"a":{"filters":{"filters":{"x":{"match_all":{}}},"other_bucket":true}}}`, `{"a":{"date_range":{"field":"d","ranges":[{"from":"now-1d"}]}}}`,
		`{"a":{"geotile_grid":{"field":"g","precision":3}}}`, `{"a":{"percentiles":{"field":"n","percents":[1,99]}},"b":{"top_hits":{}}}`,
	} {
		f.Add([]byte(s))
	}
	m, err := mapping.ParseBytes([]byte(`{"properties":{"k":{"type":"keyword"},"n":{"type":"long"},"d":{"type":"date"},"g":{"type":"geo_point"}}}`))
	if err != nil {
		f.Fatal(err)
	}
	target := &query.Target{Index: "i", Mapping: m, Now: time.UnixMilli(1_767_225_600_000)}
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := esjson.Parse(body)
		if err != nil {
			return
		}
		tree, err := Parse(n)
		if err == nil {
			root := tree.NewBucket()
			if err = tree.Prepare(target, &store.Reader{MinTime: 1}, 0); err == nil {
				_, err = root.Result(true)
			}
		}
		if err != nil {
			if e := eserr.From(err); e.Status < 400 || e.Status >= 500 {
				t.Fatalf("status %d: %v", e.Status, err)
			}
		}
	})
}
