package aggs

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/hits"
)

// row is a bucket of an answer. Pipelines read its figures and add to what is printed.
type row struct {
	b      *Bucket
	m      map[string]any
	key    any                // int64, float64 or string, to sort by
	values map[string]float64 // what pipelines have added, by name
}

// pipeline works on the printed buckets of the aggregation it stands in.
type pipeline struct {
	name, typ string
	meta      any
	path      string  // of cumulative_sum
	format    *number // of cumulative_sum; nil prints no text
	sort      []bucketOrder
	from      int
	size      int // -1 is all
}

// isPipeline says whether a type works on buckets instead of documents.
func isPipeline(typ string) bool { return typ == "cumulative_sum" || typ == "bucket_sort" }

func parsePipeline(a *agg, n *esjson.Node) (*pipeline, error) {
	p := &pipeline{name: a.name, typ: a.typ, meta: a.meta, size: -1}
	if len(a.subs.aggs)+len(a.subs.pipes) > 0 {
		return nil, eserr.IllegalArgument("Aggregation [%s] cannot define sub-aggregations", a.name)
	}
	if n.Kind != esjson.Object {
		return nil, n.Errorf("Expected [START_OBJECT] under [%s], but got a [%s] in [%s]", a.typ, n.Token(), a.name)
	}
	for _, f := range n.Fields {
		if err := p.option(a, f); err != nil {
			return nil, err
		}
	}
	if p.typ == "cumulative_sum" && p.path == "" {
		return nil, eserr.IllegalArgument("Required [buckets_path]")
	}
	return p, nil
}

func (p *pipeline) option(a *agg, f esjson.Field) (err error) {
	switch {
	case f.Name == "gap_policy" && p.typ == "bucket_sort":
		if f.Value.Str != "skip" {
			return unsupportedIn(a, f)
		}
	case f.Name == "buckets_path" && p.typ == "cumulative_sum":
		p.path = f.Value.Str
	case f.Name == "format" && p.typ == "cumulative_sum":
		if p.format = parseNumber(f.Value.Str); p.format == nil {
			return unsupportedIn(a, f)
		}
	case f.Name == "size" && p.typ == "bucket_sort":
		v, ok := f.Value.Int()
		if !ok || v < 1 {
			return within(a, f, eserr.IllegalArgument("[size] must be a positive integer: [%s]", f.Value.Str))
		}
		p.size = int(v)
	case f.Name == "from" && p.typ == "bucket_sort":
		v, ok := f.Value.Int()
		if !ok || v < 0 {
			return within(a, f, eserr.IllegalArgument("[from] must be a non-negative integer: [%s]", f.Value.Str))
		}
		p.from = int(v)
	case f.Name == "sort" && p.typ == "bucket_sort":
		p.sort, err = parseBucketSort(f.Value)
		return within(a, f, err)
	default:
		return unknown(a, f)
	}
	return nil
}

func unsupportedIn(a *agg, f esjson.Field) error {
	return eserr.IllegalArgument("[%s] [%s] [%s] is not supported by this engine", a.typ, f.Name, f.Value.Str)
}

// parseBucketSort reads a list of "path", {"path": "desc"} and {"path": {"order": "desc"}}.
func parseBucketSort(n *esjson.Node) ([]bucketOrder, error) {
	items := []*esjson.Node{n}
	if n.Kind == esjson.Array {
		items = n.Items
	}
	var out []bucketOrder
	for _, it := range items {
		if it.Kind == esjson.String {
			out = append(out, bucketOrder{path: it.Str})
			continue
		}
		for _, f := range it.Fields {
			o := bucketOrder{path: f.Name}
			dir := f.Value
			if dir.Kind == esjson.Object {
				dir = dir.Get("order")
			}
			if dir != nil {
				switch strings.ToLower(dir.Str) {
				case "desc":
					o.desc = true
				case "asc":
				default:
					return nil, dir.Errorf("Unknown order direction [%s]", dir.Str)
				}
			}
			out = append(out, o)
		}
	}
	return out, nil
}

// problems are what makes a pipeline impossible where it stands. Parent is "" at the top.
func (p *pipeline) problems(parent string, siblings *Tree) []string {
	var out []string
	exists := func(path string) {
		if name, _, _ := strings.Cut(path, ">"); name != "_count" && name != "_key" && !siblings.has(name) {
			out = append(out, fmt.Sprintf("No aggregation found for path [%s]", path))
		}
	}
	if p.typ == "cumulative_sum" {
		if exists(p.path); len(out) == 0 && parent != "histogram" && parent != "date_histogram" {
			out = append(out, fmt.Sprintf("cumulative_sum aggregation [%s] must have a histogram, date_histogram or auto_date_histogram as parent", p.name))
		}
		return out
	}
	for _, o := range p.sort {
		exists(o.path)
	}
	if !multiBucket(parent) {
		out = append(out, fmt.Sprintf("bucket_sort aggregation [%s] must be declared inside of another aggregation", p.name))
	}
	if p.sort == nil && p.from == 0 && p.size < 0 {
		out = append(out, fmt.Sprintf("[%s] is configured to perform nothing. Please set either of [sort, size, from] to use bucket_sort", p.name))
	}
	return out
}

