// Package aggs reads and computes aggregations.
//
// An Agg is parsed once per request. For each segment Prepare loads the columns it needs; then every matching
// document is collected into states, one per bucket. All figures are exact: there are no shards whose partial
// results would have to be merged, so doc_count_error_upper_bound is always 0, cardinality counts exactly and
// percentiles interpolate between the true values. Memory grows with the number of buckets, which MaxBuckets
// bounds, and with the distinct values that cardinality and percentiles hold.
package aggs

import (
	"maps"
	"regexp"
	"slices"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/store"
)

// MaxBuckets is search.max_buckets: the largest number of buckets of one answer.
const MaxBuckets = 65_536

// Tree is a set of aggregations side by side.
type Tree struct {
	aggs  []*agg
	pipes []*pipeline
	limit *int // buckets left, shared by the whole request
}

// agg is one named aggregation with those below it.
type agg struct {
	name string
	typ  string
	meta any
	impl impl
	pipe *pipeline // instead of impl
	subs *Tree
}

// impl is the type of an aggregation: prepared for each segment, with a state per bucket it stands in.
type impl interface {
	prepare(t *query.Target, r *store.Reader, base int) error
	state() state
	typedName() string // prefix of typed_keys
}

// state accumulates documents.
type state interface {
	collect(doc int) error
	result(typed bool) (map[string]any, error)
	metric(path string) (float64, bool) // a number to order buckets by
}

var validName = regexp.MustCompile(`^[^\[\]>]+$`)

// Parse reads an aggregations object.
func Parse(n *esjson.Node) (*Tree, error) {
	limit := MaxBuckets
	t, err := parseTree(n, &limit)
	if err != nil {
		return nil, err
	}
	return t, t.checkPipes("")
}

func parseTree(n *esjson.Node, limit *int) (*Tree, error) {
	t := &Tree{limit: limit}
	if n == nil {
		return t, nil
	}
	if n.Kind != esjson.Object {
		return nil, n.Errorf("Found unexpected token %s in aggregations", n.Token())
	}
	for _, f := range n.Fields {
		if !validName.MatchString(f.Name) {
			line, col := n.PosAt(f.Start)
			return nil, eserr.Parsing(line, col, "Invalid aggregation name [%s]. Aggregation names can contain any character except '[', ']', and '>'", f.Name)
		}
		a, err := parseAgg(f, limit)
		if err != nil {
			return nil, err
		}
		if a.pipe != nil {
			t.pipes = append(t.pipes, a.pipe)
			continue
		}
		t.aggs = append(t.aggs, a)
	}
	return t, nil
}

func parseAgg(f esjson.Field, limit *int) (*agg, error) {
	if f.Value.Kind != esjson.Object {
		return nil, f.Value.Errorf("Aggregation definition for [%s starts with a [%s], expected a [START_OBJECT].", f.Name, f.Value.Token())
	}
	a := &agg{name: f.Name, subs: &Tree{limit: limit}}
	var body *esjson.Node
	for _, m := range f.Value.Fields {
		switch m.Name {
		case "meta":
			a.meta = m.Value.Any()
		case "aggs", "aggregations":
			if m.Value.Kind != esjson.Object {
				return nil, m.Value.Errorf("Expected [START_OBJECT] under [%s], but got a [%s] in [%s]", m.Name, m.Value.Token(), f.Name)
			}
			subs, err := parseTree(m.Value, limit)
			if err != nil {
				return nil, err
			}
			a.subs = subs
		default:
			if body != nil {
				return nil, m.Value.Errorf("Found two aggregation type definitions in [%s]: [%s] and [%s]", f.Name, a.typ, m.Name)
			}
			a.typ, body = m.Name, m.Value
		}
	}
	if body == nil {
		line, col := f.Value.PosAt(f.Value.End - 1)
		return nil, eserr.Parsing(line, col, "Missing definition for aggregation [%s]", f.Name)
	}
	var err error
	if isPipeline(a.typ) {
		a.pipe, err = parsePipeline(a, body)
		return a, err
	}
	a.impl, err = newImpl(a, body)
	return a, err
}

