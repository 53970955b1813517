package esjson

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"kreislauf/internal/backend/engine/internal/eserr"
)

// Parse reads exactly one JSON value. Errors are *eserr.Error of type x_content_parse_exception.
func Parse(data []byte) (*Node, error) {
	return new(Parser).Parse(data)
}

// Parser parses one value after the other in the same memory: a tree is valid until the next one is parsed.
// The zero value is ready for use.
type Parser struct{ p parser }

// Parse reads exactly one JSON value, as the function of that name.
func (r *Parser) Parse(data []byte) (*Node, error) {
	p := &r.p
	*p = parser{src: &source{data: data}, data: data, nodes: p.nodes[:0], fields: p.fields[:0], open: p.open[:0]}
	p.space()
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos < len(data) {
		return nil, p.fail(p.pos, "Unexpected character ('%s') after the end of the value", printable(data[p.pos]))
	}
	return n, nil
}

type parser struct {
	src    *source
	data   []byte
	pos    int
	nodes  []Node  // memory of the values: full parts stay with those that refer to them
	fields []Field // memory of the members
	open   []Field // members of the objects that are not closed yet
}

func (p *parser) node(kind Kind, start int) *Node {
	if len(p.nodes) == cap(p.nodes) {
		p.nodes = make([]Node, 0, min(2*cap(p.nodes)+8, 1024))
	}
	p.nodes = append(p.nodes, Node{Kind: kind, Start: start, doc: p.src})
	return &p.nodes[len(p.nodes)-1]
}

// members moves the members of an object from those that are open to where they stay.
func (p *parser) members(from int) []Field {
	n := len(p.open) - from
	if len(p.fields)+n > cap(p.fields) {
		p.fields = make([]Field, 0, max(n, min(2*cap(p.fields), 1024)))
	}
	at := len(p.fields)
	p.fields = append(p.fields, p.open[from:]...)
	p.open = p.open[:from]
	return p.fields[at : at+n : at+n]
}

// text is a part of the input as a string without a copy. The input does not change, see the package comment.
func (p *parser) text(from, to int) string {
	if from == to {
		return ""
	}
	return unsafe.String(&p.data[from], to-from)
}

func (p *parser) fail(at int, format string, args ...any) *eserr.Error {
	line, col := position(p.data, at)
	return eserr.Content(line, col, format, args...)
}

func printable(c byte) string {
	if c < 0x20 || c >= 0x7f {
		return "(CTRL-CHAR, code " + strconv.Itoa(int(c)) + ")"
	}
	return string(rune(c))
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *parser) value(depth int) (*Node, error) {
	if depth > MaxDepth {
		return nil, p.fail(p.pos, "Document nesting depth (%d) exceeds the maximum allowed (%d)", depth, MaxDepth)
	}
	if p.pos >= len(p.data) {
		return nil, p.fail(p.pos, "Unexpected end-of-input")
	}
	start := p.pos
	switch c := p.data[p.pos]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, err := p.str()
		if err != nil {
			return nil, err
		}
		n := p.node(String, start)
		n.Str, n.End = s, p.pos
		return n, nil
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for _, w := range [...]struct {
		text string
		kind Kind
	}{{"true", Bool}, {"false", Bool}, {"null", Null}} {
		if bytes.HasPrefix(p.data[p.pos:], []byte(w.text)) {
			p.pos += len(w.text)
			n := p.node(w.kind, start)
			n.Str, n.End = w.text, p.pos
			return n, nil
		}
	}
	return nil, p.fail(start, "Unexpected character ('%s' (code %d)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
		printable(p.data[start]), p.data[start])
}

func (p *parser) object(depth int) (*Node, error) {
	n := p.node(Object, p.pos)
	from := len(p.open)
	p.pos++
	p.space()
	if p.peek() == '}' {
		p.pos++
		n.End = p.pos
		return n, nil
	}
	for {
		if p.peek() != '"' {
			return nil, p.fail(p.pos, "Unexpected character or end of input: was expecting double-quote to start field name")
		}
		at := p.pos
		name, err := p.str()
		if err != nil {
			return nil, err
		}
		p.space()
		if p.peek() != ':' {
			return nil, p.fail(p.pos, "Unexpected character or end of input: was expecting a colon to separate field name and value")
		}
		p.pos++
		p.space()
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		p.open = append(p.open, Field{Name: name, Start: at, Value: v})
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
			p.space()
			continue
		case '}':
			p.pos++
			n.End, n.Fields = p.pos, p.members(from)
			return n, p.unique(n)
		}
		return nil, p.fail(p.pos, "Unexpected character or end of input: was expecting comma to separate Object entries")
	}
}

