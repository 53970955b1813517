package aggs

import (
	"math"
	"slices"
	"strconv"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/hits"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/store"
)

// metric computes one or a few numbers from the values of a field.
type metric struct {
	a        *agg
	v        values
	percents []float64
	list     bool // percentiles with keyed: false
}

func parseMetric(a *agg, n *esjson.Node) (impl, error) {
	if len(a.subs.aggs)+len(a.subs.pipes) > 0 {
		return nil, eserr.New(400, "aggregation_initialization_exception", "Aggregator [%s] of type [%s] cannot accept sub-aggregations", a.name, a.typ)
	}
	m := &metric{a: a, percents: []float64{1, 5, 25, 50, 75, 95, 99}}
	for _, f := range n.Fields {
		known, err := m.v.option(f)
		if err != nil {
			return nil, err
		}
		switch {
		case known:
		case f.Name == "precision_threshold" && a.typ == "cardinality":
			if v, ok := f.Value.Int(); !ok || v < 0 {
				return nil, within(a, f, eserr.IllegalArgument("[precisionThreshold] must be greater than or equal to 0. Found [%s] in [%s]", f.Value.Str, a.name))
			}
		case a.typ == "percentiles" && f.Name == "keyed":
			keyed, ok := f.Value.Bool()
			if !ok {
				return nil, f.Value.Contentf("[percentiles] failed to parse field [keyed]")
			}
			m.list = !keyed
		case a.typ == "percentiles" && f.Name == "percents":
			m.percents = nil
			for _, it := range f.Value.Items {
				p, ok := it.Float()
				if !ok || p < 0 || p > 100 {
					return nil, eserr.IllegalArgument("percent must be in [0,100], got [%s]: [%s]", it.Str, a.name)
				}
				m.percents = append(m.percents, p)
			}
			if len(m.percents) == 0 {
				return nil, eserr.IllegalArgument("[percents] must not be empty: [%s]", a.name)
			}
			slices.Sort(m.percents)
		case a.typ == "percentiles" && (f.Name == "tdigest" || f.Name == "hdr"):
			// Both tune an approximation; the exact result is within what they promise.
		default:
			return nil, unknown(a, f)
		}
	}
	m.v.points = a.typ == "value_count"
	return m, m.v.need(a)
}

func (m *metric) typedName() string {
	if m.a.typ == "percentiles" {
		return "tdigest_percentiles"
	}
	return m.a.typ
}

func (m *metric) prepare(t *query.Target, r *store.Reader, _ int) error {
	if err := m.v.prepare(t, r); err != nil {
		return err
	}
	if m.a.typ == "cardinality" || m.a.typ == "value_count" {
		return nil
	}
	return m.v.mustBeNumeric(m.a)
}

func (m *metric) state() state {
	s := &metricState{m: m, min: math.Inf(1), max: math.Inf(-1)}
	if m.a.typ == "cardinality" {
		s.distinct = map[key]struct{}{}
	}
	return s
}

type metricState struct {
	m        *metric
	count    int64
	sum, err float64 // Kahan sum and its compensation
	min, max float64
	distinct map[key]struct{}
	all      []float64
	settled  []float64 // the percentiles of all
	printed  map[string]any
}

func (s *metricState) collect(doc int) error {
	v := &s.m.v
	switch s.m.a.typ {
	case "cardinality":
		return v.each(doc, func(k key) error { s.distinct[k] = struct{}{}; return nil })
	case "value_count":
		from, to := v.col.Range(doc)
		if v.typ == mapping.GeoPoint {
			to -= (to - from) / 2 // a point is two numbers
		}
		s.count += int64(to - from)
		if from == to && v.conv != nil {
			s.count++
		}
	case "percentiles":
		v.numbers(doc, func(x float64) { s.all = append(s.all, x) })
	default:
		v.numbers(doc, s.add)
	}
	return nil
}

func (s *metricState) add(x float64) {
	s.count++
	s.min, s.max = min(s.min, x), max(s.max, x)
	s.addSum(x)
}

func (s *metricState) addSum(x float64) {
	corrected := x - s.err
	next := s.sum + corrected
	s.err = next - s.sum - corrected
	s.sum = next
}

func (s *metricState) avg() float64 {
	if s.count == 0 {
		return math.NaN()
	}
	return s.sum / float64(s.count)
}

func (s *metricState) metric(path string) (float64, bool) {
	typ := s.m.a.typ
	switch {
	case typ == "percentiles":
		p, err := strconv.ParseFloat(path, 64)
		if err != nil || !slices.Contains(s.m.percents, p) {
			return 0, false
		}
		s.settle()
		return s.settled[slices.Index(s.m.percents, p)], true
	case typ == "stats":
		typ = path
	case path != "" && path != "value":
		return 0, false
	}
	switch typ {
	case "cardinality":
		return float64(len(s.distinct)), true
	case "value_count", "count":
		return float64(s.count), true
	case "min":
		return s.min, true
	case "max":
		return s.max, true
	case "avg":
		return s.avg(), true
	case "sum":
		return s.sum, true
	}
	return 0, false
}

