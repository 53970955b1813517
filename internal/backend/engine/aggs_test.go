package engine_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"
)

type obj = map[string]any

// terms is the truth of a terms aggregation: buckets by count, then by key.
func terms(all []thing, keys func(thing) []string, size int, sub func([]thing) obj) any {
	groups := map[string][]thing{}
	for _, d := range all {
		for _, k := range keys(d) {
			groups[k] = append(groups[k], d)
		}
	}
	names := make([]string, 0, len(groups))
	for k := range groups {
		names = append(names, k)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(groups[b]), len(groups[a])), strings.Compare(a, b))
	})
	buckets, other := []any{}, 0
	for i, k := range names {
		if i >= size {
			other += len(groups[k])
			continue
		}
		b := obj{"key": k, "doc_count": float64(len(groups[k]))}
		if sub != nil {
			for name, v := range sub(groups[k]) {
				b[name] = v
			}
		}
		buckets = append(buckets, b)
	}
	return obj{"buckets": buckets, "doc_count_error_upper_bound": 0.0, "sum_other_doc_count": float64(other)}
}

func keywords(d thing) []string { return d.K }

func numbers(all []thing) []float64 {
	var out []float64
	for _, d := range all {
		if d.N != nil {
			out = append(out, float64(*d.N))
		}
	}
	sort.Float64s(out)
	return out
}

func sum(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}

func value(v float64) obj { return obj{"value": v} }

func countIf(all []thing, keep func(thing) bool) float64 { return float64(len(matching(all, keep))) }

func distinct(all []thing, key func(thing) string) float64 {
	set := map[string]bool{}
	for _, d := range all {
		set[key(d)] = true
	}
	return float64(len(set))
}

// histogram is the truth of a date_histogram with every bucket between the first and the last.
func histogram(all []thing, floor func(int64) int64, step func(int64) int64, name func(int64) string) any {
	counts := map[int64]int{}
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	for _, d := range all {
		k := floor(d.Time)
		counts[k]++
		lo, hi = min(lo, k), max(hi, k)
	}
	buckets := []any{}
	for k := lo; k <= hi; k = step(k) {
		buckets = append(buckets, obj{"key": float64(k), "key_as_string": name(k), "doc_count": float64(counts[k])})
	}
	return obj{"buckets": buckets}
}

