package query

import (
	"fmt"
	"slices"
	"strings"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
)

// parseSimpleString reads a simple_query_string: words, "phrases", prefixes*, + (and), | (or), - (not) and
// parentheses. Its text is never an error; what is not closed is read as if it were not there.
func parseSimpleString(n *esjson.Node) (*Query, error) {
	s := &stringSpec{}
	flags := "ALL"
	for _, f := range n.Fields {
		if known, err := s.option(n, f, "simple_query_string"); err != nil {
			return nil, err
		} else if known {
			continue
		}
		switch f.Name {
		case "flags":
			flags = f.Value.Str
		case "fuzzy_prefix_length", "fuzzy_max_expansions", "fuzzy_transpositions":
		default:
			line, col := f.Value.Pos()
			return nil, eserr.Parsing(line, col, "[simple_query_string] unsupported field [%s]", f.Name)
		}
	}
	if n.Get("query") == nil {
		return nil, endError(n, "[simple_query_string] query text missing")
	}
	p := &simpleParser{and: s.and}
	if err := p.setFlags(flags); err != nil {
		return nil, err
	}
	q, err := p.parse(s.text, 0)
	if err != nil {
		return nil, err
	}
	if q == nil {
		q = &syntax{}
	}
	s.query = q
	return &Query{Scoring: true, score: 1, bind: s.bind}, nil
}

type simpleParser struct {
	and bool
	off []string // operators that are switched off
}

func (p *simpleParser) setFlags(s string) error {
	known := []string{"AND", "OR", "NOT", "PREFIX", "PHRASE", "PRECEDENCE", "ESCAPE", "WHITESPACE", "FUZZY", "NEAR", "SLOP"}
	on := map[string]bool{}
	for name := range strings.SplitSeq(strings.ToUpper(s), "|") {
		switch {
		case name == "ALL" || name == "-1":
			return nil
		case name == "NONE" || name == "":
		case slices.Contains(known, name):
			on[name] = true
		default:
			return eserr.IllegalArgument("Unknown [simple_query_string] flag [%s]", name)
		}
	}
	for _, name := range known {
		if !on[name] {
			p.off = append(p.off, name)
		}
	}
	return nil
}

func (p *simpleParser) is(name string) bool { return !slices.Contains(p.off, name) }

// simpleState is the tree of one level, built from left to right: a change of the operator puts what is there
// below a new node.
type simpleState struct {
	p        *simpleParser
	top      *syntax
	op, last string // "", and, or
	not      int
}

// parse reads one level.
func (p *simpleParser) parse(in string, depth int) (*syntax, error) {
	if depth > 100 {
		return nil, eserr.IllegalArgument("[simple_query_string] too many nested parentheses")
	}
	s := &simpleState{p: p}
	for i := 0; i < len(in); {
		c := in[i]
		switch {
		case c == '(' && p.is("PRECEDENCE"):
			end := matching(in[i:])
			if end < 0 {
				i++
				break
			}
			inner := in[i+1 : i+end]
			i += end + 1
			if inner == "" {
				s.op = ""
				break
			}
			q, err := p.parse(inner, depth+1)
			if err != nil {
				return nil, err
			}
			s.add(q)
		case c == ')' && p.is("PRECEDENCE"):
			i++
		case c == '"' && p.is("PHRASE"):
			n := closing(in[i:], '"')
			if n == 0 {
				i++
				break
			}
			l := &leaf{text: unescape(in[i+1 : i+n-1]), kind: tokQuoted}
			i += n
			if l.text == "" {
				s.op = ""
				break
			}
			if slop := distance(in[i:]); slop > 0 && (p.is("NEAR") || p.is("SLOP")) {
				if _, err := fmt.Sscanf(in[i:i+slop], "~%d", &l.slop); err != nil || l.slop > maxSlop {
					return nil, eserr.IllegalArgument("[simple_query_string] a distance of [%s] is not supported by this engine", in[i:i+slop])
				}
				i += slop
			}
			s.add(&syntax{leaf: l})
		case c == '+' && p.is("AND"):
			s.operator("and")
			i++
		case c == '|' && p.is("OR"):
			s.operator("or")
			i++
		case c == '-' && p.is("NOT"):
			s.not++
			i++
			continue
		case strings.IndexByte(" \t\n\r", c) >= 0 && p.is("WHITESPACE"):
			i++
		default:
			n, l, err := p.word(in[i:])
			if err != nil {
				return nil, err
			}
			i += n
			s.add(&syntax{leaf: l})
		}
		s.not = 0
	}
	return s.top, nil
}

// matching is the place of the parenthesis that closes the one s begins with, or -1.
func matching(s string) int {
	open := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return i
			}
		}
	}
	return -1
}

// distance is the length of a suffix ~3.
func distance(s string) int {
	if !strings.HasPrefix(s, "~") {
		return 0
	}
	if n := digits(s[1:]); n > 0 && (1+n == len(s) || strings.IndexByte(" \t\n\r)|+", s[1+n]) >= 0) {
		return 1 + n
	}
	return 0
}

func (s *simpleState) operator(op string) {
	if s.op == "" && s.top != nil {
		s.op = op
	}
}

func (s *simpleState) add(q *syntax) {
	if q == nil {
		return
	}
	if s.not%2 == 1 {
		q = &syntax{group: true, clauses: []clause{{q: q, not: true}}}
	}
	if s.top == nil {
		s.top, s.op = q, ""
		return
	}
	if s.op == "" {
		if s.op = "or"; s.p.and {
			s.op = "and"
		}
	}
	required := s.op == "and"
	if s.last != s.op {
		s.top = &syntax{group: true, clauses: []clause{{q: s.top, required: required}}}
	}
	s.top.clauses = append(s.top.clauses, clause{q: q, required: required})
	s.last, s.op = s.op, ""
}

// word reads a word up to a blank or an operator; a star at its end makes it a prefix.
func (p *simpleParser) word(in string) (n int, l *leaf, err error) {
	var b strings.Builder
	prefix := false
	for n < len(in) {
		c := in[n]
		if c == '\\' && p.is("ESCAPE") && n+1 < len(in) {
			b.WriteByte(in[n+1])
			prefix = false
			n += 2
			continue
		}
		if n > 0 && p.ends(c) {
			break
		}
		if c == '~' && n > 0 && p.is("FUZZY") && distance(in[n:]) > 0 {
			return 0, nil, eserr.IllegalArgument("[simple_query_string] fuzzy terms are not supported by this engine, found [%s]", in[:n+distance(in[n:])])
		}
		prefix = c == '*'
		b.WriteByte(c)
		n++
	}
	l = &leaf{text: b.String(), kind: tokTerm}
	if prefix && p.is("PREFIX") {
		if l.text == "*" {
			l.kind = tokStar
			return n, l, nil
		}
		// The star is the only pattern of this syntax.
		l.kind = tokPrefix
		l.text = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`).Replace(strings.TrimSuffix(l.text, "*")) + "*"
	}
	return n, l, nil
}

func (p *simpleParser) ends(c byte) bool {
	switch c {
	case ' ', '\t', '\n', '\r':
		return p.is("WHITESPACE")
	case '"':
		return p.is("PHRASE")
	case '|':
		return p.is("OR")
	case '+':
		return p.is("AND")
	case '(', ')':
		return p.is("PRECEDENCE")
	}
	return false
}
