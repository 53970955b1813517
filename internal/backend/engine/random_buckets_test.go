package engine_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// point is a place, at whole and half degrees and a little more, so that tiles are shared.
type point struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

func (r random) point() *point {
	return &point{Lat: float64(r.IntN(300))/2 - 74.9, Lon: float64(r.IntN(700))/2 - 174.9}
}

func only(list []doc, test func(doc) bool) []doc {
	return slices.DeleteFunc(slices.Clone(list), func(d doc) bool { return !test(d) })
}

func sumN(list []doc) float64 {
	total := 0.0
	for _, d := range list {
		if d.N != nil {
			total += float64(*d.N)
		}
	}
	return total
}

func floor8(n int64) int64 { return int64(math.Floor(float64(n)/8)) * 8 }

// bucketOf completes the members of a bucket with its count and the aggregations below it.
type bucketOf func([]doc, obj) obj

func (r random) dateRange(sub string, bucket bucketOf) (string, truth) {
	a, b := 1_767_600_000_000+r.Int64N(600*61_000), 1_767_600_000_000+r.Int64N(1200*61_000)
	body := fmt.Sprintf(`{"date_range":{"field":"@timestamp","format":"epoch_millis","ranges":[{"key":"old","to":%d},{"key":"mid","from":%d,"to":%d},{"key":"new","from":%d}]},"aggs":%s}`, b, a, a+5_000_000, a+5_000_000, sub)
	return body, func(list []doc) any {
		part := func(key string, from, to int64) obj {
			m := obj{"key": key}
			if from > 0 {
				m["from"], m["from_as_string"] = float64(from), fmt.Sprint(from)
			}
			if to < math.MaxInt64 {
				m["to"], m["to_as_string"] = float64(to), fmt.Sprint(to)
			}
			return bucket(only(list, func(d doc) bool { return d.T >= from && d.T < to }), m)
		}
		return obj{"buckets": []any{part("old", 0, b), part("mid", a, a+5_000_000), part("new", a+5_000_000, math.MaxInt64)}}
	}
}

func (r random) geotile(sub string, bucket bucketOf) (string, truth) {
	z := 1 + r.IntN(7)
	type tile struct{ x, y int }
	tiles := math.Exp2(float64(z))
	of := func(d doc) []tile {
		if d.G == nil {
			return nil
		}
		y := (1 - math.Asinh(math.Tan(d.G.Lat*math.Pi/180))/math.Pi) / 2
		return []tile{{int((d.G.Lon + 180) / 360 * tiles), int(y * tiles)}}
	}
	return fmt.Sprintf(`{"geotile_grid":{"field":"g","precision":%d,"size":6},"aggs":%s}`, z, sub), func(list []doc) any {
		groups := group(list, of)
		keys := slices.SortedFunc(maps.Keys(groups), func(a, b tile) int {
			return cmp.Or(cmp.Compare(len(groups[b]), len(groups[a])), cmp.Compare(b.x, a.x), cmp.Compare(b.y, a.y))
		})
		buckets := []any{}
		for _, k := range keys[:min(6, len(keys))] {
			buckets = append(buckets, bucket(groups[k], obj{"key": fmt.Sprintf("%d/%d/%d", z, k.x, k.y)}))
		}
		return obj{"buckets": buckets}
	}
}

// cumulative has the empty buckets too, and sums of counts and of a metric.
func cumulative() (string, truth) {
	body := `{"histogram":{"field":"n","interval":8},"aggs":{"s":{"sum":{"field":"n"}},"docs":{"cumulative_sum":{"buckets_path":"_count"}},"sums":{"cumulative_sum":{"buckets_path":"s"}}}}`
	return body, func(list []doc) any {
		groups := group(list, func(d doc) []int64 {
			if d.N == nil {
				return nil
			}
			return []int64{floor8(*d.N)}
		})
		buckets := []any{}
		if len(groups) == 0 {
			return obj{"buckets": buckets}
		}
		keys := slices.Sorted(maps.Keys(groups))
		docs, sums := 0.0, 0.0
		for k := keys[0]; k <= keys[len(keys)-1]; k += 8 {
			in := groups[k]
			docs, sums = docs+float64(len(in)), sums+sumN(in)
			buckets = append(buckets, obj{
				"key": float64(k), "doc_count": float64(len(in)), "s": obj{"value": sumN(in)}, "docs": obj{"value": docs}, "sums": obj{"value": sums},
			})
		}
		return obj{"buckets": buckets}
	}
}