func newImpl(a *agg, n *esjson.Node) (impl, error) {
	if n.Kind != esjson.Object {
		return nil, n.Errorf("Expected [START_OBJECT] under [%s], but got a [%s] in [%s]", a.typ, n.Token(), a.name)
	}
	if parse, ok := parsers()[a.typ]; ok {
		return parse(a, n)
	}
	line, col := n.Pos()
	e := eserr.Parsing(line, col, "Unknown aggregation type [%s]", a.typ)
	e.Cause = eserr.New(400, "named_object_not_found_exception", "[%d:%d] unknown field [%s]", line, col, a.typ)
	return nil, e
}

// parsers are the types of aggregations over documents.
func parsers() map[string]func(*agg, *esjson.Node) (impl, error) {
	out := map[string]func(*agg, *esjson.Node) (impl, error){
		"terms": parseTerms, "date_histogram": parseDateHistogram, "histogram": parseHistogram, "range": parseRange, "date_range": parseRange,
		"filter": parseFilters, "filters": parseFilters, "missing": parseMissing, "composite": parseComposite, "top_hits": parseTopHits,
		"geotile_grid": parseGeotile,
	}
	for _, typ := range []string{"cardinality", "value_count", "min", "max", "avg", "sum", "stats", "percentiles"} {
		out[typ] = parseMetric
	}
	return out
}

// Types lists the types of aggregations by name.
func Types() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(parsers())), "cumulative_sum", "bucket_sort")))
}

func unknown(a *agg, f esjson.Field) error {
	return f.Unknown(a.typ)
}

// within says in which member of an aggregation a value was refused.
func within(a *agg, f esjson.Field, err error) error {
	if err == nil || eserr.From(err).Type == "x_content_parse_exception" {
		return err
	}
	line, col := f.Value.Pos()
	return eserr.Within(line, col, a.typ, f.Name, err)
}

// Prepare loads what the aggregations need of a segment. Base is the place of its first document in the search.
func (t *Tree) Prepare(target *query.Target, r *store.Reader, base int) error {
	for _, a := range t.aggs {
		if err := a.impl.prepare(target, r, base); err != nil {
			return err
		}
		if err := a.subs.Prepare(target, r, base); err != nil {
			return err
		}
	}
	return nil
}

// Bucket is a set of documents with the aggregations over it.
type Bucket struct {
	tree   *Tree
	docs   int64
	states []state
}

// NewBucket returns an empty bucket of the tree.
func (t *Tree) NewBucket() *Bucket {
	b := &Bucket{tree: t, states: make([]state, len(t.aggs))}
	for i, a := range t.aggs {
		b.states[i] = a.impl.state()
	}
	return b
}

// newBucket counts against the limit of buckets.
func (t *Tree) newBucket() (*Bucket, error) {
	if *t.limit--; *t.limit < 0 {
		e := eserr.New(400, "too_many_buckets_exception", "Trying to create too many buckets. Must be less than or equal to: [%d] but this number of buckets was exceeded. This limit can be set by changing the [search.max_buckets] cluster level setting.", MaxBuckets)
		e.Extra = map[string]any{"max_buckets": MaxBuckets}
		return nil, e
	}
	return t.NewBucket(), nil
}

// Collect adds a document of the prepared segment.
func (b *Bucket) Collect(doc int) error {
	b.docs++
	for _, s := range b.states {
		if err := s.collect(doc); err != nil {
			return err
		}
	}
	return nil
}

// Result prints the aggregations. Typed adds their types to the names.
func (b *Bucket) Result(typed bool) (map[string]any, error) {
	out := make(map[string]any, len(b.states)+2)
	for i, s := range b.states {
		m, err := s.result(typed)
		if err != nil {
			return nil, err
		}
		a := b.tree.aggs[i]
		if a.meta != nil {
			m["meta"] = a.meta
		}
		name := a.name
		if typed {
			name = a.impl.typedName() + "#" + name
		}
		out[name] = m
	}
	return out, nil
}

// print is the bucket as an element of buckets.
func (b *Bucket) print(typed bool) (map[string]any, error) {
	m, err := b.Result(typed)
	if err != nil {
		return nil, err
	}
	m["doc_count"] = b.docs
	return m, nil
}

// noMetric is embedded by states that cannot order buckets.
type noMetric struct{}

func (noMetric) metric(string) (float64, bool) { return 0, false }
