package hits

import (
	"container/heap"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/store"
)

// MaxWindow is index.max_result_window: from plus size may not be more.
const MaxWindow = 10_000

// Spec says which hits are wanted and how they look.
type Spec struct {
	From, Size int
	sort       []*sortKey
	after      []*esjson.Node
	source     sourceFilter
	fields     []fieldSpec
	noSource   bool
	docValues  []fieldSpec
	highlight  *highlight
	Version    bool
	// TrackScores shows scores although hits are sorted.
	TrackScores bool
	SeqNo       bool
}

// Option reads one member of a search body or of top_hits. Known is false for a name that is none of its.
func (s *Spec) Option(f esjson.Field) (known bool, err error) {
	switch f.Name {
	case "from", "size":
		v, ok := f.Value.Int()
		if !ok {
			return true, eserr.New(400, "number_format_exception", "For input string: \"%s\"", f.Value.Str)
		}
		if v < 0 {
			return true, eserr.IllegalArgument("[%s] parameter cannot be negative, found [%d]", f.Name, v)
		}
		if f.Name == "from" {
			s.From = int(v)
		} else {
			s.Size = int(v)
		}
	case "sort":
		s.sort, err = parseSort(f.Value)
	case "search_after":
		if f.Value.Kind != esjson.Array {
			return true, f.Value.Errorf("Unknown key for a %s in [%s].", f.Value.Token(), f.Name)
		}
		if len(f.Value.Items) == 0 {
			return true, eserr.IllegalArgument("Values must contains at least one value.")
		}
		s.after = f.Value.Items
	case "_source":
		err = s.parseSource(f.Value)
	case "fields":
		s.fields, err = parseFields(f.Value)
	case "docvalue_fields":
		s.docValues, err = parseFields(f.Value)
	case "highlight":
		s.highlight, err = parseHighlight(f.Value)
	case "version":
		s.Version, _ = f.Value.Bool()
	case "seq_no_primary_term":
		s.SeqNo, _ = f.Value.Bool()
	default:
		return false, nil
	}
	return true, err
}

// AddSort appends a criterion of the form field or field:asc.
func (s *Spec) AddSort(field string, desc bool) {
	s.sort = append(s.sort, &sortKey{field: field, desc: desc})
}

// Sorted says whether hits are ordered by something else than the score.
func (s *Spec) Sorted() bool { return len(s.sort) > 0 }

// ByScore says whether scores are shown beside other sort values.
func (s *Spec) ByScore() bool {
	return s.TrackScores || slices.ContainsFunc(s.sort, func(k *sortKey) bool { return k.field == "_score" })
}

// Check refuses combinations that cannot work. Scoring is whether the query has clauses that rank.
func (s *Spec) Check(scoring bool) error {
	switch {
	case s.From+s.Size > MaxWindow:
		return eserr.IllegalArgument("Result window is too large, from + size must be less than or equal to: [%d] but was [%d]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting.", MaxWindow, s.From+s.Size)
	case s.after != nil && len(s.sort) == 0:
		return eserr.IllegalArgument("Sort must contain at least one field.")
	case s.after != nil && len(s.after) != len(s.sort):
		return eserr.IllegalArgument("search_after has %d value(s) but sort has %d.", len(s.after), len(s.sort))
	case s.after != nil && s.From > 0:
		return eserr.Validation("`from` parameter must be set to 0 when [search_after] is used")
	}
	for _, k := range s.sort {
		if k.field == "_score" && scoring {
			return eserr.IllegalArgument("sorting on [_score] is not supported by this engine for queries that rank: every hit has the same score")
		}
	}
	return nil
}

// hit is a candidate.
type hit struct {
	target *query.Target
	reader *store.Reader
	doc    int
	ord    int // place in the whole search
	values []value
	types  []string
}

// Collector keeps the best hits of one search or bucket.
type Collector struct {
	spec  *Spec
	best  []hit // a heap with the worst on top
	total int
}

// NewCollector returns a collector without hits.
func (s *Spec) NewCollector() *Collector { return &Collector{spec: s} }

// Prepare resolves the sort keys for a segment. It is called once per segment, whatever the number of collectors.
func (s *Spec) Prepare(t *query.Target, r *store.Reader) error {
	for _, k := range s.sort {
		if err := k.prepare(t, r); err != nil {
			return err
		}
	}
	return nil
}

// Collect looks at one document of a prepared segment; base is the place of its first document in the whole search.
func (c *Collector) Collect(t *query.Target, r *store.Reader, base, doc int) error {
	c.total++
	return c.consider(hit{target: t, reader: r, doc: doc, ord: base + doc})
}

