package aggs

import (
	"slices"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/store"
)

// filters groups by queries: filter (one), filters (named or not) and missing.
type filters struct {
	a       *agg
	names   []string // of a keyed filters
	queries []*query.Query
	single  bool
	other   string       // key of the bucket for what no filter matches; "" is none
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
		switch f.Name {
		case "filters":
		case "other_bucket":
			on, ok := f.Value.Bool()
			if !ok {
				return nil, unknown(a, f)
			}
			if on && fs.other == "" {
				fs.other = "_other_"
			} else if !on {
				fs.other = ""
			}
			continue
		case "other_bucket_key":
			fs.other = f.Value.Str
			continue
		default:
			return nil, f.Value.Errorf("Unknown key for a %s in [%s]: [%s].", f.Value.Token(), a.name, f.Name)
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
	if fs.other != "" {
		s.rest = fs.a.subs.NewBucket()
	}
	return s
}

// single is the bucket of a filter, for paths that go through it.
func (s *filtersState) single() *Bucket { return s.buckets[0] }

type filtersState struct {
	fs      *filters
	buckets []*Bucket
	rest    *Bucket // nil without other_bucket
}

func (s *filtersState) collect(doc int) error {
	matched := false
	for i, b := range s.buckets {
		if s.fs.bits[i].Has(doc) {
			matched = true
			if err := b.Collect(doc); err != nil {
				return err
			}
		}
	}
	if s.rest != nil && !matched {
		return s.rest.Collect(doc)
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
	buckets, names := s.buckets, s.fs.names
	if s.rest != nil {
		buckets = append(slices.Clone(buckets), s.rest)
		if names != nil {
			names = append(slices.Clone(names), s.fs.other)
		}
	}
	var rows []row
	for i, b := range buckets {
		m, err := b.print(typed)
		if err != nil {
			return nil, err
		}
		if s.fs.single {
			return m, nil
		}
		r := row{b: b, m: m}
		if names != nil {
			r.key = names[i]
		}
		rows = append(rows, r)
	}
	rows = s.fs.a.subs.pipe(rows, typed)
	if names == nil {
		return map[string]any{"buckets": list(rows)}, nil
	}
	named := map[string]any{}
	for _, r := range rows {
		named[r.key.(string)] = r.m
	}
	return map[string]any{"buckets": named}, nil
}

// missing groups the documents without a value of a field.
type missing struct {
	a *agg
	v values
}

func parseMissing(a *agg, n *esjson.Node) (impl, error) {
	m := &missing{a: a}
	m.v.points = true
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

// single is the bucket, for paths that go through it.
func (s *missingState) single() *Bucket { return s.b }

func (s *missingState) metric(path string) (float64, bool) { return float64(s.b.docs), path == "" }

func (s *missingState) result(typed bool) (map[string]any, error) { return s.b.print(typed) }
