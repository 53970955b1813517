package query

import (
	"errors"
	"fmt"
	"strings"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
)

// stringSpec is a query in a text that people type, with its options.
type stringSpec struct {
	text     string
	fields   []string // none means all
	and      bool     // default_operator
	lenient  bool
	phrase   bool   // type: phrase
	slop     int    // phrase_slop
	minimum  string // minimum_should_match
	noStart  bool   // allow_leading_wildcard: false
	zone     *esjson.Node
	query    *syntax
	parseErr error
}

// parseQueryString reads a query_string. The text itself is refused by the shard, as in the real server.
func parseQueryString(n *esjson.Node) (*Query, error) {
	s := &stringSpec{}
	for _, f := range n.Fields {
		if known, err := s.option(n, f, "query_string"); err != nil {
			return nil, err
		} else if known {
			continue
		}
		switch f.Name {
		case "default_field":
			s.fields = []string{f.Value.Str}
		case "type":
			switch f.Value.Str {
			case "best_fields", "most_fields":
			case "phrase":
				s.phrase = true
			default:
				return nil, unsupportedValue("query_string", f)
			}
		case "phrase_slop":
			v, ok := f.Value.Int()
			if !ok || v < 0 || v > maxSlop {
				return nil, unsupportedValue("query_string", f)
			}
			s.slop = int(v)
		case "allow_leading_wildcard":
			s.noStart = f.Value.Str == "false"
		case "time_zone":
			s.zone = f.Value
		case "enable_position_increments", "escape", "fuzziness", "fuzzy_max_expansions", "fuzzy_prefix_length", "fuzzy_rewrite",
			"fuzzy_transpositions", "max_determinized_states", "rewrite", "tie_breaker":
			// They steer scores and queries that are refused; only escape changes others.
			if f.Name == "escape" && f.Value.Str == "true" {
				return nil, unsupportedValue("query_string", f)
			}
		default:
			return nil, unsupported(n, f, "query_string")
		}
	}
	if n.Get("query") == nil {
		return nil, endError(n, "[query_string] must be provided with a [query]")
	}
	s.query, s.parseErr = parseLucene(s)
	return &Query{Scoring: true, score: 1, bind: s.bind}, nil
}

// option reads what query_string and simple_query_string share.
func (s *stringSpec) option(n *esjson.Node, f esjson.Field, name string) (known bool, err error) {
	switch f.Name {
	case "query":
		s.text = f.Value.Str
	case "fields":
		for _, it := range f.Value.Items {
			field, err := unboosted(it.Str)
			if err != nil {
				return true, err
			}
			s.fields = append(s.fields, field)
		}
	case "default_operator":
		switch strings.ToLower(f.Value.Str) {
		case "and":
			s.and = true
		case "or":
		default:
			return true, eserr.IllegalArgument("No enum constant org.elasticsearch.index.query.Operator.%s", strings.ToUpper(f.Value.Str))
		}
	case "lenient":
		s.lenient = f.Value.Str == "true"
	case "minimum_should_match":
		s.minimum = f.Value.Str
	case "analyzer":
		if f.Value.Str != "standard" {
			return true, unsupportedValue(name, f)
		}
	case "quote_field_suffix":
		if f.Value.Str != "" {
			return true, unsupportedValue(name, f)
		}
	case "analyze_wildcard", "boost", "auto_generate_synonyms_phrase_query", "_name":
	default:
		return false, nil
	}
	return true, nil
}

func unsupportedValue(name string, f esjson.Field) error {
	return eserr.IllegalArgument("[%s] [%s] [%s] is not supported by this engine", name, f.Name, f.Value.Str)
}

// unboosted drops the boost of a field name: it only changes scores.
func unboosted(s string) (string, error) {
	field, boost, ok := strings.Cut(s, "^")
	if !ok {
		return s, nil
	}
	var f float64
	if _, err := fmt.Sscanf(boost, "%g", &f); err != nil {
		return "", eserr.New(400, "number_format_exception", "For input string: \"%s\"", boost)
	}
	return field, nil
}

// bind builds the query for one index.
func (s *stringSpec) bind(t *Target) (Matcher, error) {
	if s.parseErr != nil {
		cause := eserr.New(400, "parse_exception", "Cannot parse '%s': %s", s.text, s.parseErr.Error())
		inner := eserr.New(400, "parse_exception", "%s", s.parseErr.Error())
		if _, ok := errors.AsType[*lexError](s.parseErr); ok {
			inner.Type = "token_mgr_error"
		}
		e := eserr.From(shardRefusal(t, "Failed to parse query [%s]", s.text))
		return Matcher{}, e.Wrap(cause.Wrap(inner))
	}
	m, ok, err := s.query.build(t, s)
	if err != nil || !ok {
		return none(), err
	}
	return m, nil
}