// CollectAll looks at all documents of a set. Of a time or another whole number that each document has exactly
// once, the best so far is compared before anything else.
func (c *Collector) CollectAll(t *query.Target, r *store.Reader, base int, docs store.Bits) error {
	count := docs.Count()
	c.total += count
	limit := c.spec.From + c.spec.Size
	if limit == 0 || count == 0 || len(c.spec.sort) == 0 && len(c.best) == limit {
		return nil
	}
	var failed error
	visit := func(doc int) bool {
		failed = c.consider(hit{target: t, reader: r, doc: doc, ord: base + doc})
		return failed == nil && (len(c.spec.sort) > 0 || len(c.best) < limit)
	}
	if len(c.spec.sort) > 0 {
		k := c.spec.sort[0]
		if k.res != nil && k.res.Kind() == column.Int && k.col.Kind == column.Int && k.col.Single(r.Docs) {
			ints, desc := k.col.Ints, k.desc
			visit = func(doc int) bool {
				if len(c.best) == limit {
					if v, worst := ints[doc], c.best[0].values[0]; worst.kind == column.Int && (desc && v < worst.i || !desc && v > worst.i) {
						return true
					}
				}
				failed = c.consider(hit{target: t, reader: r, doc: doc, ord: base + doc})
				return failed == nil
			}
			if desc {
				docs.EachDown(visit) // times grow: the best come first
				return failed
			}
		}
	}
	docs.Each(visit)
	return failed
}

// TimeOrder says whether the hits come in the order of @timestamp, and in which direction. Segments are then best
// visited in that order too, because those that Beyond reports need no look.
func (s *Spec) TimeOrder() (desc, ok bool) {
	if len(s.sort) == 0 {
		return false, false
	}
	k := s.sort[0]
	return k.desc, k.field == mapping.TimestampField && k.missing == nil && k.mode == ""
}

// Beyond says whether no document of a segment can be among the best any more.
func (c *Collector) Beyond(t *query.Target, r *store.Reader) bool {
	desc, ok := c.spec.TimeOrder()
	if limit := c.spec.From + c.spec.Size; !ok || len(c.best) < limit {
		return false
	} else if limit == 0 {
		return true
	}
	f := t.Mapping.Lookup(mapping.TimestampField)
	worst := c.best[0].values[0]
	if f == nil || f.Type != mapping.Date || worst.kind != column.Int {
		return false
	}
	return desc && r.MaxTime < worst.i || !desc && r.MinTime > worst.i
}

// consider keeps a hit if it is among the best.
func (c *Collector) consider(h hit) error {
	limit := c.spec.From + c.spec.Size
	if limit == 0 {
		return nil
	}
	if len(c.spec.sort) == 0 {
		// Everything has the same score: the first documents are the best.
		if len(c.best) < limit {
			c.best = append(c.best, h)
		}
		return nil
	}
	first, err := c.spec.sort[0].at(h.doc, h.ord)
	if err != nil || len(c.best) == limit && c.worse(first, c.best[0].values[0], c.spec.sort[0]) {
		return err
	}
	h.values = make([]value, len(c.spec.sort))
	h.types = make([]string, len(c.spec.sort))
	for i, k := range c.spec.sort {
		if h.values[i], err = k.at(h.doc, h.ord); err != nil {
			return err
		}
		if k.res != nil {
			h.types[i] = k.res.Type
		}
	}
	if c.spec.after != nil {
		ok, err := c.isAfter(h)
		if err != nil || !ok {
			return err
		}
	}
	switch {
	case len(c.best) < limit:
		heap.Push(c, h)
	case c.before(h, c.best[0]):
		c.best[0] = h
		heap.Fix(c, 0)
	}
	return nil
}

func (c *Collector) worse(v, worst value, k *sortKey) bool {
	if k.desc {
		return v.compare(worst) < 0
	}
	return v.compare(worst) > 0
}

func (c *Collector) isAfter(h hit) (bool, error) {
	for i, k := range c.spec.sort {
		want, err := k.fromNode(c.spec.after[i])
		if err != nil {
			return false, err
		}
		d := h.values[i].compare(want)
		if k.desc {
			d = -d
		}
		if d != 0 {
			return d > 0, nil
		}
	}
	return false, nil
}

// before says whether a comes before b.
func (c *Collector) before(a, b hit) bool {
	for i, k := range c.spec.sort {
		d := a.values[i].compare(b.values[i])
		if k.desc {
			d = -d
		}
		if d != 0 {
			return d < 0
		}
	}
	return a.ord < b.ord
}

