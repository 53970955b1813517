package aggs

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/dates"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/hits"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/store"
)

// composite walks all combinations of its sources' values in order, a page at a time.
type composite struct {
	a       *agg
	size    int
	sources []*source
	after   *esjson.Node
}

// source is one dimension: terms or date_histogram.
type source struct {
	name     string
	v        values
	desc     bool
	last     bool            // missing_order: last; null sorts last whatever the direction
	first    bool            // missing_order: first
	width    float64         // of a histogram
	missing  bool            // missing_bucket: documents without a value have the key null, which sorts first
	interval *dates.Interval // of a date_histogram
	format   bool            // the key is printed as text
	after    part
}

// part is one component of a composite key.
type part struct {
	key
	null bool
}

func parseComposite(a *agg, n *esjson.Node) (impl, error) {
	c := &composite{a: a, size: 10}
	for _, f := range n.Fields {
		switch f.Name {
		case "size":
			v, ok := f.Value.Int()
			if !ok || v < 1 || v > MaxBuckets {
				return nil, eserr.IllegalArgument("[size] must be greater than 0 and at most %d. Found [%s] in [%s]", MaxBuckets, f.Value.Str, a.name)
			}
			c.size = int(v)
		case "after":
			c.after = f.Value
		case "sources":
			for _, it := range f.Value.Items {
				s, err := parseSource(a, it)
				if err != nil {
					return nil, err
				}
				c.sources = append(c.sources, s)
			}
		default:
			return nil, unknown(a, f)
		}
	}
	if n.Get("sources") == nil {
		return nil, eserr.IllegalArgument("Required [sources]")
	}
	if len(c.sources) == 0 {
		return nil, eserr.IllegalArgument("Composite [%s] cannot be null or empty", "sources")
	}
	for i, s := range c.sources {
		if slices.ContainsFunc(c.sources[:i], func(o *source) bool { return o.name == s.name }) {
			return nil, eserr.IllegalArgument("Composite source names must be unique, found duplicates: [%s]", s.name)
		}
	}
	if c.after != nil && len(c.after.Fields) != len(c.sources) {
		return nil, eserr.IllegalArgument("[after] has %d value(s) but [sources] has %d", len(c.after.Fields), len(c.sources))
	}
	return c, nil
}

func parseSource(a *agg, n *esjson.Node) (*source, error) {
	if n.Kind != esjson.Object || len(n.Fields) != 1 || len(n.Fields[0].Value.Fields) != 1 {
		return nil, n.Errorf("Invalid source in [composite]: one name with one type expected")
	}
	s := &source{name: n.Fields[0].Name}
	body := n.Fields[0].Value.Fields[0]
	if body.Name != "terms" && body.Name != "date_histogram" && body.Name != "histogram" {
		e := body.Value.Errorf("invalid source type: %s", body.Name)
		line, col := body.Value.Pos()
		return nil, eserr.Within(line, col, a.typ, "sources", e)
	}
	for _, f := range body.Value.Fields {
		var err error
		switch {
		case f.Name == "order":
			s.desc = strings.EqualFold(f.Value.Str, "desc")
		case f.Name == "missing_bucket":
			s.missing, _ = f.Value.Bool()
		case f.Name == "fixed_interval" && body.Name == "date_histogram":
			var iv dates.Interval
			iv, err = dates.ParseFixed(f.Value.Str)
			s.interval = &iv
		case f.Name == "calendar_interval" && body.Name == "date_histogram":
			var iv dates.Interval
			iv, err = dates.ParseCalendar(f.Value.Str)
			s.interval = &iv
		case f.Name == "missing_order":
			switch strings.ToLower(f.Value.Str) {
			case "first":
				s.first = true
			case "last":
				s.last = true
			case "default":
			default:
				err = eserr.IllegalArgument("No enum constant org.elasticsearch.search.aggregations.bucket.missing.MissingOrder.%s", strings.ToUpper(f.Value.Str))
			}
		case f.Name == "interval" && body.Name == "histogram":
			if s.width, _ = f.Value.Float(); s.width <= 0 {
				err = eserr.IllegalArgument("[interval] must be greater than 0 for [histogram] source")
			}
		case f.Name == "missing":
			err = unknown(a, f)
		default:
			var known bool
			s.format = s.format || f.Name == "format"
			if known, err = s.v.option(f); err == nil && !known {
				err = unknown(a, f)
			}
		}
		if err != nil {
			return nil, eserr.IllegalArgument("%s", eserr.From(err).Reason)
		}
	}
	if body.Name == "date_histogram" && s.interval == nil {
		return nil, eserr.IllegalArgument("Invalid interval specified, must be non-null and non-empty")
	}
	if body.Name == "histogram" && s.width <= 0 {
		return nil, eserr.IllegalArgument("[interval] must be greater than 0 for [histogram] source")
	}
	return s, s.v.need(a)
}

func (c *composite) typedName() string { return "composite" }