func (s *metricState) result(bool) (map[string]any, error) {
	switch s.m.a.typ {
	case "percentiles":
		s.settle()
		return s.printed, nil
	case "stats":
		out := map[string]any{
			"count": s.count, "min": hits.Number(s.min), "max": hits.Number(s.max),
			"avg": hits.Number(s.avg()), "sum": hits.Number(s.sum),
		}
		if s.m.v.typ == mapping.Date && s.count > 0 {
			for name, x := range map[string]float64{"min": s.min, "max": s.max, "avg": s.avg(), "sum": s.sum} {
				out[name+"_as_string"] = s.m.v.format.Print(int64(x), s.m.v.zone)
			}
		}
		return out, nil
	case "cardinality":
		return map[string]any{"value": len(s.distinct)}, nil
	case "value_count":
		return map[string]any{"value": s.count}, nil
	}
	x, _ := s.metric("")
	out := map[string]any{"value": hits.Number(x)}
	if s.count > 0 {
		s.printAs(out, "value_as_string", x)
	}
	return out, nil
}

func (s *metricState) printAs(out map[string]any, name string, x float64) {
	if s.m.v.typ == mapping.Boolean && x != 0 {
		x = 1 // as Elasticsearch prints an average of booleans
	}
	if text, ok := s.m.v.asString(key{n: int64(x)}); ok {
		out[name] = text
	}
}

func (s *metricState) percentiles() map[string]any {
	keyed := map[string]any{}
	list := []any{}
	found := s.settled
	for i, p := range s.m.percents {
		x := found[i]
		name := strconv.FormatFloat(p, 'f', -1, 64)
		if p == math.Trunc(p) {
			name += ".0"
		}
		keyed[name] = hits.Number(x)
		entry := map[string]any{"key": hits.Number(p), "value": hits.Number(x)}
		if s.m.v.typ == mapping.Date && len(s.all) > 0 {
			s.printAs(keyed, name+"_as_string", x)
			s.printAs(entry, "value_as_string", x)
		}
		list = append(list, entry)
	}
	if s.m.list {
		return map[string]any{"values": list}
	}
	return map[string]any{"values": keyed}
}

// topHits prints the best documents of a bucket.
type topHits struct {
	spec   *hits.Spec
	target *query.Target
	reader *store.Reader
	base   int
}

func parseTopHits(a *agg, n *esjson.Node) (impl, error) {
	if len(a.subs.aggs)+len(a.subs.pipes) > 0 {
		return nil, eserr.New(400, "aggregation_initialization_exception", "Aggregator [%s] of type [top_hits] cannot accept sub-aggregations", a.name)
	}
	h := &topHits{spec: &hits.Spec{Size: 3}}
	for _, f := range n.Fields {
		if f.Name == "search_after" {
			return nil, unknown(a, f)
		}
		known, err := h.spec.Option(f)
		if err != nil {
			return nil, err
		}
		if !known {
			return nil, f.Value.Errorf("Unknown key for a %s in [%s].", f.Value.Token(), f.Name)
		}
	}
	if h.spec.From+h.spec.Size > 100 {
		return nil, eserr.IllegalArgument("Top hits result window is too large, the top hits aggregator [%s]'s from + size must be less than or equal to: [100] but was [%d]. This limit can be set by changing the [index.max_inner_result_window] index level setting.", a.name, h.spec.From+h.spec.Size)
	}
	return h, nil
}

func (h *topHits) typedName() string { return "top_hits" }

func (h *topHits) prepare(t *query.Target, r *store.Reader, base int) error {
	h.target, h.reader, h.base = t, r, base
	return h.spec.Prepare(t, r)
}

func (h *topHits) state() state { return &topHitsState{h: h, c: h.spec.NewCollector()} }

type topHitsState struct {
	noMetric
	h *topHits
	c *hits.Collector
}

func (s *topHitsState) collect(doc int) error {
	return s.c.Collect(s.h.target, s.h.reader, s.h.base, doc)
}

func (s *topHitsState) result(bool) (map[string]any, error) {
	list, err := s.c.Hits(1)
	if err != nil {
		return nil, err
	}
	var maxScore any
	if len(list) > 0 && !s.h.spec.Sorted() {
		maxScore = hits.Number(1)
	}
	return map[string]any{"hits": map[string]any{
		"total":     map[string]any{"value": s.c.Total(), "relation": "eq"},
		"max_score": maxScore, "hits": list,
	}}, nil
}
