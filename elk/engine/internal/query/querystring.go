package query

import (
	"strings"

	"kreislauf/elk/engine/internal/eserr"
	"kreislauf/elk/engine/internal/esjson"
	"kreislauf/elk/engine/internal/mapping"
)

// parseQueryString reads the subset of the Lucene syntax that people type: field:value, field:"a phrase",
// field:(a OR b), field:[1 TO 5], field:{1 TO *}, field:>=5, field:*, *:*, wildcards, AND, OR, NOT, +, -, &&, ||, !
// and parentheses. Fuzzy, proximity, boost and regular expressions are refused.
func parseQueryString(n *esjson.Node) (*Query, error) {
	p := &stringParser{}
	for _, f := range n.Fields {
		switch f.Name {
		case "query":
			p.in = f.Value.Str
		case "default_field":
			p.fields = []string{f.Value.Str}
		case "fields":
			for _, it := range f.Value.Items {
				p.fields = append(p.fields, it.Str)
			}
		case "default_operator":
			p.and = strings.EqualFold(f.Value.Str, "and")
		case "lenient":
			p.lenient = f.Value.Str == "true"
		case "analyze_wildcard", "boost", "time_zone":
		default:
			return nil, unsupported(n, f, "query_string")
		}
	}
	if n.Get("query") == nil {
		return nil, n.Errorf("query_string must be provided with a [query]")
	}
	for _, f := range p.fields {
		if strings.ContainsAny(f, "^") {
			return nil, n.Errorf("[query_string] boosts in [fields] are not supported here")
		}
	}
	q, err := p.parse()
	if err != nil {
		return nil, eserr.New(400, "parse_exception", "Failed to parse query [%s]", p.in).Wrap(eserr.From(err))
	}
	return q, nil
}

type stringParser struct {
	in      string
	pos     int
	depth   int
	fields  []string // default fields; none means all text and keyword fields
	and     bool
	lenient bool
}

func (p *stringParser) fail(what string) error {
	return eserr.New(400, "parse_exception", "Cannot parse '%s': %s at position %d", p.in, what, p.pos)
}

func (p *stringParser) parse() (*Query, error) {
	if strings.TrimSpace(p.in) == "" {
		return &Query{bind: func(*Target) (Matcher, error) { return none(), nil }}, nil
	}
	q, err := p.clauses(p.fields)
	if err == nil && p.pos < len(p.in) {
		err = p.fail("unexpected character")
	}
	return q, err
}

func (p *stringParser) space() {
	for p.pos < len(p.in) && strings.IndexByte(" \t\r\n", p.in[p.pos]) >= 0 {
		p.pos++
	}
}

// word reports and skips an operator word that stands alone.
func (p *stringParser) word(words ...string) bool {
	p.space()
	for _, w := range words {
		rest, ok := strings.CutPrefix(p.in[p.pos:], w)
		letters := w[0] >= 'A' && w[0] <= 'Z'
		if ok && (!letters || rest == "" || strings.IndexByte(" \t(", rest[0]) >= 0) {
			p.pos += len(w)
			return true
		}
	}
	return false
}

