package kpi

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Condition is a parsed expression over named values:
//
//	expression = conjunction { "or" conjunction }
//	conjunction = term { "and" term }
//	term = "(" expression ")" | operand compare operand
//	compare = "<" | "<=" | ">" | ">=" | "==" | "!="
//	operand = number | name
//
// A name is [a-z_][a-z0-9_]*. Numbers are decimal, without sign or exponent.
type Condition struct{ root node }

// node is one part of the tree. A comparison has a left and right operand, and and or have kids.
type node struct {
	op          string
	left, right operand
	kids        []node
}

type operand struct {
	name  string // empty for a number
	value float64
}

// SyntaxError is a mistake in a condition. Position counts bytes from 1.
type SyntaxError struct {
	Text     string
	Position int
	Problem  string
}

// Error implements error and shows where.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("condition %q, position %d: %s", e.Text, e.Position, e.Problem)
}

// maxDepth bounds nested parentheses.
const maxDepth = 50

// ParseCondition reads an expression.
func ParseCondition(text string) (Condition, error) {
	p := parser{text: text}
	p.next()
	root, err := p.expression(0)
	if err != nil {
		return Condition{}, err
	}
	if p.token != "" {
		return Condition{}, p.fail(`want "and", "or" or the end, have ` + strconv.Quote(p.token))
	}
	return Condition{root}, nil
}

// Names returns the value names the condition uses, sorted.
func (c Condition) Names() []string {
	seen := map[string]bool{}
	c.root.names(seen)
	return slices.Sorted(maps.Keys(seen))
}

// Holds evaluates the condition. A name without a value is 0; Names tells what is needed.
func (c Condition) Holds(values map[string]float64) bool { return c.root.holds(values) }

// String returns the condition in its normal form, which parses to the same condition.
func (c Condition) String() string { return c.root.String() }

func (n node) names(seen map[string]bool) {
	for _, k := range n.kids {
		k.names(seen)
	}
	for _, o := range []operand{n.left, n.right} {
		if o.name != "" {
			seen[o.name] = true
		}
	}
}

func (n node) holds(values map[string]float64) bool {
	holds := func(k node) bool { return k.holds(values) }
	a, b := n.left.in(values), n.right.in(values)
	switch n.op {
	case "and":
		return !slices.ContainsFunc(n.kids, func(k node) bool { return !k.holds(values) })
	case "or":
		return slices.ContainsFunc(n.kids, holds)
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	case ">=":
		return a >= b
	case "==":
		return a == b
	default:
		return a != b
	}
}

func (o operand) in(values map[string]float64) float64 {
	if o.name != "" {
		return values[o.name]
	}
	return o.value
}

func (o operand) String() string {
	if o.name != "" {
		return o.name
	}
	return strconv.FormatFloat(o.value, 'f', -1, 64)
}

func (n node) String() string {
	if len(n.kids) == 0 {
		return n.left.String() + " " + n.op + " " + n.right.String()
	}
	parts := make([]string, 0, len(n.kids))
	for _, k := range n.kids {
		if len(k.kids) > 0 {
			parts = append(parts, "("+k.String()+")")
			continue
		}
		parts = append(parts, k.String())
	}
	return strings.Join(parts, " "+n.op+" ")
}

// parser is a cursor with one token of look-ahead; token is empty at the end.
type parser struct {
	text  string
	start int // of token
	end   int
	token string
}

func (p *parser) fail(problem string) error {
	return &SyntaxError{Text: p.text, Position: p.start + 1, Problem: problem}
}

func (p *parser) next() {
	p.start = p.end
	for p.start < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.start]) >= 0 {
		p.start++
	}
	p.end = p.start
	if p.start == len(p.text) {
		p.token = ""
		return
	}
	class := func(c byte) int {
		switch {
		case c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			return 1
		case strings.IndexByte("<>=!", c) >= 0:
			return 2
		}
		return 0 // parentheses and everything unknown: one byte
	}
	kind := class(p.text[p.start])
	for p.end++; kind > 0 && p.end < len(p.text) && class(p.text[p.end]) == kind; p.end++ {
		continue
	}
	p.token = p.text[p.start:p.end]
}

func (p *parser) expression(depth int) (node, error) {
	return p.chain("or", func() (node, error) {
		return p.chain("and", func() (node, error) { return p.term(depth) })
	})
}

// chain reads one or more parts joined by op. A single part is itself; a part of the same op is taken apart.
func (p *parser) chain(op string, part func() (node, error)) (node, error) {
	var kids []node
	for {
		k, err := part()
		if err != nil {
			return node{}, err
		}
		if k.op == op {
			kids = append(kids, k.kids...)
		} else {
			kids = append(kids, k)
		}
		if p.token != op {
			break
		}
		p.next()
	}
	if len(kids) == 1 {
		return kids[0], nil
	}
	return node{op: op, kids: kids}, nil
}

func (p *parser) term(depth int) (node, error) {
	if p.token == "(" {
		if depth == maxDepth {
			return node{}, p.fail("too many nested parentheses")
		}
		p.next()
		inner, err := p.expression(depth + 1)
		if err != nil {
			return node{}, err
		}
		if p.token != ")" {
			return node{}, p.fail(`want "and", "or" or ")", have ` + strconv.Quote(p.token))
		}
		p.next()
		return inner, nil
	}
	left, err := p.operand()
	if err != nil {
		return node{}, err
	}
	op := p.token
	if !slices.Contains([]string{"<", "<=", ">", ">=", "==", "!="}, op) {
		return node{}, p.fail("want one of < <= > >= == !=, have " + strconv.Quote(op))
	}
	p.next()
	right, err := p.operand()
	if err != nil {
		return node{}, err
	}
	return node{op: op, left: left, right: right}, nil
}

func (p *parser) operand() (operand, error) {
	token := p.token
	if token != "" && '0' <= token[0] && token[0] <= '9' {
		value, err := strconv.ParseFloat(token, 64)
		if err != nil || strings.ContainsAny(token, "eExXpP_") || strings.HasSuffix(token, ".") {
			return operand{}, p.fail(strconv.Quote(token) + " is not a decimal number")
		}
		p.next()
		return operand{value: value}, nil
	}
	if !validName(token) {
		return operand{}, p.fail("want a number or a name, have " + strconv.Quote(token))
	}
	p.next()
	return operand{name: token}, nil
}

func validName(s string) bool {
	if s == "" || s == "and" || s == "or" || ('0' <= s[0] && s[0] <= '9') {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
