package query

import (
	"strconv"
	"strings"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/store"
)

type boolQuery struct {
	must, filter, should, mustNot []*Query
	minimum                       string // minimum_should_match as given, "" for the default
}

func parseBool(n *esjson.Node) (*Query, error) {
	b := &boolQuery{}
	lists := map[string]*[]*Query{"must": &b.must, "filter": &b.filter, "should": &b.should, "must_not": &b.mustNot}
	for _, f := range n.Fields {
		switch f.Name {
		case "must", "filter", "should", "must_not":
			nodes := []*esjson.Node{f.Value}
			switch f.Value.Kind {
			case esjson.Array:
				nodes = f.Value.Items
			case esjson.Object:
			default:
				return nil, f.Value.Contentf("[bool] %s doesn't support values of type: %s", f.Name, f.Value.Token())
			}
			for _, it := range nodes {
				q, err := Parse(it)
				if err != nil {
					line, col := it.Pos()
					return nil, eserr.Within(line, col, "bool", f.Name, err)
				}
				*lists[f.Name] = append(*lists[f.Name], q)
			}
		case "minimum_should_match":
			b.minimum = f.Value.Str
		case "boost", "_name":
		default:
			return nil, f.Unknown("bool")
		}
	}
	return b.query(), nil
}

func (b *boolQuery) query() *Query {
	q := &Query{bind: b.bind}
	for _, c := range append(append([]*Query(nil), b.must...), b.should...) {
		q.Scoring = q.Scoring || c.Scoring
		q.score = max(q.score, c.score)
	}
	if len(b.must)+len(b.filter)+len(b.should)+len(b.mustNot) == 0 {
		q.score = 1
	}
	return q
}

// minimumMatch resolves minimum_should_match (3, -1, 75%, -25%) for a number of clauses.
func minimumMatch(spec string, clauses int) (int, error) {
	if strings.Contains(spec, "<") {
		// 2<75% 9<-3: up to 2 clauses all of them, up to 9 the first rule, above the second one.
		result := clauses
		for rule := range strings.FieldsSeq(spec) {
			limit, then, ok := strings.Cut(rule, "<")
			n, err := strconv.Atoi(limit)
			if !ok || err != nil {
				return 0, eserr.New(400, "number_format_exception", "For input string: \"%s\"", limit)
			}
			if clauses <= n {
				return result, nil
			}
			if result, err = minimumMatch(then, clauses); err != nil {
				return 0, err
			}
		}
		return result, nil
	}
	text, percent := strings.CutSuffix(strings.TrimSpace(spec), "%")
	v, err := strconv.Atoi(text)
	if err != nil {
		return 0, eserr.New(400, "number_format_exception", "For input string: \"%s\"", spec)
	}
	if percent {
		v = clauses * v / 100 // towards zero, for both signs
	}
	if strings.HasPrefix(text, "-") {
		v += clauses
	}
	return max(v, 0), nil
}

func bindAll(t *Target, qs []*Query) ([]Matcher, error) {
	out := make([]Matcher, 0, len(qs))
	for _, q := range qs {
		m, err := q.bind(t)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func (b *boolQuery) bind(t *Target) (Matcher, error) {
	required, err := bindAll(t, append(append([]*Query(nil), b.filter...), b.must...))
	if err != nil {
		return Matcher{}, err
	}
	should, err := bindAll(t, b.should)
	if err != nil {
		return Matcher{}, err
	}
	not, err := bindAll(t, b.mustNot)
	if err != nil {
		return Matcher{}, err
	}
	minimum := 0
	if b.minimum != "" {
		if minimum, err = minimumMatch(b.minimum, len(should)); err != nil {
			return Matcher{}, shardError(t, eserr.From(err))
		}
	}
	if len(required) == 0 && len(should) > 0 {
		minimum = max(minimum, 1)
	}
	out := boolMatcher(required, should, not, minimum)
	if minimum == 0 {
		out.marks = append(out.marks, collectMarks(should)...)
	}
	return out, nil
}

// required matches what all clauses of the first list match and none of the second.
func required(must, not []Matcher) Matcher {
	return Matcher{
		marks: collectMarks(must),
		match: func(r *store.Reader) (store.Bits, error) { return combine(r, must, not) },
		may: func(r *store.Reader) bool {
			for _, m := range must {
				if !m.possible(r) {
					return false
				}
			}
			return true
		},
	}
}

func combine(r *store.Reader, required, not []Matcher) (store.Bits, error) {
	var bits store.Bits
	for _, m := range required {
		b, err := m.match(r)
		if err != nil {
			return nil, err
		}
		if bits == nil {
			bits = b
		} else {
			bits.And(b)
		}
		if bits.Empty() {
			return bits, nil
		}
	}
	if bits == nil {
		bits = store.NewBits(r.Docs)
		bits.Fill(r.Docs)
	}
	for _, m := range not {
		if !m.possible(r) {
			continue
		}
		b, err := m.match(r)
		if err != nil {
			return nil, err
		}
		bits.AndNot(b)
	}
	return bits, nil
}

// atLeast matches documents that match a minimum number of clauses.
func atLeast(clauses []Matcher, minimum int) Matcher {
	return Matcher{
		marks: collectMarks(clauses),
		match: func(r *store.Reader) (store.Bits, error) {
			out := store.NewBits(r.Docs)
			counts := make([]uint16, r.Docs)
			for _, m := range clauses {
				if !m.possible(r) {
					continue
				}
				b, err := m.match(r)
				if err != nil {
					return nil, err
				}
				if minimum == 1 {
					out.Or(b)
					continue
				}
				b.Each(func(doc int) bool {
					if counts[doc]++; int(counts[doc]) == minimum {
						out.Set(doc)
					}
					return true
				})
			}
			return out, nil
		},
		may: func(r *store.Reader) bool {
			n := 0
			for _, m := range clauses {
				if m.possible(r) {
					n++
				}
			}
			return n >= minimum
		},
	}
}