func multiBucket(typ string) bool {
	return slices.Contains([]string{"terms", "date_histogram", "histogram", "composite", "range", "date_range", "filters", "geotile_grid"}, typ)
}

func (t *Tree) has(name string) bool {
	name, _, _ = strings.Cut(name, ".")
	return slices.ContainsFunc(t.aggs, func(a *agg) bool { return a.name == name || strings.HasPrefix(a.name, name+".") }) ||
		slices.ContainsFunc(t.pipes, func(p *pipeline) bool { return p.name == name })
}

// checkPipes validates the pipelines of a level and of those below.
func (t *Tree) checkPipes(parent string) error {
	var all []string
	for _, p := range t.pipes {
		all = append(all, p.problems(parent, t)...)
	}
	if all != nil {
		return eserr.Validation(all...)
	}
	for _, a := range t.aggs {
		if a.typ == "composite" && parent != "" && parent != "filter" {
			var name strings.Builder
			for word := range strings.SplitSeq(parent, "_") {
				name.WriteString(strings.ToUpper(word[:1]) + word[1:])
			}
			return eserr.IllegalArgument("[composite] aggregation cannot be used with a parent aggregation of type: [%sAggregatorFactory]", name.String())
		}
		if err := a.subs.checkPipes(a.typ); err != nil {
			return err
		}
	}
	return nil
}

// pipe applies the pipelines of a tree to the buckets of the aggregation above it.
func (t *Tree) pipe(rows []row, typed bool) []row {
	for _, typ := range []string{"cumulative_sum", "bucket_sort"} {
		for _, p := range t.pipes {
			switch {
			case p.typ != typ:
			case typ == "cumulative_sum":
				p.accumulate(rows, typed)
			default:
				rows = p.cut(rows)
			}
		}
	}
	return rows
}

func (p *pipeline) accumulate(rows []row, typed bool) {
	sum := 0.0
	for i := range rows {
		if v, ok := rows[i].figure(p.path); ok && !math.IsNaN(v) && !math.IsInf(v, 0) {
			sum += v
		}
		if rows[i].values == nil {
			rows[i].values = map[string]float64{}
		}
		rows[i].values[p.name] = sum
		m := map[string]any{"value": hits.Number(sum)}
		if p.format != nil {
			m["value_as_string"] = p.format.print(sum)
		}
		if p.meta != nil {
			m["meta"] = p.meta
		}
		name := p.name
		if typed {
			name = "simple_value#" + name
		}
		rows[i].m[name] = m
	}
}

// figure is the number that a path names in a bucket.
func (r *row) figure(path string) (float64, bool) {
	switch path {
	case "_count":
		return float64(r.b.docs), true
	case "_key":
		switch k := r.key.(type) {
		case int64:
			return float64(k), true
		case float64:
			return k, true
		}
		return 0, false
	}
	if v, ok := r.values[path]; ok {
		return v, true
	}
	return r.b.figure(path)
}

// figure follows a path such as filter>stats.avg through single buckets.
func (b *Bucket) figure(path string) (float64, bool) {
	first, rest, nested := strings.Cut(path, ">")
	for i, a := range b.tree.aggs {
		if nested {
			if inner, ok := b.states[i].(interface{ single() *Bucket }); ok && a.name == first {
				return inner.single().figure(rest)
			}
			continue
		}
		if a.name == path {
			return b.states[i].metric("")
		}
		if sub, ok := strings.CutPrefix(path, a.name+"."); ok {
			return b.states[i].metric(sub)
		}
	}
	return 0, false
}

// cut sorts the buckets, leaves out those that miss a figure, and takes a part.
func (p *pipeline) cut(rows []row) []row {
	if p.sort != nil {
		rows = slices.DeleteFunc(rows, func(r row) bool {
			for _, o := range p.sort {
				if v, ok := r.figure(o.path); o.path != "_key" && (!ok || math.IsNaN(v) || math.IsInf(v, 0)) {
					return true
				}
			}
			return false
		})
		slices.SortStableFunc(rows, func(x, y row) int {
			for _, o := range p.sort {
				d := 0
				if o.path == "_key" {
					d = compareKeys(x.key, y.key)
				} else {
					a, _ := x.figure(o.path)
					b, _ := y.figure(o.path)
					d = cmp.Compare(a, b)
				}
				if o.desc {
					d = -d
				}
				if d != 0 {
					return d
				}
			}
			return 0
		})
	}
	rows = rows[min(p.from, len(rows)):]
	if p.size >= 0 {
		rows = rows[:min(p.size, len(rows))]
	}
	return rows
}

func compareKeys(a, b any) int {
	switch a := a.(type) {
	case int64:
		if b, ok := b.(int64); ok {
			return cmp.Compare(a, b)
		}
	case float64:
		if b, ok := b.(float64); ok {
			return cmp.Compare(a, b)
		}
	case string:
		if b, ok := b.(string); ok {
			return strings.Compare(a, b)
		}
	}
	return 0
}

// list are the printed buckets.
func list(rows []row) []any {
	out := make([]any, len(rows))
	for i, r := range rows {
		out[i] = r.m
	}
	return out
}