// luceneParser builds a tree from tokens by the rules of the classic grammar.
type luceneParser struct {
	spec  *stringSpec
	toks  []token
	at    int
	depth int
}

func parseLucene(s *stringSpec) (*syntax, error) {
	if strings.TrimSpace(s.text) == "" {
		return &syntax{}, nil
	}
	toks, err := tokens(s.text)
	if err != nil {
		return nil, err
	}
	p := &luceneParser{spec: s, toks: toks}
	q, err := p.query("")
	if err == nil && p.peek(0).kind != tokEOF {
		err = p.unexpected()
	}
	return q, err
}

func (p *luceneParser) peek(ahead int) token {
	return p.toks[min(p.at+ahead, len(p.toks)-1)]
}

func (p *luceneParser) next() token {
	t := p.peek(0)
	p.at++
	return t
}

// syntaxError is a token in the wrong place, in the words of the real server.
type syntaxError string

func (e syntaxError) Error() string { return string(e) }

// unexpected is the error of a token that cannot stand here.
func (p *luceneParser) unexpected() error {
	t := p.peek(0)
	switch t.kind {
	case tokInvalid:
		return &lexError{t.text}
	case tokEOF:
		return syntaxError(fmt.Sprintf("Encountered \"<EOF>\" at line 1, column %d.", t.col))
	}
	return syntaxError(fmt.Sprintf("Encountered \"%s\"%s \"\" at line 1, column %d.", t.kind, t.text, t.col))
}

// syntax is a node: a group of clauses, or one value of a field.
type syntax struct {
	field   string // "" for the default ones
	clauses []clause
	group   bool
	leaf    *leaf
}

type clause struct {
	q              *syntax
	required, not  bool
	defaultOperand bool // words that the default operator joins
}

// leaf is one value.
type leaf struct {
	text    string
	kind    tokenKind
	slop    int
	bounds  *bounds
	several bool // words side by side, which a text field splits
}

// query reads clauses up to the end or a closing parenthesis.
func (p *luceneParser) query(field string) (*syntax, error) {
	if p.depth++; p.depth > 100 {
		return nil, errors.New("too many nested parentheses")
	}
	defer func() { p.depth-- }()
	out := &syntax{group: true}
	for first := true; first || !p.ends(); first = false {
		if words := p.words(); words != "" {
			out.clauses = append(out.clauses, clause{
				q:        &syntax{field: field, leaf: &leaf{text: unescape(words), kind: tokTerm, several: true}},
				required: p.spec.and, defaultOperand: true,
			})
			continue
		}
		if err := p.joined(out, field, first); err != nil {
			return nil, err
		}
	}
	if len(out.clauses) == 1 && !out.clauses[0].not && !out.clauses[0].defaultOperand {
		return out.clauses[0].q, nil
	}
	return out, nil
}

func (p *luceneParser) ends() bool {
	k := p.peek(0).kind
	return k == tokEOF || k == tokClose
}

// words takes two or more plain words that belong together: those before the last may not be followed by an
// operator of their own.
func (p *luceneParser) words() string {
	allowed := func(k tokenKind) bool {
		return k != tokColon && k != tokStar && k != tokFuzzy && k != tokCaret && k != tokAnd && k != tokOr
	}
	n := 1
	if p.peek(0).kind != tokTerm {
		return ""
	}
	for p.peek(n).kind == tokTerm && allowed(p.peek(n+1).kind) {
		n++
	}
	if n == 1 {
		return ""
	}
	parts := make([]string, n)
	for i := range parts {
		parts[i] = p.next().text
	}
	return strings.Join(parts, " ")
}

