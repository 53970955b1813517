// Package query reads the query DSL and finds matching documents.
//
// A Query is parsed once per request, without knowing any index. Bind resolves it against the mapping of one
// index and gives a Matcher, which turns the documents of a segment into a bit set. What the package does not
// know is refused with the error of the real server.
//
// Different from Elasticsearch: there is no relevance. A document's score is 1.0 when the query has a scoring
// clause and 0.0 when it only filters.
package query

import (
	"maps"
	"slices"
	"time"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/store"
)

// Target is one index as a query sees it.
type Target struct {
	Index   string
	UUID    string
	Mapping *mapping.Mapping
	Now     time.Time // of the request
	Marks   []Mark    // of the query, for highlighting
}

// Query is a parsed query. Scoring says whether it has clauses that rank documents in Elasticsearch.
type Query struct {
	Scoring bool
	score   float64
	bind    func(*Target) (Matcher, error)
}

// Score is the score of every matching document.
func (q *Query) Score() float64 { return q.score }

// Matcher finds documents in a segment.
type Matcher struct {
	match func(*store.Reader) (store.Bits, error) // the result belongs to the caller
	may   func(*store.Reader) bool                // false: certainly no match; nil: perhaps
	marks []Mark
}

// Bind resolves the query against an index. Errors are those the real server reports for the shard.
func (q *Query) Bind(t *Target) (Matcher, error) { return q.bind(t) }

// Match returns the matching documents of a segment, without deleted ones.
func (m Matcher) Match(r *store.Reader) (store.Bits, error) {
	if !m.possible(r) {
		return store.NewBits(r.Docs), nil
	}
	b, err := m.match(r)
	if err != nil {
		return nil, err
	}
	b.AndNot(r.Deleted)
	return b, nil
}

func (m Matcher) possible(r *store.Reader) bool { return m.may == nil || m.may(r) }

// MatchAll is the query that every document matches.
func MatchAll() *Query {
	return &Query{score: 1, bind: func(*Target) (Matcher, error) { return all(), nil }}
}

func all() Matcher {
	return Matcher{match: func(r *store.Reader) (store.Bits, error) {
		b := store.NewBits(r.Docs)
		b.Fill(r.Docs)
		return b, nil
	}}
}

func none() Matcher {
	return Matcher{
		match: func(r *store.Reader) (store.Bits, error) { return store.NewBits(r.Docs), nil },
		may:   func(*store.Reader) bool { return false },
	}
}

// Column returns the values a request sees under a field name: keys of flattened fields and constants included.
// A nil field is unmapped and has no values.
func Column(r *store.Reader, f *mapping.Resolved) (*column.Column, error) {
	switch {
	case f == nil || f.IsObject():
		return &column.Column{}, nil
	case f.Type == mapping.ConstantKeyword && f.HasConstant:
		return column.Constant(r.Docs, f.Constant), nil
	}
	c, err := r.Column(f.Path)
	if err != nil {
		return nil, err
	}
	switch {
	case f.Keyed:
		return c.Keyed(f.Key), nil
	case f.Type == mapping.Flattened:
		return c.Root(), nil
	}
	return c, nil
}

// Parse reads a query object.
func Parse(n *esjson.Node) (*Query, error) {
	if n.Kind != esjson.Object {
		return nil, n.Errorf("[_na] query malformed, must start with start_object")
	}
	if len(n.Fields) == 0 {
		line, col := n.PosAt(n.End - 1)
		return nil, eserr.IllegalArgument("query malformed, empty clause found at [%d:%d]", line, col)
	}
	f := n.Fields[0]
	q, err := parseNamed(n, f)
	if err != nil {
		return nil, err
	}
	if len(n.Fields) > 1 {
		line, col := n.PosAt(n.Fields[1].Start)
		return nil, eserr.Parsing(line, col, "[%s] malformed query, expected [END_OBJECT] but found [FIELD_NAME]", f.Name)
	}
	return q, nil
}

// parsers are the query types.
func parsers() map[string]func(*esjson.Node) (*Query, error) {
	return map[string]func(*esjson.Node) (*Query, error){
		"match_all": parseMatchAll, "match_none": parseMatchNone, "bool": parseBool, "constant_score": parseConstant,
		"term": parseTerm, "terms": parseTerms, "range": parseRange, "exists": parseExists, "ids": parseIDs,
		"prefix": parsePrefix, "wildcard": parseWildcard, "match": parseMatch, "match_phrase": parsePhrase,
		"query_string": parseQueryString, "simple_query_string": parseSimpleString, "multi_match": parseMultiMatch,
		"geo_bounding_box": parseGeoBox,
	}
}

// Types lists the query types by name.
func Types() []string { return slices.Sorted(maps.Keys(parsers())) }

