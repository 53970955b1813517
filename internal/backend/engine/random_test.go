package engine_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	gocmp "github.com/google/go-cmp/cmp"
)

// doc is a random document, decoded from its source.
type doc struct {
	ID string   `json:"id"`
	T  int64    `json:"@timestamp"`
	K  []string `json:"k,omitempty"`
	N  *int64   `json:"n,omitempty"`
	F  *float64 `json:"f,omitempty"`
	B  *bool    `json:"b,omitempty"`
	W  string   `json:"w,omitempty"`
	G  *point   `json:"g,omitempty"`
}

// random makes queries and aggregations together with what they mean, over documents of a few values.
type random struct{ *rand.Rand }

func (r random) pick(list ...string) string { return list[r.IntN(len(list))] }

func (r random) words(n int) []string {
	var out []string
	for range n {
		out = append(out, r.pick("get", "put", "order", "error", "timeout"))
	}
	return out
}

func (r random) doc(i int) doc {
	d := doc{ID: fmt.Sprintf("d%05d", i), T: 1_767_600_000_000 + int64(i)*61_000 + r.Int64N(60_000)}
	for _, k := range []string{"a", "b", "ab", "c"} {
		if r.IntN(3) == 0 {
			d.K = append(d.K, k)
		}
	}
	if r.IntN(5) > 0 {
		n := r.Int64N(60) - 20
		d.N = &n
	}
	if r.IntN(4) > 0 {
		f := math.Round(r.NormFloat64()*1000) / 8
		d.F = &f
	}
	if r.IntN(3) > 0 {
		b := r.IntN(2) == 0
		d.B = &b
	}
	if r.IntN(6) > 0 {
		d.W = strings.Join(r.words(1+r.IntN(5)), " ")
	}
	if r.IntN(3) > 0 {
		d.G = r.point()
	}
	return d
}

func (r random) query(depth int) (string, func(doc) bool) {
	kinds := 9
	if depth > 0 {
		kinds = 13
	}
	switch r.IntN(kinds) {
	case 0:
		return `{"match_all":{}}`, func(doc) bool { return true }
	case 1:
		k := r.pick("a", "b", "ab", "none")
		return fmt.Sprintf(`{"term":{"k":%q}}`, k), func(d doc) bool { return slices.Contains(d.K, k) }
	case 2:
		n := r.Int64N(60) - 20
		return fmt.Sprintf(`{"terms":{"n":[%d,%d]}}`, n, n+1), func(d doc) bool { return d.N != nil && (*d.N == n || *d.N == n+1) }
	case 3:
		lo, hi := r.Int64N(60)-30, r.Int64N(60)-10
		return fmt.Sprintf(`{"range":{"n":{"gt":%d,"lte":%d}}}`, lo, hi), func(d doc) bool { return d.N != nil && *d.N > lo && *d.N <= hi }
	case 4:
		from := 1_767_600_000_000 + r.Int64N(600*61_000)
		return fmt.Sprintf(`{"range":{"@timestamp":{"gte":%d,"lt":%d}}}`, from, from+9_000_000), func(d doc) bool { return d.T >= from && d.T < from+9_000_000 }
	case 5:
		return `{"exists":{"field":"f"}}`, func(d doc) bool { return d.F != nil }
	case 6:
		words := r.words(2)
		op := r.pick("or", "and")
		return fmt.Sprintf(`{"match":{"w":{"query":"%s %s","operator":%q}}}`, words[0], words[1], op), func(d doc) bool {
			has := strings.Fields(d.W)
			x, y := slices.Contains(has, words[0]), slices.Contains(has, words[1])
			return x && y || op == "or" && (x || y)
		}
	case 7:
		words := r.words(2)
		return fmt.Sprintf(`{"match_phrase":{"w":"%s %s"}}`, words[0], words[1]), func(d doc) bool {
			return strings.Contains(" "+d.W+" ", " "+words[0]+" "+words[1]+" ")
		}
	case 8:
		return `{"prefix":{"k":"a"}}`, func(d doc) bool {
			return slices.ContainsFunc(d.K, func(k string) bool { return k[0] == 'a' })
		}
	}
	var parts [4][]string
	var tests [4][]func(doc) bool
	for i := range parts {
		for range r.IntN(3) {
			q, test := r.query(depth - 1)
			parts[i], tests[i] = append(parts[i], q), append(tests[i], test)
		}
	}
	body := fmt.Sprintf(`{"bool":{"must":[%s],"filter":[%s],"should":[%s],"must_not":[%s]}}`,
		strings.Join(parts[0], ","), strings.Join(parts[1], ","), strings.Join(parts[2], ","), strings.Join(parts[3], ","))
	return body, func(d doc) bool {
		is := func(test func(doc) bool) bool { return test(d) }
		not := func(test func(doc) bool) bool { return !test(d) }
		required := append(slices.Clone(tests[0]), tests[1]...)
		if slices.ContainsFunc(required, not) || slices.ContainsFunc(tests[3], is) {
			return false
		}
		return len(required) > 0 || len(tests[2]) == 0 || slices.ContainsFunc(tests[2], is)
	}
}

