package aggs

import (
	"math"
	"slices"
	"strconv"

	"kreislauf/elk/engine/internal/eserr"
	"kreislauf/elk/engine/internal/esjson"
	"kreislauf/elk/engine/internal/hits"
	"kreislauf/elk/engine/internal/query"
	"kreislauf/elk/engine/internal/store"
)

// filters groups by queries: filter (one), filters (named or not) and missing.
type filters struct {
	a       *agg
	names   []string // of a keyed filters
	queries []*query.Query
	single  bool
	bits    []store.Bits // of the prepared segment
}

func parseFilters(a *agg, n *esjson.Node) (impl, error) {
	fs := &filters{a: a, single: a.typ == "filter"}
	if fs.single {
		q, err := query.Parse(n)
		fs.queries = []*query.Query{q}
		return fs, err
	}
	for _, f := range n.Fields {
		if f.Name != "filters" {
			return nil, unknown(a, f)
		}
		for _, it := range f.Value.Items {
			if err := fs.add("", it); err != nil {
				return nil, err
			}
		}
		for _, it := range f.Value.Fields {
			if err := fs.add(it.Name, it.Value); err != nil {
				return nil, err
			}
			fs.names = append(fs.names, it.Name)
		}
	}
	if len(fs.queries) == 0 {
		return nil, eserr.IllegalArgument("[filters] cannot be empty.")
	}
	return fs, nil
}

func (fs *filters) add(_ string, n *esjson.Node) error {
	q, err := query.Parse(n)
	fs.queries = append(fs.queries, q)
	return err
}

func (fs *filters) typedName() string { return fs.a.typ }

func (fs *filters) prepare(t *query.Target, r *store.Reader, _ int) error {
	fs.bits = fs.bits[:0]
	for _, q := range fs.queries {
		m, err := q.Bind(t)
		if err != nil {
			return err
		}
		b, err := m.Match(r)
		if err != nil {
			return err
		}
		fs.bits = append(fs.bits, b)
	}
	return nil
}

func (fs *filters) state() state {
	s := &filtersState{fs: fs}
	for range fs.queries {
		s.buckets = append(s.buckets, fs.a.subs.NewBucket())
	}
	return s
}

type filtersState struct {
	fs      *filters
	buckets []*Bucket
}