func parseNamed(n *esjson.Node, f esjson.Field) (*Query, error) {
	parse, ok := parsers()[f.Name]
	if !ok {
		line, col := n.PosAt(f.Value.Start)
		e := eserr.Parsing(line, col, "unknown query [%s]", f.Name)
		e.Cause = eserr.New(400, "named_object_not_found_exception", "[%d:%d] unknown field [%s]", line, col, f.Name)
		return nil, e
	}
	if f.Value.Kind != esjson.Object {
		return nil, f.Value.Errorf("[%s] query malformed, no start_object after query name", f.Name)
	}
	return parse(f.Value)
}

func parseMatchAll(n *esjson.Node) (*Query, error) {
	if err := onlyBoost(n, "match_all"); err != nil {
		return nil, err
	}
	return MatchAll(), nil
}

func parseMatchNone(n *esjson.Node) (*Query, error) {
	if err := onlyBoost(n, "match_none"); err != nil {
		return nil, err
	}
	return &Query{bind: func(*Target) (Matcher, error) { return none(), nil }}, nil
}

func onlyBoost(n *esjson.Node, name string) error {
	for _, f := range n.Fields {
		if f.Name != "boost" && f.Name != "_name" {
			e := f.Unknown(name)
			line, col := f.Value.Pos()
			return eserr.Parsing(line, col, "%s", e.Reason).Wrap(e)
		}
	}
	return nil
}

// endError is a parsing_exception at the closing brace of an object that misses something.
func endError(n *esjson.Node, format string, args ...any) error {
	line, col := n.PosAt(n.End - 1)
	return eserr.Parsing(line, col, format, args...)
}

func unsupported(_ *esjson.Node, f esjson.Field, name string) error {
	line, col := f.Value.Pos()
	return eserr.Parsing(line, col, "[%s] query does not support [%s]", name, f.Name)
}

func parseConstant(n *esjson.Node) (*Query, error) {
	var inner *Query
	for _, f := range n.Fields {
		switch f.Name {
		case "filter":
			q, err := Parse(f.Value)
			if err != nil {
				return nil, err
			}
			inner = q
		case "boost":
			if _, ok := f.Value.Float(); !ok {
				return nil, eserr.New(400, "number_format_exception", "For input string: \"%s\"", f.Value.Str)
			}
		default:
			return nil, unsupported(n, f, "constant_score")
		}
	}
	if inner == nil {
		return nil, endError(n, "[constant_score] requires a 'filter' element")
	}
	return &Query{score: 1, bind: inner.bind}, nil
}

// fieldBody splits {"field": value} and {"field": {…}}; object values get their members checked against allowed.
func fieldBody(n *esjson.Node, name string, allowed ...string) (field string, value *esjson.Node, err error) {
	if len(n.Fields) == 0 {
		return "", nil, eserr.IllegalArgument("field name is null or empty")
	}
	f := n.Fields[0]
	if len(n.Fields) > 1 {
		line, col := n.Fields[1].Value.Pos()
		return "", nil, eserr.Parsing(line, col, "[%s] query doesn't support multiple fields, found [%s] and [%s]", name, f.Name, n.Fields[1].Name)
	}
	if f.Value.Kind == esjson.Array {
		return "", nil, f.Value.Errorf("[%s] query does not support array of values", name)
	}
	if f.Value.Kind != esjson.Object {
		return f.Name, f.Value, nil
	}
	for _, m := range f.Value.Fields {
		ok := m.Name == "boost" || m.Name == "_name"
		for _, a := range allowed {
			ok = ok || a == m.Name
		}
		if !ok {
			return "", nil, unsupported(f.Value, m, name)
		}
	}
	return f.Name, f.Value, nil
}

// option returns a scalar member of an object body, or the body itself if it is the scalar and name the main one.
func option(body *esjson.Node, name string, main bool) *esjson.Node {
	if body.Kind != esjson.Object {
		if main {
			return body
		}
		return nil
	}
	return body.Get(name)
}

func flag(body *esjson.Node, name string) (bool, error) {
	n := option(body, name, false)
	if n == nil {
		return false, nil
	}
	v, ok := n.Bool()
	if !ok {
		return false, n.Errorf("Failed to parse value [%s] as only [true] or [false] are allowed.", n.Str)
	}
	return v, nil
}

// shardRefusal is a query whose kind does not apply to the type of its field.
func shardRefusal(t *Target, format string, args ...any) error {
	e := eserr.New(400, "query_shard_exception", format, args...)
	e.Extra = map[string]any{"index": t.Index, "index_uuid": t.UUID}
	return e
}

// shardError is a query that parses but does not fit the mapping of an index.
func shardError(t *Target, cause *eserr.Error) error {
	e := eserr.New(400, "query_shard_exception", "failed to create query: %s", cause.Reason)
	e.Extra = map[string]any{"index": t.Index, "index_uuid": t.UUID}
	return e.Wrap(cause)
}