// Len, Less, Swap, Push and Pop make the collector a heap.
func (c *Collector) Len() int           { return len(c.best) }
func (c *Collector) Less(i, j int) bool { return c.before(c.best[j], c.best[i]) }
func (c *Collector) Swap(i, j int)      { c.best[i], c.best[j] = c.best[j], c.best[i] }

// Push is for container/heap.
func (c *Collector) Push(x any) { c.best = append(c.best, x.(hit)) }

// Pop is for container/heap.
func (c *Collector) Pop() any {
	last := c.best[len(c.best)-1]
	c.best = c.best[:len(c.best)-1]
	return last
}

// Count adds matching documents that cannot be among the best to the total.
func (c *Collector) Count(n int) { c.total += n }

// Total is the number of documents collected.
func (c *Collector) Total() int { return c.total }

// Hits prints the hits in order. Score is that of the query; it is not shown when hits are sorted.
func (c *Collector) Hits(score float64) ([]any, error) {
	ordered := make([]hit, len(c.best))
	if len(c.spec.sort) == 0 {
		copy(ordered, c.best)
	} else {
		for i := len(ordered) - 1; i >= 0; i-- {
			ordered[i] = heap.Pop(c).(hit)
		}
	}
	if c.spec.From >= len(ordered) {
		return []any{}, nil
	}
	out := make([]any, 0, len(ordered)-c.spec.From)
	for _, h := range ordered[c.spec.From:] {
		m, err := c.print(h, score)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func (c *Collector) print(h hit, score float64) (map[string]any, error) {
	id, err := h.reader.ID(h.doc)
	if err != nil {
		return nil, err
	}
	m := map[string]any{"_index": h.target.Index, "_id": id, "_score": Number(score)}
	if len(c.spec.sort) > 0 {
		if !c.spec.TrackScores {
			m["_score"] = nil
		}
		values := make([]any, len(h.values))
		for i, k := range c.spec.sort {
			values[i] = k.print(h.values[i], h.types[i])
			if k.field == "_score" {
				values[i], m["_score"] = Number(score), Number(score)
			}
		}
		m["sort"] = values
	}
	if c.spec.Version {
		m["_version"] = 1
	}
	if c.spec.SeqNo {
		m["_seq_no"], m["_primary_term"] = h.ord, 1
	}
	ignored, err := h.reader.Column(mapping.IgnoredField)
	if err != nil {
		return nil, err
	}
	if from, to := ignored.Range(h.doc); from < to {
		var names []string
		for ; from < to; from++ {
			names = append(names, ignored.Str(from))
		}
		m["_ignored"] = names
	}
	if len(c.spec.docValues) > 0 {
		fields := map[string]any{}
		if err := docValues(h, c.spec.docValues, fields); err != nil {
			return nil, err
		}
		if len(fields) > 0 {
			m["fields"] = fields
		}
	}
	if c.spec.highlight != nil {
		if err := c.printHighlight(h, m); err != nil {
			return nil, err
		}
	}
	return m, c.printSource(h, m)
}

func (c *Collector) printHighlight(h hit, m map[string]any) error {
	src, err := h.reader.Source(h.doc)
	if err != nil {
		return err
	}
	n, err := esjson.Parse(src)
	if err != nil {
		return err
	}
	marked, err := c.spec.highlight.apply(h.target, n)
	if err == nil && len(marked) > 0 {
		m["highlight"] = marked
	}
	return err
}

func (c *Collector) printSource(h hit, m map[string]any) error {
	if c.spec.noSource && len(c.spec.fields) == 0 {
		return nil
	}
	src, err := h.reader.Source(h.doc)
	if err != nil {
		return err
	}
	if !c.spec.noSource && c.spec.source.all() {
		m["_source"] = json.RawMessage(src)
		if len(c.spec.fields) == 0 {
			return nil
		}
	}
	n, err := esjson.Parse(src)
	if err != nil {
		return err
	}
	if !c.spec.noSource && !c.spec.source.all() {
		m["_source"] = json.RawMessage(c.spec.source.apply(n))
	}
	if len(c.spec.fields) > 0 {
		if got := fetchFields(h.target, n, c.spec.fields); len(got) > 0 {
			if have, ok := m["fields"].(map[string]any); ok {
				maps.Copy(got, have)
			}
			m["fields"] = got
		}
	}
	return nil
}

func ipKey(s string) (string, bool) {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return "", false
	}
	return mapping.IPKey(a), true
}
