package aggs

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"kreislauf/elk/engine/internal/column"
	"kreislauf/elk/engine/internal/eserr"
	"kreislauf/elk/engine/internal/esjson"
	"kreislauf/elk/engine/internal/query"
	"kreislauf/elk/engine/internal/store"
)

type terms struct {
	a                *agg
	v                values
	size             int
	minDocs          int64
	order            []bucketOrder
	include, exclude []string
	groups           groups
}

// bucketOrder is one criterion: _count, _key or a metric below the bucket.
type bucketOrder struct {
	by, path string
	desc     bool
}

func parseTerms(a *agg, n *esjson.Node) (impl, error) {
	t := &terms{a: a, size: 10, minDocs: 1}
	for _, f := range n.Fields {
		known, err := t.v.option(f)
		if err != nil {
			return nil, err
		}
		if known {
			continue
		}
		switch f.Name {
		case "size":
			v, ok := f.Value.Int()
			if !ok || v < 1 {
				return nil, within(a, f, eserr.IllegalArgument("[size] must be greater than 0. Found [%s] in [%s]", f.Value.Str, a.name))
			}
			t.size = int(v)
		case "min_doc_count":
			v, ok := f.Value.Int()
			if !ok || v < 1 {
				return nil, eserr.IllegalArgument("[min_doc_count] must be at least 1 here. Found [%s] in [%s]", f.Value.Str, a.name)
			}
			t.minDocs = v
		case "order":
			if t.order, err = parseOrder(a, f.Value); err != nil {
				return nil, err
			}
		case "include", "exclude":
			if f.Value.Kind != esjson.Array {
				return nil, f.Value.Errorf("[terms] only a list of values is supported in [%s] here", f.Name)
			}
			for _, it := range f.Value.Items {
				if f.Name == "include" {
					t.include = append(t.include, it.Str)
				} else {
					t.exclude = append(t.exclude, it.Str)
				}
			}
		case "shard_size", "show_term_doc_count_error", "execution_hint", "collect_mode", "shard_min_doc_count":
			// They steer how shards are merged; here everything is exact.
		default:
			return nil, unknown(a, f)
		}
	}
	if t.order == nil {
		t.order = []bucketOrder{{by: "_count", desc: true}}
	}
	t.order = append(t.order, bucketOrder{by: "_key"})
	return t, t.v.need(a)
}

func parseOrder(a *agg, n *esjson.Node) ([]bucketOrder, error) {
	items := []*esjson.Node{n}
	if n.Kind == esjson.Array {
		items = n.Items
	}
	var out []bucketOrder
	for _, it := range items {
		for _, f := range it.Fields {
			o := bucketOrder{desc: strings.EqualFold(f.Value.Str, "desc")}
			if !o.desc && !strings.EqualFold(f.Value.Str, "asc") {
				return nil, f.Value.Errorf("Unknown order direction [%s]", f.Value.Str)
			}
			o.by, o.path, _ = strings.Cut(f.Name, ".")
			if o.by != "_count" && o.by != "_key" {
				if err := checkOrder(a, f.Name, &o); err != nil {
					return nil, err
				}
			}
			out = append(out, o)
		}
	}
	return out, nil
}

func checkOrder(a *agg, name string, o *bucketOrder) error {
	for _, sub := range a.subs.aggs {
		// A name may itself contain dots.
		if sub.name == name || strings.HasPrefix(name, sub.name+".") {
			o.by, o.path = sub.name, strings.TrimPrefix(strings.TrimPrefix(name, sub.name), ".")
			if _, ok := sub.impl.state().metric(o.path); ok {
				return nil
			}
			return eserr.New(400, "aggregation_execution_exception", "Invalid aggregation order path [%s]. The path must end in a single value of a metric aggregation.", name)
		}
	}
	return eserr.New(400, "aggregation_execution_exception", "Invalid aggregation order path [%s]. The provided aggregation [%s] either does not exist, or is a pipeline aggregation and cannot be used to sort the buckets.", name, o.by)
}

func (t *terms) typedName() string {
	switch {
	case t.v.typ != "" && t.v.kind == column.Int:
		return "lterms"
	case t.v.kind == column.Float:
		return "dterms"
	}
	return "sterms"
}

func (t *terms) prepare(target *query.Target, r *store.Reader, _ int) error {
	return t.v.prepare(target, r)
}

func (t *terms) state() state { return &termsState{t: t, buckets: map[key]*Bucket{}} }

type termsState struct {
	noMetric
	t       *terms
	buckets map[key]*Bucket
}

func (s *termsState) collect(doc int) error {
	return s.t.v.each(doc, func(k key) error {
		b := s.bucket(k)
		if b == nil {
			return nil
		}
		return b.Collect(doc)
	})
}

// bucket returns that of a key, or nil if it is not wanted.
func (s *termsState) bucket(k key) *Bucket {
	b := s.buckets[k]
	if b == nil && s.t.wanted(k) {
		// Only the largest are printed, so they count against the limit when printed.
		b = s.t.a.subs.NewBucket()
		s.buckets[k] = b
	}
	return b
}

func (t *terms) wanted(k key) bool {
	if t.include == nil && t.exclude == nil {
		return true
	}
	text, ok := t.v.asString(k)
	if !ok {
		text = printText(t.v.print(k))
	}
	return (t.include == nil || slices.Contains(t.include, text)) && !slices.Contains(t.exclude, text)
}

type keyed struct {
	k key
	b *Bucket
}

func (s *termsState) sorted() []keyed {
	list := make([]keyed, 0, len(s.buckets))
	for k, b := range s.buckets {
		if b.docs >= s.t.minDocs {
			list = append(list, keyed{k, b})
		}
	}
	slices.SortFunc(list, func(x, y keyed) int {
		for _, o := range s.t.order {
			var d int
			switch o.by {
			case "_count":
				d = cmp.Compare(x.b.docs, y.b.docs)
			case "_key":
				d = s.t.v.compare(x.k, y.k)
			default:
				d = compareMetric(x.b, y.b, o)
				if d != 0 {
					return d
				}
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
	return list
}

// compareMetric orders by a metric below; buckets without a value come last in both directions.
func compareMetric(x, y *Bucket, o bucketOrder) int {
	a, _ := x.metric(o.by, o.path)
	b, _ := y.metric(o.by, o.path)
	switch na, nb := math.IsNaN(a), math.IsNaN(b); {
	case na && nb:
		return 0
	case na:
		return 1
	case nb:
		return -1
	case o.desc:
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}

func (s *termsState) result(typed bool) (map[string]any, error) {
	list := s.sorted()
	var other int64
	buckets := []any{}
	for i, kb := range list {
		if i >= s.t.size {
			other += kb.b.docs
			continue
		}
		m, err := kb.b.print(typed)
		if err != nil {
			return nil, err
		}
		if *s.t.a.subs.limit--; *s.t.a.subs.limit < 0 {
			_, err := s.t.a.subs.newBucket()
			return nil, err
		}
		m["key"] = s.t.v.print(kb.k)
		if text, ok := s.t.v.asString(kb.k); ok {
			m["key_as_string"] = text
		}
		buckets = append(buckets, m)
	}
	return map[string]any{"doc_count_error_upper_bound": 0, "sum_other_doc_count": other, "buckets": buckets}, nil
}
