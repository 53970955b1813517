// Package search reads a search body and runs it over the segments of the chosen indices.
package search

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"kreislauf/internal/backend/engine/internal/aggs"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/hits"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/store"
)

// Total says how total hits are reported: Exact, Off, or exactly up to a positive number.
type Total int

// Special values of Total.
const (
	TotalExact Total = -1
	TotalOff   Total = 0
)

// defaultTotal is how far hits are counted exactly unless the request says otherwise.
const defaultTotal Total = 10_000

// Request is a parsed search.
type Request struct {
	Spec     hits.Spec
	Track    Total
	Typed    bool // typed_keys
	TotalInt bool // rest_total_hits_as_int
	query    *query.Query
	post     *query.Query // nil without post_filter
	aggs     *aggs.Tree
	hasAggs  bool
}

// Shard is one index to search.
type Shard struct {
	Target  *query.Target
	Readers []*store.Reader
	Err     error // why the index cannot be read
}

// Parse reads a search body; nil is an empty one.
func Parse(n *esjson.Node) (*Request, error) {
	r := &Request{Spec: hits.Spec{Size: 10}, Track: defaultTotal, query: query.MatchAll()}
	var err error
	if r.aggs, err = aggs.Parse(nil); err != nil {
		return nil, err
	}
	if n == nil {
		return r, nil
	}
	if n.Kind != esjson.Object {
		return nil, n.Errorf("Expected [START_OBJECT] but found [%s]", n.Token())
	}
	for _, f := range n.Fields {
		known, err := r.Spec.Option(f)
		if err == nil && !known {
			err = r.option(n, f)
		}
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Request) option(n *esjson.Node, f esjson.Field) (err error) {
	switch f.Name {
	case "query":
		if f.Value.Kind != esjson.Object {
			return f.Value.Errorf("Unknown key for a %s in [query].", f.Value.Token())
		}
		r.query, err = query.Parse(f.Value)
	case "aggs", "aggregations":
		if f.Value.Kind != esjson.Object {
			return f.Value.Errorf("Unknown key for a %s in [%s].", f.Value.Token(), f.Name)
		}
		r.hasAggs = true
		r.aggs, err = aggs.Parse(f.Value)
	case "track_total_hits":
		err = r.SetTrack(f.Value.Str)
	case "timeout":
		if _, derr := ParseDuration(f.Value.Str); derr != nil {
			err = derr
		}
	case "stats":
	case "stored_fields":
		if f.Value.Kind != esjson.Array || len(f.Value.Items) != 1 || f.Value.Items[0].Str != "*" {
			err = eserr.IllegalArgument("[stored_fields] is not supported by this engine, only [\"*\"]")
		}
	case "runtime_mappings", "script_fields":
		if len(f.Value.Fields) > 0 || f.Value.Kind != esjson.Object {
			err = eserr.IllegalArgument("[%s] is not supported by this engine", f.Name)
		}
	case "explain", "profile":
		if v, ok := f.Value.Bool(); !ok || v {
			err = eserr.IllegalArgument("[%s] is not supported by this engine", f.Name)
		}
	case "post_filter":
		r.post, err = query.Parse(f.Value)
	case "track_scores":
		r.Spec.TrackScores, _ = f.Value.Bool()
	case "collapse", "pit", "knn", "rescore", "suggest", "slice", "min_score",
		"indices_boost", "terminate_after", "ext", "rank", "retriever":
		err = eserr.IllegalArgument("[%s] is not supported by this engine", f.Name)
	default:
		line, col := n.PosAt(f.Value.Start)
		err = eserr.Parsing(line, col, "Unknown key for a %s in [%s].", f.Value.Token(), f.Name)
	}
	return err
}

// SetQuery replaces the query.
func (r *Request) SetQuery(q *query.Query) { r.query = q }

// SetTrack reads track_total_hits: true, false or a number.
func (r *Request) SetTrack(s string) error {
	switch s {
	case "true":
		r.Track = TotalExact
	case "false":
		r.Track = TotalOff
	default:
		n, err := strconv.Atoi(s)
		if err != nil {
			return eserr.New(400, "number_format_exception", "For input string: \"%s\"", s)
		}
		if n < -1 {
			return eserr.IllegalArgument("[track_total_hits] parameter must be positive or equals to -1, got %s", s)
		}
		r.Track = Total(n)
	}
	return nil
}

// ParseDuration reads a time value such as 30s, 500ms, 1d, -1 or 0.
func ParseDuration(s string) (time.Duration, error) {
	if s == "-1" || s == "0" {
		return 0, nil
	}
	var n int64
	var unit string
	units := map[string]time.Duration{
		"nanos": time.Nanosecond, "micros": time.Microsecond, "ms": time.Millisecond, "s": time.Second,
		"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}
	if _, err := fmt.Sscanf(s, "%d%s", &n, &unit); err != nil || units[unit] == 0 || n < 0 || n > 1<<40/int64(max(units[unit]/time.Millisecond, 1)) {
		return 0, eserr.IllegalArgument("failed to parse setting [timeout] with value [%s] as a time value: unit is missing or unrecognized", s)
	}
	return time.Duration(n) * units[unit], nil
}

// ParseCount reads the body of a count: only a query.
func ParseCount(n *esjson.Node) (*query.Query, error) {
	if n == nil {
		return query.MatchAll(), nil
	}
	q := query.MatchAll()
	for _, f := range n.Fields {
		if f.Name != "query" {
			line, col := n.PosAt(f.Start)
			return nil, eserr.Parsing(line, col, "request does not support [%s]", f.Name)
		}
		var err error
		if q, err = query.Parse(f.Value); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// Count counts the matching documents.
func Count(ctx context.Context, q *query.Query, shards []Shard) (int, error) {
	parts, err := plan(q, shards)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, p := range parts {
		bits, err := p.match(ctx)
		if err != nil {
			return 0, err
		}
		total += bits.Count()
	}
	return total, nil
}

// part is one segment to search. Base is the place of its first document in the whole search.
type part struct {
	shard   Shard
	reader  *store.Reader
	matcher query.Matcher
	post    *query.Matcher // of a post_filter
	base    int
}

// plan lists the segments of a search in the order of index and writing.
func plan(q *query.Query, shards []Shard) ([]part, error) {
	var parts []part
	base := 0
	someDocs := slices.ContainsFunc(shards, func(s Shard) bool { return len(s.Readers) > 0 })
	for _, sh := range shards {
		if sh.Err != nil {
			return nil, phase(sh, sh.Err)
		}
		if len(sh.Readers) == 0 && someDocs {
			// A backing index that is new and empty has no dynamic fields yet; that must not fail the search.
			continue
		}
		m, err := q.Bind(sh.Target)
		if err != nil {
			return nil, phase(sh, err)
		}
		sh.Target.Marks = m.Marks()
		readers := sh.Readers
		if len(readers) == 0 {
			readers = []*store.Reader{{MinTime: 1}} // so that a search of empty indices reports the same errors
		}
		for _, r := range readers {
			parts = append(parts, part{shard: sh, reader: r, matcher: m, base: base})
			base += r.Docs
		}
	}
	return parts, nil
}

// match finds the matching documents of the segment.
func (p part) match(ctx context.Context) (store.Bits, error) {
	if err := ctx.Err(); err != nil {
		return nil, eserr.New(400, "task_cancelled_exception", "task cancelled [%v]", err)
	}
	bits, err := p.matcher.Match(p.reader)
	if err != nil {
		return nil, phase(p.shard, err)
	}
	return bits, nil
}

// phase reports what went wrong on a shard.
func phase(sh Shard, err error) error {
	e := eserr.From(err)
	if e.Shards != nil || e.Type == "too_many_buckets_exception" {
		return e
	}
	return eserr.SearchPhase(sh.Target.Index, e)
}

// Run searches and returns the whole answer.
func (r *Request) Run(ctx context.Context, shards []Shard) (map[string]any, error) {
	started := time.Now()
	if err := r.Spec.Check(r.query.Scoring); err != nil {
		if len(shards) > 0 && eserr.From(err).Type == "illegal_argument_exception" {
			return nil, phase(shards[0], err)
		}
		return nil, err
	}
	collector, root, err := r.collect(ctx, shards)
	if err != nil {
		return nil, err
	}
	out := map[string]any{
		"timed_out": false,
		"_shards":   map[string]any{"total": len(shards), "successful": len(shards), "skipped": 0, "failed": 0},
	}
	if out["hits"], err = r.printHits(collector); err != nil {
		return nil, err
	}
	if len(shards) == 0 {
		out["hits"].(map[string]any)["max_score"] = hits.Number(0)
	}
	if r.hasAggs && len(shards) > 0 { // without an index to search there are no aggregations, not empty ones
		if out["aggregations"], err = root.Result(r.Typed); err != nil {
			return nil, err
		}
	}
	out["took"] = time.Since(started).Milliseconds()
	return out, nil
}

// collect visits the segments with their matching documents.
func (r *Request) collect(ctx context.Context, shards []Shard) (*hits.Collector, *aggs.Bucket, error) {
	parts, err := plan(r.query, shards)
	if err != nil {
		return nil, nil, err
	}
	if err := r.bindPost(parts); err != nil {
		return nil, nil, err
	}
	if desc, ok := r.Spec.TimeOrder(); ok && !r.hasAggs {
		slices.SortStableFunc(parts, func(a, b part) int {
			if desc {
				return cmp.Compare(b.reader.MaxTime, a.reader.MaxTime)
			}
			return cmp.Compare(a.reader.MinTime, b.reader.MinTime)
		})
	}
	collector := r.Spec.NewCollector()
	root := r.aggs.NewBucket()
	var docs []int32
	for _, p := range parts {
		beyond := !r.hasAggs && collector.Beyond(p.shard.Target, p.reader)
		if beyond && r.counted(collector.Total()) {
			continue
		}
		bits, err := p.match(ctx)
		if err != nil {
			return nil, nil, err
		}
		if beyond && p.post == nil {
			collector.Count(bits.Count())
			continue
		}
		if err := r.visit(p, bits, collector, root, &docs); err != nil {
			return nil, nil, phase(p.shard, err)
		}
	}
	return collector, root, nil
}

// bindPost resolves the post_filter for each segment.
func (r *Request) bindPost(parts []part) error {
	if r.post == nil {
		return nil
	}
	for i := range parts {
		m, err := r.post.Bind(parts[i].shard.Target)
		if err != nil {
			return phase(parts[i].shard, err)
		}
		parts[i].post = &m
	}
	return nil
}

// counted says whether more matching documents would not change the total that is reported.
func (r *Request) counted(total int) bool {
	return !r.TotalInt && (r.Track == TotalOff || r.Track > 0 && total > int(r.Track))
}

func (r *Request) visit(p part, bits store.Bits, collector *hits.Collector, root *aggs.Bucket, docs *[]int32) error {
	if bits.Empty() {
		// Fields are checked even where nothing matches, for an error does not depend on the documents. No column is read.
		p.reader = &store.Reader{MinTime: 1}
	}
	if err := r.Spec.Prepare(p.shard.Target, p.reader); err != nil {
		return err
	}
	shown := bits
	if p.post != nil && !bits.Empty() {
		filtered, err := p.post.Match(p.reader)
		if err != nil {
			return err
		}
		filtered.And(bits)
		shown = filtered
	}
	if err := collector.CollectAll(p.shard.Target, p.reader, p.base, shown); err != nil || !r.hasAggs {
		return err
	}
	if err := r.aggs.Prepare(p.shard.Target, p.reader, p.base); err != nil {
		return err
	}
	*docs = bits.AppendTo((*docs)[:0])
	return root.CollectAll(*docs)
}

func (r *Request) printHits(c *hits.Collector) (map[string]any, error) {
	list, err := c.Hits(r.query.Score())
	if err != nil {
		return nil, err
	}
	out := map[string]any{"hits": list, "max_score": nil}
	if len(list) > 0 && (!r.Spec.Sorted() || r.Spec.ByScore()) {
		out["max_score"] = hits.Number(r.query.Score())
	}
	total, relation := c.Total(), "eq"
	if r.Track > 0 && total > int(r.Track) {
		total, relation = int(r.Track), "gte"
	}
	switch {
	case r.Track == TotalOff && r.TotalInt:
		out["total"] = -1
	case r.Track == TotalOff:
	case r.TotalInt:
		out["total"] = c.Total()
	default:
		out["total"] = map[string]any{"value": total, "relation": relation}
	}
	return out, nil
}
