package query

import (
	"slices"
	"strings"
	"unicode/utf8"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/store"
)

func parseExists(n *esjson.Node) (*Query, error) {
	field := ""
	for _, f := range n.Fields {
		switch f.Name {
		case "field":
			field = f.Value.Str
		case "boost":
		default:
			return nil, unsupported(n, f, "exists")
		}
	}
	if field == "" {
		return nil, endError(n, "[exists] must be provided with a [field]")
	}
	return &Query{score: 1, bind: func(t *Target) (Matcher, error) { return existsMatcher(t, field), nil }}, nil
}

func existsMatcher(t *Target, field string) Matcher {
	f := t.Mapping.Lookup(field)
	switch {
	case field == store.IDField || field == "_index":
		return all()
	case field == mapping.IgnoredField:
		return hasValue(&mapping.Resolved{Field: &mapping.Field{Path: field, Type: mapping.Keyword}})
	case strings.Contains(field, "*"):
		var parts []Matcher
		for _, path := range expand(t, []string{field}) {
			parts = append(parts, existsMatcher(t, path))
		}
		return atLeast(parts, 1)
	case f == nil:
		return none()
	case !f.IsObject():
		return hasValue(f)
	}
	var parts []Matcher
	for _, leaf := range t.Mapping.Under(field) {
		parts = append(parts, hasValue(&mapping.Resolved{Field: leaf}))
	}
	return atLeast(parts, 1)
}

func hasValue(f *mapping.Resolved) Matcher {
	return Matcher{match: func(r *store.Reader) (store.Bits, error) {
		bits := store.NewBits(r.Docs)
		c, err := Column(r, f)
		if err != nil {
			return nil, err
		}
		if c.Single(r.Docs) && r.Docs > 0 {
			bits.Fill(r.Docs)
			return bits, nil
		}
		for doc := range min(r.Docs, c.Docs()) {
			if from, to := c.Range(doc); from < to {
				bits.Set(doc)
			}
		}
		return bits, nil
	}}
}

func parsePrefix(n *esjson.Node) (*Query, error) {
	return parsePattern(n, "prefix", []string{"value", "case_insensitive", "rewrite"}, func(s, pattern string) bool { return strings.HasPrefix(s, pattern) })
}

func parseWildcard(n *esjson.Node) (*Query, error) {
	return parsePattern(n, "wildcard", []string{"value", "wildcard", "case_insensitive", "rewrite"}, wildcardMatch)
}

func parsePattern(n *esjson.Node, name string, allowed []string, test func(s, pattern string) bool) (*Query, error) {
	field, body, err := fieldBody(n, name, allowed...)
	if err != nil {
		return nil, err
	}
	v := option(body, "value", true)
	if v == nil {
		v = option(body, "wildcard", false)
	}
	if v == nil || v.Kind == esjson.Null || !v.IsScalar() {
		return nil, eserr.IllegalArgument("value cannot be null")
	}
	fold, err := flag(body, "case_insensitive")
	if err != nil {
		return nil, err
	}
	return &Query{score: 1, bind: func(t *Target) (Matcher, error) { return patternMatcher(t, field, name, v.Str, fold, test) }}, nil
}

func patternMatcher(t *Target, field, name, pattern string, fold bool, test func(s, pattern string) bool) (Matcher, error) {
	f := t.Mapping.Lookup(field)
	if f == nil || f.IsObject() {
		return none(), nil
	}
	if f.Kind() != column.String || f.Type == mapping.IP || f.Type == mapping.Flattened && !f.Keyed {
		return Matcher{}, shardRefusal(t, "Can only use %s queries on keyword, text and wildcard fields - not on [%s] which is of type [%s]", name, field, f.Type)
	}
	if fold {
		pattern = lowerASCII(pattern)
		inner := test
		test = func(s, pattern string) bool { return inner(lowerASCII(s), pattern) }
	}
	keep := func(s string) bool { return test(s, pattern) }
	return predicate(f, keep).marked(f, keep), nil
}

