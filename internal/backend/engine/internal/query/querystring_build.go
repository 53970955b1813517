package query

import (
	"strings"

	"kreislauf/internal/backend/engine/internal/dates"
	"kreislauf/internal/backend/engine/internal/mapping"
)

// build resolves a tree against an index. Ok is false for what is no query at all, such as a text without words: it
// is left out, and does not match nothing.
func (q *syntax) build(t *Target, s *stringSpec) (m Matcher, ok bool, err error) {
	if q.leaf != nil {
		return q.leaf.build(t, s, q.field)
	}
	var must, should, not []Matcher
	for _, c := range q.clauses {
		if c.defaultOperand {
			ms, err := c.words(t, s)
			if err != nil {
				return m, false, err
			}
			if s.and || c.required {
				must = append(must, ms...)
			} else {
				should = append(should, ms...)
			}
			continue
		}
		cm, ok, err := c.q.build(t, s)
		switch {
		case err != nil:
			return m, false, err
		case !ok:
		case c.not:
			not = append(not, cm)
		case c.required:
			must = append(must, cm)
		default:
			should = append(should, cm)
		}
	}
	if len(must)+len(should)+len(not) == 0 {
		return m, false, nil
	}
	minimum := 0
	if s.minimum != "" && q == s.query {
		if minimum, err = minimumMatch(s.minimum, len(should)); err != nil {
			return m, false, err
		}
	}
	if len(must) == 0 && len(should) > 0 {
		minimum = max(minimum, 1)
	}
	return boolMatcher(must, should, not, minimum), true, nil
}

// words are the clauses that words side by side make: each word of the one text field, or all together.
func (c clause) words(t *Target, s *stringSpec) ([]Matcher, error) {
	fields := s.fieldsOf(t, c.q.field)
	if f := onlyText(t, fields); f != nil {
		var out []Matcher
		for _, w := range mapping.Tokens(c.q.leaf.text) {
			m := matchSpec{field: fields[0], text: w}
			bound, err := m.bind(t)
			if err != nil {
				return nil, err
			}
			out = append(out, bound)
		}
		return out, nil
	}
	m, ok, err := c.q.build(t, s)
	if err != nil || !ok {
		return nil, err
	}
	return []Matcher{m}, nil
}

func onlyText(t *Target, fields []string) *mapping.Resolved {
	if len(fields) != 1 {
		return nil
	}
	if f := t.Mapping.Lookup(fields[0]); f != nil && f.IsText() {
		return f
	}
	return nil
}

// boolMatcher combines clauses of which minimum of the optional ones must match.
func boolMatcher(must, should, not []Matcher, minimum int) Matcher {
	if minimum > 0 {
		must = append(must, atLeast(should, minimum))
	}
	return required(must, not)
}

func (s *stringSpec) fieldsOf(t *Target, field string) []string {
	if field != "" {
		return expand(t, []string{field})
	}
	return expand(t, s.fields)
}

// all says whether the value concerns every field.
func (s *stringSpec) all(field string) bool {
	return field == "*" || field == "" && (len(s.fields) == 0 || len(s.fields) == 1 && s.fields[0] == "*")
}

func (l *leaf) build(t *Target, s *stringSpec, field string) (m Matcher, ok bool, err error) {
	if l.kind == tokStar && s.all(field) {
		return all(), true, nil
	}
	if field == "_exists_" {
		return existsMatcher(t, l.text), true, nil
	}
	lenient := s.lenient || s.all("")
	if l.kind == tokQuoted && strings.TrimSpace(l.text) == "" {
		return none(), false, nil
	}
	var parts []Matcher
	null := true
	for _, name := range s.fieldsOf(t, field) {
		m, ok, err := l.field(t, s, name, field != "")
		switch {
		case err != nil && lenient:
			null = false
			continue
		case err != nil:
			return m, false, err
		case ok:
			parts = append(parts, m)
		}
		null = null && !ok
	}
	if null && len(parts) == 0 && l.kind == tokTerm {
		return none(), t.Mapping.Lookup(field) == nil && field != "", nil
	}
	return atLeast(parts, 1), true, nil
}

// field is the value in one field. Named says that the text names the field.
func (l *leaf) field(t *Target, s *stringSpec, name string, named bool) (Matcher, bool, error) {
	f := t.Mapping.Lookup(name)
	switch {
	case l.bounds != nil:
		m, err := l.bounds.at(t, f, s)
		return m, true, err
	case l.kind == tokStar:
		return existsMatcher(t, name), true, nil
	case l.kind == tokPrefix || l.kind == tokWild:
		text := l.text
		if f != nil && f.IsText() {
			text = strings.ToLower(text)
		}
		m, err := patternMatcher(t, name, "wildcard", text, false, wildcardMatch)
		return m, true, err
	case l.kind == tokTerm && named && len(l.text) > 1 && (l.text[0] == '>' || l.text[0] == '<'):
		m, err := comparison(l.text).at(t, f, s)
		return m, true, err
	}
	m := matchSpec{field: name, text: l.text, phrase: l.kind == tokQuoted || s.phrase, slop: l.slop}
	if s.and {
		m.minimum = "100%"
	}
	if f != nil && f.IsText() && len(mapping.Tokens(l.text)) == 0 {
		return none(), false, nil
	}
	out, err := m.bind(t)
	return out, true, err
}

// comparison reads >5, >=5, <5 and <=5.
func comparison(text string) *bounds {
	op := text[0]
	v, equal := strings.CutPrefix(text[1:], "=")
	if equal && v == "" {
		v, equal = "=", false
	}
	if op == '>' {
		return &bounds{lower: &v, includeLower: equal}
	}
	return &bounds{upper: &v, includeUpper: equal}
}

func (b *bounds) at(t *Target, f *mapping.Resolved, s *stringSpec) (Matcher, error) {
	if f == nil || f.IsObject() {
		return none(), nil
	}
	zoned := *b
	if s.zone != nil {
		var err error
		if zoned.zone, err = dates.ParseZone(s.zone.Str); err != nil {
			return Matcher{}, err
		}
	}
	if b.lower == nil && b.upper == nil {
		return hasValue(f), nil
	}
	return zoned.matcher(t, f)
}
