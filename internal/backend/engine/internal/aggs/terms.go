package aggs

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strings"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/store"
)

type terms struct {
	a                *agg
	v                values
	size             int
	minDocs          int64
	order            []bucketOrder
	include, exclude matchers
	showError        bool
	all              map[key]bool // every value of the indices, for min_doc_count 0
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
			if !ok || v < 0 {
				return nil, within(a, f, eserr.IllegalArgument("[minDocCount] must be greater than or equal to 0. Found [%s] in [%s]", f.Value.Str, a.name))
			}
			if t.minDocs = v; v == 0 {
				t.all = map[key]bool{}
			}
		case "order":
			if t.order, err = parseOrder(a, f.Value); err != nil {
				return nil, within(a, f, err)
			}
		case "include", "exclude":
			m, err := parseMatchers(a, f)
			if err != nil {
				return nil, err
			}
			if f.Name == "include" {
				t.include = m
			} else {
				t.exclude = m
			}
		case "show_term_doc_count_error":
			t.showError, _ = f.Value.Bool()
		case "shard_size", "execution_hint", "collect_mode", "shard_min_doc_count":
			// They steer how shards are merged; here everything is exact.
		default:
			return nil, unknown(a, f)
		}
	}
	if t.order == nil {
		t.order = []bucketOrder{{by: "_count", desc: true}}
	}
	t.order = append(t.order, bucketOrder{by: "_key"})
	if err := t.v.need(a); err != nil {
		return nil, err
	}
	return t, checkOrder(a, t.order)
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
			if o.by = f.Name; o.by != "_count" && o.by != "_key" {
				o.by, o.path = "", f.Name
			}
			out = append(out, o)
		}
	}
	return out, nil
}

// checkOrder refuses paths that do not end in a number.
func checkOrder(a *agg, order []bucketOrder) error {
	for _, o := range order {
		if o.path == "" {
			continue
		}
		name, _, _ := strings.Cut(o.path, ">")
		if !a.subs.has(name) || slices.ContainsFunc(a.subs.pipes, func(p *pipeline) bool { return p.name == o.path }) {
			name, _, _ = strings.Cut(name, ".")
			return eserr.New(400, "aggregation_execution_exception", "Invalid aggregation order path [%s]. The provided aggregation [%s] either does not exist, or is a pipeline aggregation and cannot be used to sort the buckets.", o.path, name)
		}
		if _, ok := a.subs.NewBucket().figure(o.path); !ok {
			return eserr.New(400, "aggregation_execution_exception", "Invalid aggregation order path [%s]. The path must end in a single value of a metric aggregation.", o.path)
		}
	}
	return nil
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
	if err := t.v.prepare(target, r); err != nil || t.all == nil {
		return err
	}
	for doc := range r.Docs {
		if r.Deleted != nil && r.Deleted.Has(doc) {
			continue
		}
		if err := t.v.each(doc, func(k key) error { t.all[k] = t.wanted(k); return nil }); err != nil {
			return err
		}
	}
	return nil
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
	return (t.include == nil || t.include(text)) && (t.exclude == nil || !t.exclude(text))
}

// matchers decide by the text of a key.
type matchers func(string) bool

// parseMatchers reads a list of values or a regular expression that must match a whole value.
func parseMatchers(a *agg, f esjson.Field) (matchers, error) {
	switch f.Value.Kind {
	case esjson.Array:
		values := map[string]bool{}
		for _, it := range f.Value.Items {
			values[it.Str] = true
		}
		return func(s string) bool { return values[s] }, nil
	case esjson.String:
		// These have a meaning in the expressions of Lucene that they do not have here.
		if strings.ContainsAny(f.Value.Str, "~<>&@#\"\\^$") || strings.Contains(f.Value.Str, "(?") {
			return nil, unsupportedIn(a, f)
		}
		re, err := regexp.Compile("^(?s:" + f.Value.Str + ")$")
		if err != nil {
			return nil, within(a, f, eserr.IllegalArgument("%s", err.Error()))
		}
		return re.MatchString, nil
	}
	return nil, eserr.IllegalArgument("[terms] partitions in [%s] are not supported by this engine", f.Name)
}

type keyed struct {
	k key
	b *Bucket
}

func (s *termsState) sorted() []keyed {
	for k, wanted := range s.t.all {
		if wanted && s.buckets[k] == nil {
			s.buckets[k] = s.t.a.subs.NewBucket()
		}
	}
	list := make([]keyed, 0, len(s.buckets))
	for k, b := range s.buckets {
		if b.docs >= s.t.minDocs {
			list = append(list, keyed{k, b})
		}
	}
	slices.SortFunc(list, func(x, y keyed) int {
		return compareBuckets(s.t.order, x.b, y.b, s.t.v.compare(x.k, y.k))
	})
	return list
}

// compareBuckets orders buckets; keys is how their keys compare.
func compareBuckets(order []bucketOrder, x, y *Bucket, keys int) int {
	for _, o := range order {
		var d int
		switch o.by {
		case "_count":
			d = cmp.Compare(x.docs, y.docs)
		case "_key":
			d = keys
		default:
			if d = compareMetric(x, y, o); d != 0 {
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
}

// compareMetric orders by a metric below; buckets without a value come last in both directions.
func compareMetric(x, y *Bucket, o bucketOrder) int {
	a, _ := x.figure(o.path)
	b, _ := y.figure(o.path)
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
	var other int64
	var rows []row
	for i, kb := range s.sorted() {
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
		if s.t.showError {
			m["doc_count_error_upper_bound"] = 0
		}
		rows = append(rows, row{b: kb.b, m: m, key: s.t.v.sortable(kb.k)})
	}
	rows = s.t.a.subs.pipe(rows, typed)
	return map[string]any{"doc_count_error_upper_bound": 0, "sum_other_doc_count": other, "buckets": list(rows)}, nil
}