// wildcardMatch matches * (any run), ? (one character) and \ (the next character itself).
func wildcardMatch(s, pattern string) bool {
	star, mark := -1, 0
	i, p := 0, 0
	for i < len(s) {
		if p < len(pattern) {
			switch c := pattern[p]; {
			case c == '*':
				star, mark = p, i
				p++
				continue
			case c == '?':
				_, n := utf8.DecodeRuneInString(s[i:])
				i += n
				p++
				continue
			case c == '\\' && p+1 < len(pattern) && pattern[p+1] == s[i]:
				p += 2
				i++
				continue
			case c != '\\' && c == s[i]:
				p++
				i++
				continue
			}
		}
		if star < 0 {
			return false
		}
		_, n := utf8.DecodeRuneInString(s[mark:])
		mark += n
		i, p = mark, star+1
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func parseMatch(n *esjson.Node) (*Query, error) {
	if len(n.Fields) == 0 {
		return nil, endError(n, "No text specified for text query")
	}
	field, body, err := fieldBody(n, "match", "query", "operator", "minimum_should_match", "lenient", "zero_terms_query", "analyzer", "auto_generate_synonyms_phrase_query")
	if err != nil {
		return nil, err
	}
	v := option(body, "query", true)
	if v == nil || !v.IsScalar() || v.Kind == esjson.Null {
		if body.Kind != esjson.Object {
			body = n
		}
		return nil, endError(body, "No text specified for text query")
	}
	m := matchSpec{field: field, text: v.Str}
	if op := option(body, "operator", false); op != nil {
		switch strings.ToLower(op.Str) {
		case "and":
			m.minimum = "100%"
		case "or":
		default:
			return nil, eserr.IllegalArgument("No enum constant org.elasticsearch.index.query.Operator.%s", strings.ToUpper(op.Str))
		}
	}
	if mm := option(body, "minimum_should_match", false); mm != nil && m.minimum == "" {
		if _, err := minimumMatch(mm.Str, 1); err != nil {
			return nil, err
		}
		m.minimum = mm.Str
	}
	if err := m.options(body); err != nil {
		return nil, err
	}
	return &Query{Scoring: true, score: 1, bind: m.bind}, nil
}

func parsePhrase(n *esjson.Node) (*Query, error) {
	if len(n.Fields) == 0 {
		return nil, eserr.IllegalArgument("[match_phrase] requires fieldName")
	}
	field, body, err := fieldBody(n, "match_phrase", "query", "slop", "zero_terms_query", "analyzer")
	if err != nil {
		return nil, err
	}
	v := option(body, "query", true)
	if v == nil || !v.IsScalar() || v.Kind == esjson.Null {
		return nil, eserr.IllegalArgument("[match_phrase] requires query value")
	}
	m := matchSpec{field: field, text: v.Str, phrase: true}
	if slop := option(body, "slop", false); slop != nil {
		v, ok := slop.Int()
		switch {
		case !ok:
			return nil, eserr.New(400, "number_format_exception", "For input string: \"%s\"", slop.Str)
		case v < 0:
			return nil, eserr.IllegalArgument("No negative slop allowed.")
		case v > maxSlop:
			return nil, eserr.IllegalArgument("[match_phrase] [slop] above %d is not supported by this engine", maxSlop)
		}
		m.slop = int(v)
	}
	if err := m.options(body); err != nil {
		return nil, err
	}
	return &Query{Scoring: true, score: 1, bind: m.bind}, nil
}

// matchSpec is a full-text query of one field.
type matchSpec struct {
	field, text string
	minimum     string // how many words must match, as minimum_should_match; "" is one
	phrase      bool   // the words in this order, next to each other
	slop        int    // of a phrase: how far the words may be moved altogether
	analyzer    string // "" is that of the field
	emptyAll    bool   // zero_terms_query: all
	lenient     bool   // a value that does not fit the field matches nothing
}

func (m *matchSpec) options(body *esjson.Node) error {
	if z := option(body, "zero_terms_query", false); z != nil {
		if z.Str != "none" && z.Str != "all" {
			return z.Errorf("Unsupported zero_terms_query value [%s]", z.Str)
		}
		m.emptyAll = z.Str == "all"
	}
	if a := option(body, "analyzer", false); a != nil {
		m.analyzer = a.Str
	}
	var err error
	m.lenient, err = flag(body, "lenient")
	return err
}

func (m *matchSpec) bind(t *Target) (Matcher, error) {
	if m.analyzer != "" && m.analyzer != "standard" && m.analyzer != "default" {
		return Matcher{}, shardRefusal(t, "[match] analyzer [%s] not found", m.analyzer)
	}
	f := t.Mapping.Lookup(m.field)
	if f == nil || !f.IsText() {
		out, err := termMatcher(t, m.field, []string{m.text}, false)
		if err != nil && m.lenient {
			return none(), nil
		}
		return out, err
	}
	if f.Unsearchable {
		return Matcher{}, shardError(t, eserr.IllegalArgument("Cannot search on field [%s] since it is not indexed.", m.field))
	}
	words := mapping.Tokens(m.text)
	if len(words) == 0 {
		if m.emptyAll {
			return all(), nil
		}
		return none(), nil
	}
	if m.phrase && m.slop > 0 && len(words) > 1 {
		if distinct := slices.Compact(slices.Sorted(slices.Values(words))); len(distinct) < len(words) {
			return Matcher{}, shardError(t, eserr.IllegalArgument("[slop] for a phrase with the same word twice is not supported by this engine"))
		}
		out := slopMatcher(f, words, m.slop)
		out.marks = []Mark{{Path: f.Path, Phrase: words, slop: m.slop}}
		return out, nil
	}
	if m.phrase {
		out := textMatcher(f, words, len(words), true)
		out.marks = []Mark{{Path: f.Path, Phrase: words}}
		return out, nil
	}
	slices.Sort(words)
	words = slices.Compact(words)
	minimum := 1
	if m.minimum != "" {
		var err error
		if minimum, err = minimumMatch(m.minimum, len(words)); err != nil {
			return Matcher{}, err
		}
		minimum = min(max(minimum, 1), len(words))
	}
	return textMatcher(f, words, minimum, false).marked(f, setPredicate(words)), nil
}

// maxSlop is the largest distance: values of a field lie 100 positions apart, which must not count as near.
const maxSlop = 99

// slopMatcher finds texts in which the words stand near their places in the phrase.
func slopMatcher(f *mapping.Resolved, list []string, slop int) Matcher {
	return stringMatcher(func(r *store.Reader) (*column.Column, error) { return Column(r, f) }, func(s string) bool {
		if !mayContain(s, list[0]) {
			return false
		}
		found := false
		near(list, mapping.Tokens(s), slop, func([]placed) { found = true })
		return found
	})
}

func hasWords(s string, words []string, minimum int) bool {
	possible := 0
	for _, w := range words {
		if mayContain(s, w) {
			possible++
		}
	}
	if possible < minimum {
		return false
	}
	tokens := mapping.Tokens(s)
	found := 0
	for _, w := range words {
		if slices.Contains(tokens, w) {
			found++
		}
	}
	return found >= minimum
}

func hasPhrase(tokens, words []string) bool {
	for i := 0; i+len(words) <= len(tokens); i++ {
		if slices.Equal(tokens[i:i+len(words)], words) {
			return true
		}
	}
	return false
}

// mayContain is a cheap test before s is split into words: false only if the lower-case word is not in s.
func mayContain(s, word string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return true
		}
	}
	first := word[0]
	for i := 0; i+len(word) <= len(s); i++ {
		if lower(s[i]) != first {
			continue
		}
		j := 1
		for j < len(word) && lower(s[i+j]) == word[j] {
			j++
		}
		if j == len(word) {
			return true
		}
	}
	return false
}

// lowerASCII folds as case_insensitive does: only the letters of ASCII.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
