package aggs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/dates"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/hits"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/store"
)

// histogram groups by time or by number. Buckets are numbered: by their start in milliseconds, or by the multiple
// of the interval.
type histogram struct {
	a        *agg
	v        values
	interval dates.Interval // of a date_histogram
	width    float64        // of a histogram
	offset   float64
	minDocs  int64
	keyed    bool
	bounds   *esjson.Node // extended_bounds
	hard     *esjson.Node // hard_bounds
	lo, hi   *key         // resolved hard_bounds
	shift    int64        // offset of a date_histogram, in milliseconds
	order    []bucketOrder
	rest     *Bucket // takes what is outside hard_bounds
	target   *query.Target
	groups   groups
}

func (h *histogram) option(a *agg, f esjson.Field) (err error) {
	switch f.Name {
	case "min_doc_count":
		v, ok := f.Value.Int()
		if !ok || v < 0 {
			return eserr.IllegalArgument("[minDocCount] must be greater than or equal to 0. Found [%s] in [%s]", f.Value.Str, a.name)
		}
		h.minDocs = v
	case "keyed":
		h.keyed, _ = f.Value.Bool()
	case "extended_bounds":
		h.bounds = f.Value
	case "hard_bounds":
		h.hard = f.Value
	case "order":
		h.order, err = parseOrder(a, f.Value)
		return err
	default:
		return unknown(a, f)
	}
	return nil
}

func parseDateHistogram(a *agg, n *esjson.Node) (impl, error) {
	h := &histogram{a: a}
	set := 0
	for _, f := range n.Fields {
		known, err := h.v.option(f)
		switch {
		case err != nil:
			return nil, err
		case known:
			continue
		case set > 0 && (f.Name == "fixed_interval" || f.Name == "calendar_interval"):
			other := map[string]string{"fixed_interval": "calendar_interval", "calendar_interval": "fixed_interval"}[f.Name]
			err = eserr.IllegalArgument("Cannot use [%s] with [%s] configuration option.", f.Name, other)
		case f.Name == "fixed_interval":
			h.interval, err = dates.ParseFixed(f.Value.Str)
			set++
		case f.Name == "calendar_interval":
			h.interval, err = dates.ParseCalendar(f.Value.Str)
			set++
		case f.Name == "offset":
			h.shift, err = parseOffset(f.Value)
		default:
			err = h.option(a, f)
		}
		if err != nil {
			e := eserr.From(err)
			if e.Status != 400 {
				e = eserr.IllegalArgument("%s", err.Error())
			}
			return nil, within(a, f, e)
		}
	}
	if set != 1 {
		return nil, eserr.IllegalArgument("Invalid interval specified, must be non-null and non-empty")
	}
	if err := h.v.need(a); err != nil {
		return nil, err
	}
	return h, checkOrder(a, h.order)
}

func parseHistogram(a *agg, n *esjson.Node) (impl, error) {
	h := &histogram{a: a}
	for _, f := range n.Fields {
		known, err := h.v.option(f)
		switch {
		case err != nil:
			return nil, err
		case known:
			continue
		case f.Name == "interval":
			if h.width, _ = f.Value.Float(); h.width <= 0 {
				err = within(a, f, eserr.IllegalArgument("[interval] must be >0 for histogram aggregation [%s]", a.name))
			}
		case f.Name == "offset":
			h.offset, _ = f.Value.Float()
		default:
			err = h.option(a, f)
		}
		if err != nil {
			return nil, err
		}
	}
	if h.width <= 0 {
		return nil, eserr.IllegalArgument("[interval] must be >0 for histogram aggregation [%s]", a.name)
	}
	if err := h.v.need(a); err != nil {
		return nil, err
	}
	return h, checkOrder(a, h.order)
}

func (h *histogram) typedName() string { return h.a.typ }

func (h *histogram) prepare(t *query.Target, r *store.Reader, _ int) error {
	h.target = t
	if err := h.v.prepare(t, r); err != nil {
		return err
	}
	if h.width == 0 && h.v.typ != "" && h.v.kind != column.Int {
		return eserr.IllegalArgument("Field [%s] of type [%s] is not supported for aggregation [date_histogram]", h.v.field, h.v.typ)
	}
	if err := h.v.mustBeNumeric(h.a); err != nil {
		return err
	}
	return h.resolveBounds()
}