func (r random) bucketSort() (string, truth) {
	from, size := r.IntN(3), 1+r.IntN(5)
	body := fmt.Sprintf(`{"terms":{"field":"n","size":12},"aggs":{"s":{"sum":{"field":"n"}},"cut":{"bucket_sort":{"sort":[{"s":{"order":"desc"}},{"_key":{"order":"asc"}}],"from":%d,"size":%d}}}}`, from, size)
	return body, func(list []doc) any {
		m := termsTruth(list, 12, func(d doc) []int64 { return values(d.N) }, cmp.Compare[int64], func(k int64, in []doc) obj {
			return obj{"key": float64(k), "doc_count": float64(len(in)), "s": obj{"value": sumN(in)}}
		}).(obj)
		buckets := m["buckets"].([]any)
		sum := func(b any) float64 { return get(b, "s/value").(float64) }
		slices.SortFunc(buckets, func(a, b any) int {
			return cmp.Or(cmp.Compare(sum(b), sum(a)), cmp.Compare(get(a, "key").(float64), get(b, "key").(float64)))
		})
		buckets = buckets[min(from, len(buckets)):]
		m["buckets"] = buckets[:min(size, len(buckets))]
		return m
	}
}

func (r random) filters(sub string, bucket bucketOf) (string, truth) {
	q1, test1 := r.query(1)
	q2, test2 := r.query(1)
	return fmt.Sprintf(`{"filters":{"other_bucket_key":"rest","filters":{"x":%s,"y":%s}},"aggs":%s}`, q1, q2, sub), func(list []doc) any {
		return obj{"buckets": obj{
			"x": bucket(only(list, test1), obj{}), "y": bucket(only(list, test2), obj{}),
			"rest": bucket(only(list, func(d doc) bool { return !test1(d) && !test2(d) }), obj{}),
		}}
	}
}

// composite pages through three sources, of which the first may be missing.
func (r random) composite(sub string, bucket bucketOf) (string, truth) {
	type keys struct {
		k string // "" is missing
		n int64
		b bool
	}
	order := func(x, y keys) int {
		d := cmp.Or(cmp.Compare(x.k, y.k), cmp.Compare(y.n, x.n))
		if d == 0 && x.b != y.b {
			if d = 1; y.b {
				d = -1
			}
		}
		return d
	}
	after, more := "", keys{r.pick("a", "ab", "b"), 8 * r.Int64N(4), r.IntN(2) == 0}
	skip := r.IntN(2) == 0
	if skip {
		after = fmt.Sprintf(`"after":{"k":%q,"n":%d,"b":%t},`, more.k, more.n, more.b)
	}
	size := 1 + r.IntN(20)
	body := fmt.Sprintf(`{"composite":{"size":%d,%s"sources":[{"k":{"terms":{"field":"k","missing_bucket":true}}},{"n":{"histogram":{"field":"n","interval":8,"order":"desc"}}},{"b":{"terms":{"field":"b"}}}]},"aggs":%s}`, size, after, sub)
	return body, func(list []doc) any {
		groups := group(list, func(d doc) []keys {
			if d.N == nil || d.B == nil {
				return nil
			}
			var out []keys
			for _, k := range d.K {
				out = append(out, keys{k, floor8(*d.N), *d.B})
			}
			if d.K == nil {
				out = append(out, keys{"", floor8(*d.N), *d.B})
			}
			return out
		})
		out, buckets := obj{}, []any{}
		for _, k := range slices.SortedFunc(maps.Keys(groups), order) {
			if len(buckets) == size || skip && order(k, more) <= 0 {
				continue
			}
			key := obj{"k": k.k, "n": float64(k.n), "b": k.b}
			if k.k == "" {
				key["k"] = nil
			}
			out["after_key"] = key
			buckets = append(buckets, bucket(groups[k], obj{"key": key}))
		}
		out["buckets"] = buckets
		return out
	}
}