func (c *composite) prepare(t *query.Target, r *store.Reader, _ int) error {
	for _, s := range c.sources {
		if err := s.v.prepare(t, r); err != nil {
			return err
		}
		if s.width > 0 {
			if err := s.v.mustBeNumeric(c.a); err != nil {
				return err
			}
		}
		if s.interval != nil && s.v.typ != "" && s.v.typ != mapping.Date {
			return eserr.IllegalArgument("invalid source, expected date but got [%s] for [%s]", s.v.typ, s.name)
		}
		if c.after == nil {
			continue
		}
		n := c.after.Get(s.name)
		if n == nil {
			return eserr.IllegalArgument("Missing value for [after.%s]", s.name)
		}
		s.after = part{null: n.Kind == esjson.Null}
		if !s.after.null {
			k, err := s.v.parseKey(n)
			if s.width > 0 {
				f, ok := n.Float()
				if err = nil; !ok {
					err = eserr.IllegalArgument("Invalid value [%s] for field [%s]", n.Str, s.v.field)
				}
				k = key{n: int64(math.Float64bits(f))}
			}
			if err != nil {
				return err
			}
			s.after.key = k
		}
	}
	return nil
}

func (c *composite) state() state {
	return &compositeState{c: c, buckets: map[string]*compositeBucket{}}
}

type compositeBucket struct {
	parts []part
	*Bucket
}

// compositeState keeps at least the first size buckets; when it holds many more it forgets the highest ones,
// which can never come back into the page.
type compositeState struct {
	noMetric
	c       *composite
	buckets map[string]*compositeBucket
	highest []part // nil, or the last key of a full page: what is above is ignored
}

func (s *compositeState) collect(doc int) error {
	return s.walk(doc, 0, make([]part, len(s.c.sources)))
}

func (s *compositeState) walk(doc, i int, parts []part) error {
	if i == len(parts) {
		return s.add(doc, parts)
	}
	src := s.c.sources[i]
	if from, to := src.v.col.Range(doc); from == to {
		if !src.missing {
			return nil
		}
		parts[i] = part{null: true}
		return s.walk(doc, i+1, parts)
	}
	return src.v.each(doc, func(k key) error {
		if src.width > 0 {
			k.n = int64(math.Float64bits(math.Floor(src.v.number(k)/src.width) * src.width))
		}
		if src.interval != nil {
			k.n = src.interval.Floor(k.n, src.v.zone)
		}
		parts[i] = part{key: k}
		return s.walk(doc, i+1, parts)
	})
}

func (s *compositeState) add(doc int, parts []part) error {
	if s.c.after != nil {
		after := make([]part, len(parts))
		for i, src := range s.c.sources {
			after[i] = src.after
		}
		if s.c.compare(parts, after) <= 0 {
			return nil
		}
	}
	if s.highest != nil && s.c.compare(parts, s.highest) > 0 {
		return nil
	}
	id := identity(parts)
	b := s.buckets[id]
	if b == nil {
		b = &compositeBucket{slices.Clone(parts), s.c.a.subs.NewBucket()}
		s.buckets[id] = b
		if len(s.buckets) > 2*s.c.size+1000 {
			for _, drop := range s.sorted()[s.c.size:] {
				delete(s.buckets, identity(drop.parts))
			}
			s.highest = s.sorted()[s.c.size-1].parts
			if s.buckets[id] == nil {
				return nil
			}
		}
	}
	return b.Collect(doc)
}

func identity(parts []part) string {
	var b []byte
	for _, p := range parts {
		if p.null {
			b = append(b, 0)
			continue
		}
		b = append(b, 1)
		for i := range 8 {
			b = append(b, byte(p.n>>(8*i)))
		}
		b = append(b, byte(len(p.s)), byte(len(p.s)>>8))
		b = append(b, p.s...)
	}
	return string(b)
}

func (c *composite) compare(a, b []part) int {
	for i, src := range c.sources {
		d := 0
		switch {
		case a[i].null && b[i].null:
		case a[i].null:
			d = -1
		case b[i].null:
			d = 1
		case src.width > 0:
			d = cmp.Compare(math.Float64frombits(uint64(a[i].n)), math.Float64frombits(uint64(b[i].n)))
		default:
			d = src.v.compare(a[i].key, b[i].key)
		}
		switch null := a[i].null != b[i].null; {
		case null && src.last:
			d = -d
		case null && src.first:
		case src.desc:
			d = -d
		}
		if d != 0 {
			return d
		}
	}
	return 0
}

func (s *compositeState) sorted() []*compositeBucket {
	list := make([]*compositeBucket, 0, len(s.buckets))
	for _, b := range s.buckets {
		list = append(list, b)
	}
	slices.SortFunc(list, func(x, y *compositeBucket) int { return s.c.compare(x.parts, y.parts) })
	return list
}

func (s *compositeState) result(typed bool) (map[string]any, error) {
	sorted := s.sorted()
	sorted = sorted[:min(len(sorted), s.c.size)]
	out := map[string]any{}
	var rows []row
	for _, b := range sorted {
		m, err := b.print(typed)
		if err != nil {
			return nil, err
		}
		k := map[string]any{}
		for i, src := range s.c.sources {
			k[src.name] = src.print(b.parts[i])
		}
		m["key"] = k
		out["after_key"] = k
		rows = append(rows, row{b: b.Bucket, m: m})
	}
	out["buckets"] = list(s.c.a.subs.pipe(rows, typed))
	return out, nil
}

func (s *source) print(p part) any {
	switch {
	case p.null:
		return nil
	case s.width > 0:
		return hits.Number(math.Float64frombits(uint64(p.n)))
	case s.v.typ == mapping.Boolean:
		return p.n != 0
	case s.v.kind == column.Int && s.format && s.v.format != nil:
		return s.v.format.Print(p.n, s.v.zone)
	}
	return s.v.print(p.key)
}