// joined reads one clause with its conjunction and modifier and adds it as Lucene does: AND makes both neighbours
// required, OR leaves them optional.
func (p *luceneParser) joined(out *syntax, field string, first bool) error {
	var and, or, plus, not bool
	if !first {
		switch p.peek(0).kind {
		case tokAnd:
			and = true
			p.at++
		case tokOr:
			or = true
			p.at++
		}
	}
	switch p.peek(0).kind {
	case tokPlus:
		plus = true
		p.at++
	case tokMinus, tokNot:
		not = true
		p.at++
	}
	q, err := p.clause(field)
	if err != nil {
		return err
	}
	if n := len(out.clauses); n > 0 && !out.clauses[n-1].not {
		if and {
			out.clauses[n-1].required = true
		}
		if or && p.spec.and {
			out.clauses[n-1].required = false
		}
	}
	c := clause{q: q, not: not, required: plus || and && !not}
	if p.spec.and {
		c.required = !not && !or
	}
	out.clauses = append(out.clauses, c)
	return nil
}

func (p *luceneParser) clause(field string) (*syntax, error) {
	switch t := p.peek(0); {
	case t.kind == tokTerm && p.peek(1).kind == tokColon:
		field = unescape(t.text)
		p.at += 2
	case t.kind == tokStar && p.peek(1).kind == tokColon:
		field = "*"
		p.at += 2
	}
	if p.peek(0).kind == tokOpen {
		p.at++
		q, err := p.query(field)
		if err != nil {
			return nil, err
		}
		if p.peek(0).kind != tokClose {
			return nil, p.unexpected()
		}
		p.at++
		return q, p.boost()
	}
	l, err := p.value()
	if err != nil {
		return nil, err
	}
	return &syntax{field: field, leaf: l}, nil
}

// boost skips ^2: it only changes scores.
func (p *luceneParser) boost() error {
	if p.peek(0).kind != tokCaret {
		return nil
	}
	p.at++
	if p.peek(0).kind != tokNumber {
		return p.unexpected()
	}
	p.at++
	return nil
}

func (p *luceneParser) value() (*leaf, error) {
	t := p.peek(0)
	l := &leaf{text: t.text, kind: t.kind}
	switch t.kind {
	case tokRangeIn, tokRangeEx:
		return p.interval()
	case tokQuoted:
		l.text = unescape(t.text[1 : len(t.text)-1])
	case tokTerm, tokNumber:
		l.text = unescape(t.text)
		l.kind = tokTerm
	case tokBare:
		l.text, l.kind = t.text[:1], tokTerm
	case tokStar, tokPrefix, tokWild:
		if p.spec.noStart && (t.text[0] == '*' || t.text[0] == '?') && t.kind != tokStar {
			return nil, errors.New("'*' or '?' not allowed as first character in WildcardQuery")
		}
	case tokRegexp:
		return nil, fmt.Errorf("regular expressions are not supported by this engine, found %s", t.text)
	default:
		return nil, p.unexpected()
	}
	p.at++
	if err := p.boost(); err != nil {
		return nil, err
	}
	if f := p.peek(0); f.kind == tokFuzzy {
		p.at++
		if l.kind != tokQuoted {
			return nil, fmt.Errorf("fuzzy terms are not supported by this engine, found %s%s", t.text, f.text)
		}
		if _, err := fmt.Sscanf(f.text, "~%d", &l.slop); err != nil && f.text != "~" || l.slop > maxSlop {
			return nil, fmt.Errorf("a distance of %s is not supported by this engine", f.text)
		}
	} else if l.kind == tokQuoted {
		l.slop = p.spec.slop
	}
	return l, p.boost()
}

// interval reads [a TO b], where { and } exclude the limit and * leaves it open.
func (p *luceneParser) interval() (*leaf, error) {
	b := &bounds{includeLower: p.next().kind == tokRangeIn}
	limit := func() (*string, error) {
		t := p.peek(0)
		if t.kind != tokGoop && t.kind != tokRangeQ && t.kind != tokTo {
			return nil, p.unexpected()
		}
		p.at++
		switch {
		case t.kind == tokRangeQ:
			s := unescape(t.text[1 : len(t.text)-1])
			return &s, nil
		case t.text == "*":
			return nil, nil
		}
		s := unescape(t.text)
		return &s, nil
	}
	var err error
	if b.lower, err = limit(); err != nil {
		return nil, err
	}
	if p.peek(0).kind != tokTo {
		return nil, p.unexpected()
	}
	p.at++
	if b.upper, err = limit(); err != nil {
		return nil, err
	}
	switch p.peek(0).kind {
	case tokEndIn:
		b.includeUpper = true
	case tokEndEx:
	default:
		return nil, p.unexpected()
	}
	p.at++
	return &leaf{bounds: b}, p.boost()
}

// expand resolves field patterns; without any, all fields are meant that hold words, numbers, dates or addresses.
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