// resolveBounds reads the limits, whose format and meaning the field decides.
func (h *histogram) resolveBounds() error {
	if h.bounds != nil {
		lo, hi, err := h.both(h.bounds)
		if err != nil {
			return err
		}
		if lo != nil && hi != nil && h.v.compare(*lo, *hi) > 0 {
			return eserr.IllegalArgument("[extended_bounds.min][%s] cannot be greater than [extended_bounds.max][%s] for histogram aggregation [%s]",
				printText(h.v.print(*lo)), printText(h.v.print(*hi)), h.a.name)
		}
	}
	if h.hard != nil && h.rest == nil {
		var err error
		if h.lo, h.hi, err = h.both(h.hard); err != nil {
			return err
		}
		h.rest = (&Tree{}).NewBucket()
	}
	return nil
}

func (h *histogram) both(n *esjson.Node) (lo, hi *key, err error) {
	for _, f := range n.Fields {
		if f.Name != "min" && f.Name != "max" {
			return nil, nil, f.Unknown("bounds")
		}
		if f.Value.Kind == esjson.Null {
			continue
		}
		k, err := h.bound(f.Value)
		if err != nil {
			return nil, nil, err
		}
		if f.Name == "min" {
			lo = &k
		} else {
			hi = &k
		}
	}
	return lo, hi, nil
}

// outside says whether a bucket begins before the lower hard bound, or not before the upper one.
func (h *histogram) outside(n int64) bool {
	if h.rest == nil {
		return false
	}
	start := float64(n)
	if h.width > 0 {
		start = float64(n)*h.width + h.offset
	}
	return h.lo != nil && start < h.v.number(*h.lo) || h.hi != nil && start >= h.v.number(*h.hi)
}

// parseOffset reads an offset such as 3h, +3h, -15m, or milliseconds.
func parseOffset(n *esjson.Node) (int64, error) {
	if ms, ok := n.Int(); ok && n.Kind == esjson.Number {
		return ms, nil
	}
	text, negative := strings.CutPrefix(n.Str, "-")
	iv, err := dates.ParseFixed(strings.TrimPrefix(text, "+"))
	if err != nil {
		return 0, eserr.IllegalArgument("failed to parse setting [DateHistogramAggregationBuilder.parseOffset] with value [%s] as a time value: unit is missing or unrecognized", n.Str)
	}
	if negative {
		return -iv.Fixed, nil
	}
	return iv.Fixed, nil
}

func (h *histogram) state() state {
	return &histogramState{h: h, buckets: map[int64]*Bucket{}, last: math.MinInt64}
}

type histogramState struct {
	noMetric
	h       *histogram
	buckets map[int64]*Bucket
	last    int64 // start of the bucket used last, which the next document often shares
	until   int64
	bucket  *Bucket
}

// farthest is the number of the last bucket whose start is exact.
const farthest = 1 << 53

func (h *histogram) floor(k key) int64 {
	if h.width > 0 {
		return int64(min(max(math.Floor((h.v.number(k)-h.offset)/h.width), -farthest), farthest))
	}
	return h.interval.Floor(k.n-h.shift, h.v.zone) + h.shift
}

func (h *histogram) next(n int64) int64 {
	if h.width > 0 {
		return n + 1
	}
	return h.interval.Next(n-h.shift, h.v.zone) + h.shift
}

func (s *histogramState) collect(doc int) error {
	if from, to := s.h.v.col.Range(doc); to == from+1 {
		return s.one(doc, s.h.v.keyAt(from))
	}
	var seen []int64
	return s.h.v.each(doc, func(k key) error {
		n := s.h.floor(k)
		if slices.Contains(seen, n) {
			return nil // two values of one document in one bucket count once
		}
		seen = append(seen, n)
		return s.one(doc, k)
	})
}

// one collects a document for one value. The bucket used last is tried first: times come nearly in order.
func (s *histogramState) one(doc int, k key) error {
	if s.h.width == 0 && s.bucket != nil && k.n >= s.last && k.n < s.until {
		return s.bucket.Collect(doc)
	}
	if err := s.choose(k); err != nil {
		return err
	}
	return s.bucket.Collect(doc)
}

// choose makes the bucket of a value the one used last.
func (s *histogramState) choose(k key) error {
	n := s.h.floor(k)
	b, err := s.at(n)
	if err != nil {
		return err
	}
	s.last, s.until, s.bucket = n, s.h.next(n), b
	return nil
}

