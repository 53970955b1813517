package aggs

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"kreislauf/internal/backend/engine/internal/dates"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/hits"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/store"
)

// ranges groups by intervals of numbers or of dates: from is included, to is not.
type ranges struct {
	a     *agg
	v     values
	dates bool
	keyed bool
	list  []span
	ready bool // the limits of dates are resolved
}

// span is one interval. The limits of a date_range stand as they were given until the format of the field is known.
type span struct {
	name         string
	from, to     float64
	start, until *esjson.Node
}

func parseRange(a *agg, n *esjson.Node) (impl, error) {
	rs := &ranges{a: a, dates: a.typ == "date_range"}
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
				sp, err := rs.span(it)
				if err != nil {
					line, col := it.Pos()
					return nil, eserr.Within(line, col, a.typ, f.Name, err)
				}
				rs.list = append(rs.list, sp)
			}
		default:
			return nil, unknown(a, f)
		}
	}
	if !rs.dates {
		rs.order()
	}
	return rs, rs.v.need(a)
}

// order sorts the intervals and names those without a key.
func (rs *ranges) order() {
	text := func(x float64) string {
		switch {
		case math.IsInf(x, 0):
			return "*"
		case rs.dates:
			return rs.v.format.Print(int64(x), rs.v.zone)
		case rs.v.digits != nil:
			return rs.v.digits.print(x)
		}
		return printText(hits.Number(x))
	}
	for i := range rs.list {
		if sp := &rs.list[i]; sp.name == "" {
			sp.name = text(sp.from) + "-" + text(sp.to)
		}
	}
	slices.SortStableFunc(rs.list, func(x, y span) int { return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to)) })
	rs.ready = true
}

func (rs *ranges) span(n *esjson.Node) (span, error) {
	sp := span{from: math.Inf(-1), to: math.Inf(1)}
	for _, f := range n.Fields {
		v, ok := f.Value.Float()
		switch {
		case f.Name == "key":
			sp.name = f.Value.Str
		case (f.Name == "from" || f.Name == "to") && f.Value.Kind == esjson.Null:
		case rs.dates && f.Name == "from" && f.Value.IsScalar():
			sp.start = f.Value
		case rs.dates && f.Name == "to" && f.Value.IsScalar():
			sp.until = f.Value
		case f.Name == "from" && ok:
			sp.from = v
		case f.Name == "to" && ok:
			sp.to = v
		default:
			return sp, unknown(rs.a, f)
		}
	}
	return sp, nil
}

func (rs *ranges) typedName() string { return rs.a.typ }

func (rs *ranges) prepare(t *query.Target, r *store.Reader, _ int) error {
	if len(rs.list) == 0 {
		return eserr.IllegalArgument("No [ranges] specified for the [%s] aggregation", rs.a.name)
	}
	if err := rs.v.prepare(t, r); err != nil {
		return err
	}
	if !rs.dates {
		return rs.v.mustBeNumeric(rs.a)
	}
	if rs.v.typ != "" && rs.v.typ != mapping.Date {
		return eserr.IllegalArgument("Field [%s] of type [%s] is not supported for aggregation [date_range]", rs.v.field, rs.v.typ)
	}
	if rs.ready {
		return nil
	}
	if rs.v.format == nil {
		rs.v.format = dates.MustDefault()
	}
	for i := range rs.list {
		sp := &rs.list[i]
		for _, l := range []struct {
			n  *esjson.Node
			to *float64
		}{{sp.start, &sp.from}, {sp.until, &sp.to}} {
			if l.n == nil {
				continue
			}
			if ms, ok := l.n.Int(); ok && l.n.Kind == esjson.Number {
				*l.to = float64(ms)
				continue
			}
			ms, err := rs.v.format.Resolve(l.n.Str, t.Now, rs.v.zone, false)
			if err != nil {
				return eserr.New(400, "parse_exception", "%s", err.Error())
			}
			*l.to = float64(ms)
		}
	}
	rs.order()
	return nil
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
	var rows []row
	for i, b := range s.buckets {
		m, err := b.print(typed)
		if err != nil {
			return nil, err
		}
		sp := s.rs.list[i]
		s.rs.limit(m, "from", sp.from)
		s.rs.limit(m, "to", sp.to)
		if !s.rs.keyed {
			m["key"] = sp.name
		}
		rows = append(rows, row{b: b, m: m, key: sp.name})
	}
	rows = s.rs.a.subs.pipe(rows, typed)
	if !s.rs.keyed {
		return map[string]any{"buckets": list(rows)}, nil
	}
	named := map[string]any{}
	for _, r := range rows {
		named[fmt.Sprint(r.key)] = r.m
	}
	return map[string]any{"buckets": named}, nil
}

func (rs *ranges) limit(m map[string]any, name string, x float64) {
	switch {
	case math.IsInf(x, 0):
		return
	case rs.dates:
		m[name+"_as_string"] = rs.v.format.Print(int64(x), rs.v.zone)
	case rs.v.digits != nil:
		m[name+"_as_string"] = rs.v.digits.print(x)
	}
	m[name] = hits.Number(x)
}