// clauses reads clauses up to the end or a closing parenthesis, with Lucene's rule: AND makes both
// neighbours required, OR leaves them optional.
func (p *stringParser) clauses(fields []string) (*Query, error) {
	b := &boolQuery{}
	type clause struct {
		q        *Query
		required bool
		not      bool
	}
	var list []clause
	if p.depth++; p.depth > 50 {
		return nil, p.fail("too many parentheses")
	}
	defer func() { p.depth-- }()
	for {
		p.space()
		if p.pos >= len(p.in) || p.in[p.pos] == ')' {
			break
		}
		joinAnd, joinOr := p.word("AND", "&&"), false
		if !joinAnd {
			joinOr = p.word("OR", "||")
		}
		if (joinAnd || joinOr) && len(list) == 0 {
			return nil, p.fail("operator without a clause before it")
		}
		c := clause{required: joinAnd || p.and && !joinOr}
		for p.word("NOT", "!", "-") {
			c.not = !c.not
		}
		if p.word("+") {
			c.required = true
		}
		q, err := p.clause(fields)
		if err != nil {
			return nil, err
		}
		c.q = q
		if joinAnd {
			list[len(list)-1].required = true
		}
		if joinOr && p.and {
			list[len(list)-1].required = false
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, p.fail("a clause is missing")
	}
	for _, c := range list {
		switch {
		case c.not:
			b.mustNot = append(b.mustNot, c.q)
		case c.required:
			b.must = append(b.must, c.q)
		default:
			b.should = append(b.should, c.q)
		}
	}
	return b.query(), nil
}

func (p *stringParser) clause(fields []string) (*Query, error) {
	p.space()
	if p.pos < len(p.in) && p.in[p.pos] == '(' {
		p.pos++
		q, err := p.clauses(fields)
		if err != nil {
			return nil, err
		}
		if p.pos >= len(p.in) {
			return nil, p.fail("a closing parenthesis is missing")
		}
		p.pos++
		return q, nil
	}
	text, quoted, err := p.term()
	if err != nil {
		return nil, err
	}
	if !quoted && p.pos < len(p.in) && p.in[p.pos] == ':' {
		p.pos++
		return p.fieldClause(unescape(text))
	}
	return p.leaf(fields, text, quoted)
}

func (p *stringParser) fieldClause(field string) (*Query, error) {
	p.space()
	fields := []string{field}
	if p.pos >= len(p.in) {
		return nil, p.fail("a value is missing")
	}
	switch p.in[p.pos] {
	case '(':
		return p.clause(fields)
	case '[', '{':
		return p.interval(field)
	case '>', '<':
		op := p.in[p.pos]
		p.pos++
		equal := p.pos < len(p.in) && p.in[p.pos] == '='
		if equal {
			p.pos++
		}
		v, _, err := p.term()
		if err != nil {
			return nil, err
		}
		v = unescape(v)
		b := &bounds{upper: &v, includeUpper: equal}
		if op == '>' {
			b = &bounds{lower: &v, includeLower: equal}
		}
		return b.query(field), nil
	}
	text, quoted, err := p.term()
	if err != nil {
		return nil, err
	}
	return p.leaf(fields, text, quoted)
}

func (b *bounds) query(field string) *Query {
	return &Query{score: 1, bind: func(t *Target) (Matcher, error) {
		f := t.Mapping.Lookup(field)
		if f == nil || f.IsObject() {
			return none(), nil
		}
		return b.matcher(t, f)
	}}
}

// interval reads [a TO b], where { and } exclude the limit and * leaves it open.
func (p *stringParser) interval(field string) (*Query, error) {
	b := &bounds{includeLower: p.in[p.pos] == '['}
	end := strings.IndexAny(p.in[p.pos:], "]}")
	if end < 0 {
		return nil, p.fail("a closing bracket is missing")
	}
	body := p.in[p.pos+1 : p.pos+end]
	b.includeUpper = p.in[p.pos+end] == ']'
	lo, hi, ok := strings.Cut(body, " TO ")
	if !ok {
		return nil, p.fail("TO is missing")
	}
	limit := func(s string) *string {
		s = strings.Trim(strings.TrimSpace(s), `"`)
		if s == "*" {
			return nil
		}
		return &s
	}
	b.lower, b.upper = limit(lo), limit(hi)
	p.pos += end + 1
	return b.query(field), nil
}

// term reads a quoted or bare word; escapes stay in it.
func (p *stringParser) term() (text string, quoted bool, err error) {
	start := p.pos
	if p.pos < len(p.in) && p.in[p.pos] == '"' {
		for i := p.pos + 1; i < len(p.in); i++ {
			switch p.in[i] {
			case '\\':
				i++
			case '"':
				p.pos = i + 1
				return p.in[start+1 : i], true, p.noSuffix()
			}
		}
		return "", false, p.fail("a closing quote is missing")
	}
	for p.pos < len(p.in) {
		c := p.in[p.pos]
		if c == '\\' && p.pos+1 < len(p.in) {
			p.pos += 2
			continue
		}
		if strings.IndexByte(" \t\r\n():\"[]{}", c) >= 0 {
			break
		}
		if c == '~' || c == '^' || c == '/' && p.pos == start {
			return "", false, p.fail("fuzzy, boost and regular expressions are not supported")
		}
		p.pos++
	}
	if p.pos == start {
		return "", false, p.fail("unexpected character")
	}
	return p.in[start:p.pos], false, nil
}

func (p *stringParser) noSuffix() error {
	if p.pos < len(p.in) && (p.in[p.pos] == '~' || p.in[p.pos] == '^') {
		return p.fail("proximity and boost are not supported")
	}
	return nil
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// leaf is one value in one, several or all fields.
func (p *stringParser) leaf(fields []string, text string, quoted bool) (*Query, error) {
	if len(fields) == 1 && fields[0] == "*" && text == "*" {
		return MatchAll(), nil
	}
	if len(fields) == 0 && text == "*" && !quoted {
		return MatchAll(), nil
	}
	lenient := p.lenient || len(fields) == 0
	return &Query{Scoring: true, score: 1, bind: func(t *Target) (Matcher, error) {
		var parts []Matcher
		for _, field := range expand(t, fields) {
			m, err := leafMatcher(t, field, text, quoted)
			if err != nil && lenient {
				continue
			}
			if err != nil {
				return Matcher{}, err
			}
			parts = append(parts, m)
		}
		return atLeast(parts, 1), nil
	}}, nil
}

// expand resolves field patterns; without any, all text and keyword fields are meant.
func expand(t *Target, fields []string) []string {
	if len(fields) == 0 {
		fields = []string{"*"}
	}
	var out []string
	for _, pattern := range fields {
		if !strings.Contains(pattern, "*") {
			out = append(out, pattern)
			continue
		}
		t.Mapping.Leaves(func(path string, f *mapping.Field) {
			if f.Type != mapping.Alias && f.Type != mapping.GeoPoint && mapping.Glob(pattern, path) {
				out = append(out, path)
			}
		})
	}
	return out
}

func leafMatcher(t *Target, field, text string, quoted bool) (Matcher, error) {
	switch {
	case quoted:
		m := matchSpec{field: field, text: unescape(text), phrase: true}
		return m.bind(t)
	case text == "*":
		return existsMatcher(t, field), nil
	case strings.ContainsAny(strings.NewReplacer(`\*`, "", `\?`, "").Replace(text), "*?"):
		f := t.Mapping.Lookup(field)
		if f != nil && f.IsText() {
			text = strings.ToLower(text)
		}
		return patternMatcher(t, field, "wildcard", text, false, wildcardMatch)
	}
	m := matchSpec{field: field, text: unescape(text)}
	return m.bind(t)
}