// outermost is the depth of the aggregations that are below no other one.
const outermost = 3

// truth computes an aggregation from documents.
type truth func([]doc) any

func (r random) aggs(depth int) (string, func([]doc) obj) {
	var parts []string
	tests := map[string]truth{}
	for i := range 1 + r.IntN(2) {
		name := fmt.Sprintf("a%d", i)
		body, test := r.agg(depth)
		parts, tests[name] = append(parts, fmt.Sprintf("%q:%s", name, body)), test
	}
	return "{" + strings.Join(parts, ",") + "}", func(list []doc) obj {
		out := obj{}
		for name, test := range tests {
			out[name] = test(list)
		}
		return out
	}
}

func (r random) agg(depth int) (string, truth) {
	if depth == 0 || r.IntN(4) == 0 {
		return r.metric()
	}
	sub, below := r.aggs(depth - 1)
	bucket := func(list []doc, members obj) obj {
		members["doc_count"] = float64(len(list))
		maps.Copy(members, below(list))
		return members
	}
	kinds := 11
	if depth == outermost { // a composite cannot be below other buckets
		kinds = 13
	}
	switch r.IntN(kinds) {
	case 6:
		return r.dateRange(sub, bucket)
	case 7:
		return r.geotile(sub, bucket)
	case 8:
		return cumulative()
	case 9:
		return r.bucketSort()
	case 10:
		return r.filters(sub, bucket)
	case 11, 12:
		return r.composite(sub, bucket)
	case 0:
		return fmt.Sprintf(`{"terms":{"field":"k","size":3},"aggs":%s}`, sub), func(list []doc) any {
			return termsTruth(list, 3, func(d doc) []string { return d.K }, strings.Compare, func(k string, in []doc) obj { return bucket(in, obj{"key": k}) })
		}
	case 1:
		return fmt.Sprintf(`{"terms":{"field":"n","size":7},"aggs":%s}`, sub), func(list []doc) any {
			return termsTruth(list, 7, func(d doc) []int64 { return values(d.N) }, cmp.Compare[int64], func(k int64, in []doc) obj { return bucket(in, obj{"key": float64(k)}) })
		}
	case 2:
		return fmt.Sprintf(`{"date_histogram":{"field":"@timestamp","fixed_interval":"7m","min_doc_count":1,"format":"epoch_millis"},"aggs":%s}`, sub), func(list []doc) any {
			return histogramTruth(list, func(d doc) []int64 { return []int64{d.T / 420_000 * 420_000} }, func(k int64, in []doc) obj {
				return bucket(in, obj{"key": float64(k), "key_as_string": fmt.Sprint(k)})
			})
		}
	case 3:
		return fmt.Sprintf(`{"histogram":{"field":"n","interval":8,"min_doc_count":1},"aggs":%s}`, sub), func(list []doc) any {
			floor := func(d doc) []int64 {
				if d.N == nil {
					return nil
				}
				return []int64{floor8(*d.N)}
			}
			return histogramTruth(list, floor, func(k int64, in []doc) obj { return bucket(in, obj{"key": float64(k)}) })
		}
	case 4:
		q, test := r.query(1)
		return fmt.Sprintf(`{"filter":%s,"aggs":%s}`, q, sub), func(list []doc) any {
			return bucket(only(list, test), obj{})
		}
	}
	return fmt.Sprintf(`{"missing":{"field":"b"},"aggs":%s}`, sub), func(list []doc) any {
		return bucket(only(list, func(d doc) bool { return d.B == nil }), obj{})
	}
}

func values[T any](v *T) []T {
	if v == nil {
		return nil
	}
	return []T{*v}
}

func group[K comparable](list []doc, keys func(doc) []K) map[K][]doc {
	out := map[K][]doc{}
	for _, d := range list {
		for _, k := range keys(d) {
			out[k] = append(out[k], d)
		}
	}
	return out
}

func termsTruth[K comparable](list []doc, size int, keys func(doc) []K, compare func(a, b K) int, bucket func(K, []doc) obj) any {
	groups := group(list, keys)
	names := slices.SortedFunc(maps.Keys(groups), func(a, b K) int {
		return cmp.Or(cmp.Compare(len(groups[b]), len(groups[a])), compare(a, b))
	})
	buckets, other := []any{}, 0
	for i, k := range names {
		if i >= size {
			other += len(groups[k])
			continue
		}
		buckets = append(buckets, bucket(k, groups[k]))
	}
	return obj{"buckets": buckets, "doc_count_error_upper_bound": 0.0, "sum_other_doc_count": float64(other)}
}