func (s *filtersState) collect(doc int) error {
	for i, b := range s.buckets {
		if s.fs.bits[i].Has(doc) {
			if err := b.Collect(doc); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *filtersState) metric(path string) (float64, bool) {
	if s.fs.single && (path == "" || path == "_count" || path == "doc_count") {
		return float64(s.buckets[0].docs), true
	}
	return 0, false
}

func (s *filtersState) result(typed bool) (map[string]any, error) {
	list := make([]any, 0, len(s.buckets))
	named := map[string]any{}
	for i, b := range s.buckets {
		m, err := b.print(typed)
		if err != nil {
			return nil, err
		}
		if s.fs.single {
			return m, nil
		}
		list = append(list, m)
		if s.fs.names != nil {
			named[s.fs.names[i]] = m
		}
	}
	if s.fs.names != nil {
		return map[string]any{"buckets": named}, nil
	}
	return map[string]any{"buckets": list}, nil
}

// missing groups the documents without a value of a field.
type missing struct {
	a *agg
	v values
}

func parseMissing(a *agg, n *esjson.Node) (impl, error) {
	m := &missing{a: a}
	for _, f := range n.Fields {
		if known, err := m.v.option(f); err != nil || !known {
			if err == nil {
				err = unknown(a, f)
			}
			return nil, err
		}
	}
	return m, m.v.need(a)
}

func (m *missing) typedName() string { return "missing" }

func (m *missing) prepare(t *query.Target, r *store.Reader, _ int) error { return m.v.prepare(t, r) }

func (m *missing) state() state { return &missingState{m: m, b: m.a.subs.NewBucket()} }

type missingState struct {
	m *missing
	b *Bucket
}

func (s *missingState) collect(doc int) error {
	if from, to := s.m.v.col.Range(doc); from < to || s.m.v.conv != nil {
		return nil
	}
	return s.b.Collect(doc)
}

func (s *missingState) metric(path string) (float64, bool) { return float64(s.b.docs), path == "" }

func (s *missingState) result(typed bool) (map[string]any, error) { return s.b.print(typed) }

// ranges groups by intervals of numbers: from is included, to is not.
type ranges struct {
	a     *agg
	v     values
	keyed bool
	list  []span
}

type span struct {
	name     string
	from, to float64
}

func parseRange(a *agg, n *esjson.Node) (impl, error) {
	rs := &ranges{a: a}
	for _, f := range n.Fields {
		known, err := rs.v.option(f)
		switch {
		case err != nil:
			return nil, err
		case known:
		case f.Name == "keyed":
			rs.keyed, _ = f.Value.Bool()
		case f.Name == "ranges":
			for _, it := range f.Value.Items {
				sp, err := parseSpan(a, it)
				if err != nil {
					return nil, err
				}
				rs.list = append(rs.list, sp)
			}
		default:
			return nil, unknown(a, f)
		}
	}
	if len(rs.list) == 0 {
		return nil, eserr.IllegalArgument("No [ranges] specified for the [%s] aggregation", a.name)
	}
	slices.SortStableFunc(rs.list, func(x, y span) int {
		switch {
		case x.from < y.from || x.from == y.from && x.to < y.to:
			return -1
		case x == y:
			return 0
		}
		return 1
	})
	return rs, rs.v.need(a)
}

func parseSpan(a *agg, n *esjson.Node) (span, error) {
	sp := span{from: math.Inf(-1), to: math.Inf(1)}
	text := func(f float64) string { return printText(hits.Number(f)) }
	lo, hi := "*", "*"
	for _, f := range n.Fields {
		v, ok := f.Value.Float()
		switch {
		case f.Name == "key":
			sp.name = f.Value.Str
		case f.Name == "from" && ok:
			sp.from, lo = v, text(v)
		case f.Name == "to" && ok:
			sp.to, hi = v, text(v)
		case (f.Name == "from" || f.Name == "to") && f.Value.Kind == esjson.Null:
		default:
			return sp, unknown(a, f)
		}
	}
	if sp.name == "" {
		sp.name = lo + "-" + hi
	}
	return sp, nil
}

func (rs *ranges) typedName() string { return "range" }

func (rs *ranges) prepare(t *query.Target, r *store.Reader, _ int) error {
	if err := rs.v.prepare(t, r); err != nil {
		return err
	}
	return rs.v.mustBeNumeric(rs.a)
}

func (rs *ranges) state() state {
	s := &rangesState{rs: rs}
	for range rs.list {
		s.buckets = append(s.buckets, rs.a.subs.NewBucket())
	}
	return s
}

type rangesState struct {
	noMetric
	rs      *ranges
	buckets []*Bucket
}

func (s *rangesState) collect(doc int) error {
	for i, sp := range s.rs.list {
		in := false
		s.rs.v.numbers(doc, func(x float64) { in = in || x >= sp.from && x < sp.to })
		if in {
			if err := s.buckets[i].Collect(doc); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *rangesState) result(typed bool) (map[string]any, error) {
	list := make([]any, 0, len(s.buckets))
	named := map[string]any{}
	for i, b := range s.buckets {
		m, err := b.print(typed)
		if err != nil {
			return nil, err
		}
		sp := s.rs.list[i]
		for name, x := range map[string]float64{"from": sp.from, "to": sp.to} {
			if !math.IsInf(x, 0) {
				m[name] = hits.Number(x)
			}
		}
		named[sp.name+"#"+strconv.Itoa(i)] = m
		if s.rs.keyed {
			delete(named, sp.name+"#"+strconv.Itoa(i))
			named[sp.name] = m
			continue
		}
		m["key"] = sp.name
		list = append(list, m)
	}
	if s.rs.keyed {
		return map[string]any{"buckets": named}, nil
	}
	return map[string]any{"buckets": list}, nil
}