// TestAggregations compares every aggregation with a plain loop over the same documents.
func TestAggregations(t *testing.T) {
	n := start(t, t.TempDir())
	all := things(t, n, 500)
	nums := numbers(all)
	const day = int64(86_400_000)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	iso := func(loc *time.Location) func(int64) string {
		return func(k int64) string { return time.UnixMilli(k).In(loc).Format("2006-01-02T15:04:05.000Z07:00") }
	}
	midnight := func(ms int64) int64 {
		y, m, d := time.UnixMilli(ms).In(berlin).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, berlin).UnixMilli()
	}
	isA := func(d thing) bool { return slices.Contains(d.K, "a") }
	ipOf := func(d thing) string { return d.IP }
	for _, tc := range []struct {
		agg  string
		want any
	}{
		{`{"terms":{"field":"k"}}`, terms(all, keywords, 10, nil)},
		{`{"terms":{"field":"al","size":2}}`, terms(all, keywords, 2, nil)},
		{`{"terms":{"field":"ip","size":5}}`, terms(all, func(d thing) []string { return []string{d.IP} }, 5, nil)},
		{`{"terms":{"field":"k","missing":"none"}}`, terms(all, func(d thing) []string {
			if len(d.K) == 0 {
				return []string{"none"}
			}
			return d.K
		}, 10, nil)},
		{
			`{"terms":{"field":"k"},"aggs":{"m":{"max":{"field":"seq"}},"c":{"cardinality":{"field":"ip"}},"i":{"terms":{"field":"ip","size":1}}}}`,
			terms(all, keywords, 10, func(g []thing) obj {
				last := 0
				for _, d := range g {
					last = max(last, d.Seq)
				}
				return obj{
					"m": value(float64(last)), "c": value(distinct(g, ipOf)),
					"i": terms(g, func(d thing) []string { return []string{d.IP} }, 1, nil),
				}
			}),
		},
		{`{"date_histogram":{"field":"@timestamp","fixed_interval":"6h"}}`, histogram(all,
			func(ms int64) int64 { return ms / (day / 4) * (day / 4) }, func(k int64) int64 { return k + day/4 }, iso(time.UTC))},
		{`{"date_histogram":{"field":"@timestamp","calendar_interval":"day","time_zone":"Europe/Berlin"}}`, histogram(all, midnight,
			func(k int64) int64 { return midnight(k + day + 7_200_000) }, iso(berlin))},
		{`{"histogram":{"field":"n","interval":10,"min_doc_count":1}}`, numberHistogram(nums, 10)},
		{`{"range":{"field":"n","ranges":[{"to":0},{"from":0,"to":20.5},{"key":"big","from":20}]}}`, obj{"buckets": []any{
			obj{"key": "*-0.0", "to": 0.0, "doc_count": countBetween(nums, math.Inf(-1), 0)},
			obj{"key": "0.0-20.5", "from": 0.0, "to": 20.5, "doc_count": countBetween(nums, 0, 20.5)},
			obj{"key": "big", "from": 20.0, "doc_count": countBetween(nums, 20, math.Inf(1))},
		}}},
		{`{"filter":{"term":{"k":"a"}},"aggs":{"s":{"sum":{"field":"n"}}}}`, obj{"doc_count": countIf(all, isA), "s": value(sum(numbers(filter(all, isA))))}},
		{`{"filters":{"filters":{"a":{"term":{"k":"a"}},"m":{"range":{"n":{"gte":20}}}}}}`, obj{"buckets": obj{
			"a": obj{"doc_count": countIf(all, isA)}, "m": obj{"doc_count": countBetween(nums, 20, math.Inf(1))},
		}}},
		{`{"filters":{"filters":[{"term":{"k":"a"}}]}}`, obj{"buckets": []any{obj{"doc_count": countIf(all, isA)}}}},
		{`{"missing":{"field":"f"}}`, obj{"doc_count": countIf(all, func(d thing) bool { return d.F == nil })}},
		{`{"cardinality":{"field":"ip"}}`, value(distinct(all, ipOf))},
		{`{"value_count":{"field":"n"}}`, value(float64(len(nums)))},
		{`{"min":{"field":"n"}}`, value(nums[0])},
		{`{"max":{"field":"n"}}`, value(nums[len(nums)-1])},
		{`{"sum":{"field":"n"}}`, value(sum(nums))},
		{`{"avg":{"field":"n"}}`, value(sum(nums) / float64(len(nums)))},
		{`{"avg":{"field":"nope"}}`, obj{"value": nil}},
		{`{"stats":{"field":"n"}}`, obj{"count": float64(len(nums)), "min": nums[0], "max": nums[len(nums)-1], "sum": sum(nums), "avg": sum(nums) / float64(len(nums))}},
		{`{"percentiles":{"field":"n","percents":[0,50,100]}}`, obj{"values": obj{"0.0": nums[0], "50.0": median(nums), "100.0": nums[len(nums)-1]}}},
		{`{"percentiles":{"field":"n","percents":[100],"keyed":false}}`, obj{"values": []any{obj{"key": 100.0, "value": nums[len(nums)-1]}}}},
	} {
		out := n.must("POST", "/things-*/_search", `{"size":0,"aggs":{"x":`+tc.agg+`}}`)
		wantEqual(t, tc.agg, get(out, "aggregations/x"), tc.want)
	}
}

func filter(all []thing, keep func(thing) bool) []thing {
	return slices.DeleteFunc(slices.Clone(all), func(d thing) bool { return !keep(d) })
}

func median(v []float64) float64 {
	at := float64(len(v)-1) / 2
	return (v[int(math.Floor(at))] + v[int(math.Ceil(at))]) / 2
}

func countBetween(v []float64, lo, hi float64) float64 {
	c := 0
	for _, x := range v {
		if x >= lo && x < hi {
			c++
		}
	}
	return float64(c)
}

func numberHistogram(v []float64, width float64) any {
	counts := map[float64]float64{}
	for _, x := range v {
		counts[math.Floor(x/width)*width]++
	}
	buckets := []any{}
	for k := -100 * width; k < 100*width; k += width {
		if counts[k] > 0 {
			buckets = append(buckets, obj{"key": k, "doc_count": counts[k]})
		}
	}
	return obj{"buckets": buckets}
}

// TestCompositeWalk pages through all combinations and compares with the truth.
func TestCompositeWalk(t *testing.T) {
	n := start(t, t.TempDir())
	all := things(t, n, 500)
	want := map[string]float64{}
	for _, d := range all {
		for _, k := range d.K {
			want[fmt.Sprintf("%s %d %s", k, d.Time/86_400_000*86_400_000, d.IP)]++
		}
	}
	got := map[string]float64{}
	var order []string
	after := ""
	for {
		out := n.must("POST", "/things-*/_search", `{"size":0,"aggs":{"c":{"composite":{"size":7`+after+`,"sources":[{"k":{"terms":{"field":"k","order":"desc"}}},
			{"d":{"date_histogram":{"field":"@timestamp","fixed_interval":"1d"}}},{"i":{"terms":{"field":"ip"}}}]}}}}`)
		buckets := get(out, "aggregations/c/buckets").([]any)
		if len(buckets) == 0 {
			break
		}
		for _, b := range buckets {
			key := fmt.Sprintf("%s %.0f %s", get(b, "key/k"), get(b, "key/d"), get(b, "key/i"))
			got[key] += get(b, "doc_count").(float64)
			order = append(order, get(b, "key/k").(string))
		}
		k := get(out, "aggregations/c/after_key").(map[string]any)
		after = fmt.Sprintf(`,"after":{"k":%q,"d":%.0f,"i":%q}`, k["k"], k["d"], k["i"])
	}
	wantEqual(t, "combinations", got, want)
	if !slices.IsSortedFunc(order, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Error("keys do not come in descending order")
	}
	if len(order) != len(want) {
		t.Errorf("%d buckets, want %d: some came twice", len(order), len(want))
	}
}