func histogramTruth(list []doc, keys func(doc) []int64, bucket func(int64, []doc) obj) any {
	groups := group(list, keys)
	buckets := []any{}
	for _, k := range slices.Sorted(maps.Keys(groups)) {
		buckets = append(buckets, bucket(k, groups[k]))
	}
	return obj{"buckets": buckets}
}

func (r random) metric() (string, truth) {
	field := r.pick("n", "f")
	read := func(list []doc) []float64 {
		var out []float64
		for _, d := range list {
			switch {
			case field == "f" && d.F != nil:
				out = append(out, *d.F)
			case field == "n" && d.N != nil:
				out = append(out, float64(*d.N))
			}
		}
		slices.Sort(out)
		return out
	}
	ofNone := func(v []float64, x func() float64) any {
		if len(v) == 0 {
			return nil
		}
		return x()
	}
	typ := r.pick("value_count", "min", "max", "sum", "avg", "stats", "cardinality", "percentiles")
	if typ == "cardinality" {
		return `{"cardinality":{"field":"k"}}`, func(list []doc) any {
			return obj{"value": float64(len(group(list, func(d doc) []string { return d.K })))}
		}
	}
	return fmt.Sprintf(`{%q:{"field":%q}}`, typ, field), func(list []doc) any {
		v := read(list)
		total := 0.0
		for _, x := range v {
			total += x
		}
		all := obj{
			"value_count": float64(len(v)), "count": float64(len(v)), "sum": total,
			"min": ofNone(v, func() float64 { return v[0] }), "max": ofNone(v, func() float64 { return v[len(v)-1] }),
			"avg": ofNone(v, func() float64 { return total / float64(len(v)) }),
		}
		switch typ {
		case "stats":
			delete(all, "value_count")
			return all
		case "percentiles":
			out := obj{}
			for _, p := range []float64{1, 5, 25, 50, 75, 95, 99} {
				out[fmt.Sprintf("%.1f", p)] = ofNone(v, func() float64 {
					at := p / 100 * float64(len(v)-1)
					i := int(at)
					return v[i] + (v[min(i+1, len(v)-1)]-v[i])*(at-float64(i))
				})
			}
			return obj{"values": out}
		}
		return obj{"value": all[typ]}
	}
}

// TestRandom compares random queries and nested aggregations with plain loops over the decoded sources. The documents are in
// a segment, in one of another index, and in memory.
func TestRandom(t *testing.T) {
	n := start(t, t.TempDir())
	r := random{rand.New(rand.NewPCG(7, 11))}
	n.must("PUT", "/_index_template/r", `{"index_patterns":["logs-random-*"],"data_stream":{},"template":{"mappings":{"properties":{
		"id":{"type":"keyword"},"k":{"type":"keyword"},"n":{"type":"long"},"f":{"type":"double"},"b":{"type":"boolean"},"w":{"type":"match_only_text"},"g":{"type":"geo_point"}}}}}`)
	var all []doc
	for part := range 3 {
		var b strings.Builder
		for range 400 {
			d := r.doc(len(all))
			raw, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, d)
			fmt.Fprintf(&b, `{"create":{"_id":%q}}`+"\n%s\n", d.ID, raw)
		}
		for _, s := range n.bulk("logs-random-test", b.String()) {
			if s != "201" {
				t.Fatalf("bulk: %s", s)
			}
		}
		if part < 2 {
			n.must("POST", "/logs-random-test/_rollover", "")
		}
	}
	for i := range 300 {
		query, test := r.query(2)
		aggs, below := r.aggs(outermost)
		body := fmt.Sprintf(`{"size":5,"track_total_hits":true,"sort":[{"@timestamp":"desc"}],"query":%s,"aggs":%s}`, query, aggs)
		if i%3 == 0 { // without aggregations segments are visited in another order
			body = fmt.Sprintf(`{"size":5,"track_total_hits":true,"sort":[{"@timestamp":"desc"}],"query":%s}`, query)
		}
		out := n.must("POST", "/logs-random-test/_search", body)
		var matching []doc
		for _, d := range all {
			if test(d) {
				matching = append(matching, d)
			}
		}
		var ids []string
		for _, h := range get(out, "hits/hits").([]any) {
			ids = append(ids, get(h, "_id").(string))
		}
		slices.SortFunc(matching, func(a, b doc) int { return cmp.Compare(b.T, a.T) })
		var want []string
		for _, d := range matching[:min(5, len(matching))] {
			want = append(want, d.ID)
		}
		wantEqual(t, "total of "+body, get(out, "hits/total/value"), any(float64(len(matching))))
		wantEqual(t, "newest of "+body, ids, want)
		if i%3 == 0 {
			continue
		}
		slices.SortFunc(matching, func(a, b doc) int { return strings.Compare(a.ID, b.ID) })
		if d := gocmp.Diff(any(below(matching)), out["aggregations"], cmpopts.EquateApprox(1e-9, 1e-9)); d != "" {
			t.Fatalf("%s (-plain loop +engine):\n%s", body, d)
		}
	}
}