// unique refuses duplicate keys. In small objects only those that look alike are compared, which needs no memory.
func (p *parser) unique(n *Node) error {
	if len(n.Fields) <= 64 {
		var seen [4]uint64
		for i, f := range n.Fields {
			h := len(f.Name)
			if h > 0 {
				h = h*7 ^ int(f.Name[0]) ^ int(f.Name[h/2])<<2 ^ int(f.Name[h-1])<<4
			}
			word, bit := h>>6&3, uint64(1)<<(h&63)
			if seen[word]&bit == 0 {
				seen[word] |= bit
				continue
			}
			for _, other := range n.Fields[:i] {
				if f.Name == other.Name {
					return p.fail(f.Start, "Duplicate field '%s'", f.Name)
				}
			}
		}
		return nil
	}
	seen := make(map[string]struct{}, len(n.Fields))
	for _, f := range n.Fields {
		if _, dup := seen[f.Name]; dup {
			return p.fail(f.Start, "Duplicate field '%s'", f.Name)
		}
		seen[f.Name] = struct{}{}
	}
	return nil
}

func (p *parser) array(depth int) (*Node, error) {
	n := p.node(Array, p.pos)
	p.pos++
	p.space()
	if p.peek() == ']' {
		p.pos++
		n.End = p.pos
		return n, nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, v)
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
			p.space()
			continue
		case ']':
			p.pos++
			n.End = p.pos
			return n, nil
		}
		return nil, p.fail(p.pos, "Unexpected character or end of input: was expecting comma to separate Array entries")
	}
}

// peek returns the next byte or 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.data) {
		return p.data[p.pos]
	}
	return 0
}

func (p *parser) digits() bool {
	start := p.pos
	for p.peek() >= '0' && p.peek() <= '9' {
		p.pos++
	}
	return p.pos > start
}

func (p *parser) number() (*Node, error) {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	first, lead := p.pos, p.peek()
	ok := p.digits()
	if lead == '0' && p.pos-first > 1 {
		return nil, p.fail(start, "Invalid numeric value: Leading zeroes not allowed")
	}
	if ok && p.peek() == '.' {
		p.pos++
		ok = p.digits()
	}
	if ok && (p.peek() == 'e' || p.peek() == 'E') {
		p.pos++
		if p.peek() == '+' || p.peek() == '-' {
			p.pos++
		}
		ok = p.digits()
	}
	if !ok {
		return nil, p.fail(p.pos, "Unexpected character or end of input in numeric value")
	}
	n := p.node(Number, start)
	n.Str, n.End = p.text(start, p.pos), p.pos
	return n, nil
}

// str reads a string; the common case without escapes is one copy.
func (p *parser) str() (string, error) {
	start := p.pos
	p.pos++
	ascii := true
	for i := p.pos; i < len(p.data); i++ {
		switch c := p.data[i]; {
		case c == '"':
			raw := p.data[p.pos:i]
			if !ascii && !utf8.Valid(raw) {
				return "", p.fail(start, "Invalid UTF-8 in a string")
			}
			s := p.text(p.pos, i)
			p.pos = i + 1
			return s, nil
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			return "", p.fail(i, "Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c)
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return "", p.fail(start, "Unexpected end-of-input in VALUE_STRING")
}

func (p *parser) escaped(start int) (string, error) {
	var b []byte
	i := p.pos
	for i < len(p.data) {
		c := p.data[i]
		switch {
		case c == '"':
			p.pos = i + 1
			if !utf8.Valid(b) {
				return "", p.fail(start, "Invalid UTF-8 in a string")
			}
			return string(b), nil
		case c < 0x20:
			return "", p.fail(i, "Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c)
		case c != '\\':
			b = append(b, c)
			i++
			continue
		}
		if i+1 >= len(p.data) {
			break
		}
		if p.data[i+1] == 'u' {
			r, n := p.unicode(i)
			if n == 0 {
				return "", p.fail(i, "Unexpected character: expected a hex-digit for character escape sequence")
			}
			b = utf8.AppendRune(b, r)
			i += n
			continue
		}
		e := bytes.IndexByte([]byte(`"\/bfnrt`), p.data[i+1])
		if e < 0 {
			return "", p.fail(i, "Unrecognized character escape '%s' (code %d)", printable(p.data[i+1]), p.data[i+1])
		}
		b = append(b, "\"\\/\b\f\n\r\t"[e])
		i += 2
	}
	return "", p.fail(start, "Unexpected end-of-input in VALUE_STRING")
}

// unicode decodes \uXXXX at i, joining surrogate pairs, and returns the bytes used; 0 means malformed.
func (p *parser) unicode(i int) (r rune, used int) {
	first, ok := p.hex4(i)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(first) {
		return first, 6
	}
	if second, ok := p.hex4(i + 6); ok {
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			return r, 12
		}
	}
	return utf8.RuneError, 6
}

func (p *parser) hex4(i int) (rune, bool) {
	if i+6 > len(p.data) || p.data[i] != '\\' || p.data[i+1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(p.data[i+2:i+6]), 16, 16)
	return rune(v), err == nil
}