func TestAggregationShapes(t *testing.T) {
	n := start(t, t.TempDir())
	n.must("PUT", "/i", `{"mappings":{"properties":{"k":{"type":"keyword"},"n":{"type":"long"},"d":{"type":"date"},"b":{"type":"boolean"}}}}`)
	n.bulk("i", `{"index":{}}`+"\n"+`{"k":"a","n":1,"d":"2026-01-02","b":true}`+"\n"+`{"index":{}}`+"\n"+`{"k":"b","n":9,"d":"2026-01-05","b":false}`+"\n"+`{"index":{}}`+"\n"+`{"k":"b","n":5}`+"\n")
	for _, tc := range []struct{ path, aggs, want string }{
		{"", `{"x":{"terms":{"field":"b"},"meta":{"a":1}}}`, `{"x":{"meta":{"a":1},"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":0,"key_as_string":"false","doc_count":1},{"key":1,"key_as_string":"true","doc_count":1}]}}`},
		{"", `{"x":{"terms":{"field":"k","order":{"s.max":"desc"}},"aggs":{"s":{"stats":{"field":"n"}}}}}`, `{"x":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"b","doc_count":2,"s":{"count":2,"min":5,"max":9,"avg":7,"sum":14}},{"key":"a","doc_count":1,"s":{"count":1,"min":1,"max":1,"avg":1,"sum":1}}]}}`},
		{"", `{"x":{"date_histogram":{"field":"d","calendar_interval":"1d","format":"dd.MM","extended_bounds":{"min":"2026-01-01","max":"2026-01-01"},"min_doc_count":0}}}`, ``},
		{"", `{"x":{"date_histogram":{"field":"d","fixed_interval":"1d","format":"yyyy-MM-dd","min_doc_count":1}}}`, `{"x":{"buckets":[{"key":1767312000000,"key_as_string":"2026-01-02","doc_count":1},{"key":1767571200000,"key_as_string":"2026-01-05","doc_count":1}]}}`},
		{"", `{"x":{"max":{"field":"d"}}}`, `{"x":{"value":1767571200000,"value_as_string":"2026-01-05T00:00:00.000Z"}}`},
		{"?typed_keys=true", `{"t":{"terms":{"field":"k","size":1},"aggs":{"m":{"min":{"field":"n"}}}},"c":{"cardinality":{"field":"k"}}}`, `{"sterms#t":{"doc_count_error_upper_bound":0,"sum_other_doc_count":1,"buckets":[{"key":"b","doc_count":2,"min#m":{"value":5}}]},"cardinality#c":{"value":2}}`},
	} {
		if tc.want == "" {
			status, out := n.call("POST", "/i/_search", `{"size":0,"aggs":`+tc.aggs+`}`)
			wantEqual(t, tc.aggs, []any{status, get(out, "error/root_cause/0/type")}, []any{400, "parse_exception"})
			continue
		}
		wantEqual(t, tc.aggs, n.must("POST", "/i/_search"+tc.path, `{"size":0,"aggs":`+tc.aggs+`}`)["aggregations"], decode(t, tc.want))
	}
	top := n.must("POST", "/i/_search", `{"size":0,"aggs":{"x":{"terms":{"field":"k"},"aggs":{"h":{"top_hits":{"size":1,"sort":[{"n":"desc"}],"_source":["n"]}}}}}}`)
	wantEqual(t, "top hits", []any{get(top, "aggregations/x/buckets/0/h/hits/hits/0/_source"), get(top, "aggregations/x/buckets/0/h/hits/total/value")}, []any{obj{"n": 9.0}, 2.0})
	status, out := n.call("POST", "/i/_search", `{"size":0,"aggs":{"x":{"date_histogram":{"field":"d","fixed_interval":"1s"}}}}`)
	wantEqual(t, "too many buckets", []any{status, get(out, "error/type")}, []any{400, "too_many_buckets_exception"})
}