func (s *histogramState) at(n int64) (*Bucket, error) {
	b := s.buckets[n]
	if b == nil && s.h.outside(n) {
		return s.h.rest, nil
	}
	if b == nil && s.h.width > 0 && (n >= farthest || n <= -farthest) {
		return nil, eserr.IllegalArgument("a value of [%s] is more than %d intervals away from 0, which is not supported by this engine", s.h.v.field, int64(farthest))
	}
	if b == nil {
		var err error
		if b, err = s.h.a.subs.newBucket(); err != nil {
			return nil, err
		}
		s.buckets[n] = b
	}
	return b, nil
}

// fill adds the empty buckets between the first and the last one, and up to extended_bounds.
func (s *histogramState) fill() error {
	if s.h.minDocs > 0 {
		return nil
	}
	if err := s.extend(); err != nil {
		return err
	}
	if len(s.buckets) == 0 {
		return nil
	}
	keys := slices.Sorted(maps.Keys(s.buckets))
	for n := keys[0]; n < keys[len(keys)-1]; {
		next := s.h.next(n)
		if next <= n {
			return fmt.Errorf("histogram interval does not advance at %d", n)
		}
		n = next
		if _, err := s.at(n); err != nil {
			return err
		}
	}
	return nil
}

func (s *histogramState) extend() error {
	if s.h.bounds == nil {
		return nil
	}
	for _, name := range []string{"min", "max"} {
		n := s.h.bounds.Get(name)
		if n == nil || n.Kind == esjson.Null {
			continue
		}
		k, err := s.h.bound(n)
		if err != nil {
			return err
		}
		if _, err := s.at(s.h.floor(k)); err != nil {
			return err
		}
	}
	return nil
}

func (h *histogram) bound(n *esjson.Node) (key, error) {
	if h.width > 0 {
		f, ok := n.Float()
		if !ok {
			return key{}, n.Contentf("[extended_bounds] failed to parse field")
		}
		if h.v.kind == column.Float {
			return key{n: int64(math.Float64bits(f))}, nil
		}
		return key{n: int64(f)}, nil
	}
	if i, ok := n.Int(); ok && n.Kind == esjson.Number {
		return key{n: i}, nil
	}
	format := h.v.format
	if format == nil {
		format = dates.MustDefault()
	}
	if h.target == nil {
		return key{}, eserr.IllegalArgument("[extended_bounds] without an index to search")
	}
	ms, err := format.Resolve(n.Str, h.target.Now, h.v.zone, false)
	if err != nil {
		return key{}, eserr.New(400, "parse_exception", "%s", err.Error())
	}
	return key{n: ms}, nil
}

func (s *histogramState) result(typed bool) (map[string]any, error) {
	if err := s.fill(); err != nil {
		return nil, err
	}
	var rows []row
	keys := slices.Sorted(maps.Keys(s.buckets))
	if s.h.order != nil {
		order := append(slices.Clone(s.h.order), bucketOrder{by: "_key"})
		slices.SortStableFunc(keys, func(x, y int64) int {
			return compareBuckets(order, s.buckets[x], s.buckets[y], cmp.Compare(x, y))
		})
	}
	names := map[any]string{}
	all := make([]*Bucket, 0, len(keys))
	for _, n := range keys {
		all = append(all, s.buckets[n])
	}
	settle(all)
	for _, n := range keys {
		if s.buckets[n].docs < s.h.minDocs {
			continue
		}
		m, err := s.buckets[n].print(typed)
		if err != nil {
			return nil, err
		}
		name := ""
		var id any = n
		if s.h.width > 0 {
			start := float64(n)*s.h.width + s.h.offset
			k := hits.Number(start)
			id, m["key"], name = start, k, printText(k)
			if s.h.v.digits != nil {
				name = s.h.v.digits.print(start)
				m["key_as_string"] = name
			}
		} else {
			m["key"], name = n, fmt.Sprint(n)
			if format := s.h.v.format; format != nil {
				name = format.Print(n, s.h.v.zone)
				m["key_as_string"] = name
			} else if s.h.v.typ == "" {
				name = dates.MustDefault().Print(n, s.h.v.zone)
				m["key_as_string"] = name
			}
		}
		rows = append(rows, row{b: s.buckets[n], m: m, key: id})
		names[id] = name
	}
	rows = s.h.a.subs.pipe(rows, typed)
	if !s.h.keyed {
		return map[string]any{"buckets": list(rows)}, nil
	}
	named := map[string]any{}
	for _, r := range rows {
		named[names[r.key]] = r.m
	}
	return map[string]any{"buckets": named}, nil
}

func printText(v any) string {
	if raw, ok := v.(json.RawMessage); ok {
		return string(raw)
	}
	return fmt.Sprint(v)
}
