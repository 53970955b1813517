package query

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind is a kind of token of the Lucene syntax, named as the real parser names it in errors.
type tokenKind string

const (
	tokEOF      tokenKind = "<EOF>"
	tokAnd      tokenKind = " <AND> "
	tokOr       tokenKind = " <OR> "
	tokNot      tokenKind = " <NOT> "
	tokPlus     tokenKind = ` "+" `
	tokMinus    tokenKind = ` "-" `
	tokBare     tokenKind = " <BAREOPER> "
	tokOpen     tokenKind = ` "(" `
	tokClose    tokenKind = ` ")" `
	tokColon    tokenKind = ` ":" `
	tokStar     tokenKind = ` "*" `
	tokCaret    tokenKind = ` "^" `
	tokQuoted   tokenKind = " <QUOTED> "
	tokTerm     tokenKind = " <TERM> "
	tokFuzzy    tokenKind = " <FUZZY_SLOP> "
	tokPrefix   tokenKind = " <PREFIXTERM> "
	tokWild     tokenKind = " <WILDTERM> "
	tokRegexp   tokenKind = " <REGEXPTERM> "
	tokRangeIn  tokenKind = ` "[" `
	tokRangeEx  tokenKind = ` "{" `
	tokNumber   tokenKind = " <NUMBER> "
	tokTo       tokenKind = ` "TO" `
	tokRangeQ   tokenKind = " <RANGE_QUOTED> "
	tokGoop     tokenKind = " <RANGE_GOOP> "
	tokEndIn    tokenKind = ` "]" `
	tokEndEx    tokenKind = ` "}" `
	tokInvalid  tokenKind = "invalid"
	luceneSpace           = " \t\n\r\u3000"
)

type token struct {
	kind tokenKind
	text string
	col  int // characters before it
}

// lexError is text that is no token.
type lexError struct{ reason string }

func (e *lexError) Error() string { return e.reason }

// lexer splits a query string as Lucene's classic parser does.
type lexer struct {
	in    string
	pos   int
	state int // as JavaCC numbers them: 0 boost, 1 range, 2 default
}

// tokens reads the whole text.
func tokens(in string) ([]token, error) {
	l := &lexer{in: in, state: 2}
	var out []token
	for {
		for l.pos < len(l.in) {
			r, n := utf8.DecodeRuneInString(l.in[l.pos:])
			if !strings.ContainsRune(luceneSpace, r) {
				break
			}
			l.pos += n
		}
		col := utf8.RuneCountInString(l.in[:l.pos])
		if l.pos >= len(l.in) {
			return append(out, token{tokEOF, "", col}), nil
		}
		var kind tokenKind
		var n int
		switch l.state {
		case 0:
			if kind, n = l.number(); kind != tokInvalid {
				l.state = 2
			}
		case 1:
			kind, n = l.inRange()
		default:
			kind, n = l.plain()
		}
		if kind == tokInvalid {
			out = append(out, token{kind, l.lexical(n), col})
			return out, nil
		}
		out = append(out, token{kind, l.in[l.pos : l.pos+n], col})
		l.pos += n
	}
}

// lexical words an error. N is the length of the text that began a token but did not end one.
func (l *lexer) lexical(n int) string {
	n = max(n, 1)
	prefix := l.in[l.pos : l.pos+n]
	state := ""
	if l.state != 0 {
		state = fmt.Sprintf(" (in lexical state %d)", l.state)
	}
	if l.pos+n >= len(l.in) {
		after := ""
		if n > 1 {
			after = fmt.Sprintf(" after prefix %q", prefix)
		}
		return fmt.Sprintf("Lexical error at line 1, column %d.  Encountered: <EOF>%s%s", utf8.RuneCountInString(l.in)+1, after, state)
	}
	r, _ := utf8.DecodeRuneInString(l.in[l.pos+n:])
	return fmt.Sprintf("Lexical error at line 1, column %d.  Encountered: '%c' (%d), after prefix %q%s", utf8.RuneCountInString(l.in[:l.pos+n])+1, r, r, prefix, state)
}

func (l *lexer) number() (tokenKind, int) {
	n := digits(l.in[l.pos:])
	if n == 0 {
		return tokInvalid, 1
	}
	if rest := l.in[l.pos+n:]; strings.HasPrefix(rest, ".") && digits(rest[1:]) > 0 {
		n += 1 + digits(rest[1:])
	}
	return tokNumber, n
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func (l *lexer) inRange() (tokenKind, int) {
	rest := l.in[l.pos:]
	switch rest[0] {
	case ']':
		l.state = 2
		return tokEndIn, 1
	case '}':
		l.state = 2
		return tokEndEx, 1
	case '"':
		if n := closing(rest, '"'); n > 2 {
			return tokRangeQ, n
		}
	}
	n := strings.IndexAny(rest, " ]}")
	if n < 0 {
		n = len(rest)
	}
	if rest[:n] == "TO" {
		return tokTo, n
	}
	return tokGoop, n
}

// closing is the length of s up to and with the unescaped end character; 0 if there is none.
func closing(s string, end byte) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case end:
			return i + 1
		}
	}
	return 0
}

func (l *lexer) plain() (tokenKind, int) {
	rest := l.in[l.pos:]
	single := map[byte]tokenKind{'(': tokOpen, ')': tokClose, ':': tokColon, '^': tokCaret, '[': tokRangeIn, '{': tokRangeEx}
	c := rest[0]
	switch {
	case c == '+' || c == '-' || c == '!':
		if len(rest) > 1 {
			if r, n := utf8.DecodeRuneInString(rest[1:]); strings.ContainsRune(luceneSpace, r) {
				return tokBare, 1 + n
			}
		}
		return map[byte]tokenKind{'+': tokPlus, '-': tokMinus, '!': tokNot}[c], 1
	case single[c] != "":
		switch c {
		case '^':
			l.state = 0
		case '[', '{':
			l.state = 1
		}
		return single[c], 1
	case c == '"' || c == '/':
		n := closing(rest, c)
		switch {
		case n == 0:
			return tokInvalid, len(rest)
		case c == '"':
			return tokQuoted, n
		}
		return tokRegexp, n
	case c == '~':
		n := 1 + digits(rest[1:])
		if n > 1 && strings.HasPrefix(rest[n:], ".") && digits(rest[n+1:]) > 0 {
			n += 1 + digits(rest[n+1:])
		}
		return tokFuzzy, n
	}
	return termToken(rest)
}

// termToken reads a term, a prefix or a pattern, or an operator word.
func termToken(s string) (tokenKind, int) {
	n, stars, wild := 0, 0, false
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if r == '\\' {
			if n+1 >= len(s) {
				break
			}
			_, next := utf8.DecodeRuneInString(s[n+1:])
			n += 1 + next
			continue
		}
		if r == '*' || r == '?' {
			wild = true
			if r == '*' {
				stars++
			}
		} else if strings.ContainsRune(luceneSpace+`!():^[]"{}~/`, r) || n == 0 && (r == '+' || r == '-') {
			break
		}
		n += size
	}
	text := s[:n]
	switch {
	case n == 0:
		return tokInvalid, 0
	case text == "AND" || text == "&&":
		return tokAnd, n
	case text == "OR" || text == "||":
		return tokOr, n
	case text == "NOT":
		return tokNot, n
	case text == "*":
		return tokStar, n
	case wild && stars == 1 && !strings.Contains(text, "?") && strings.HasSuffix(text, "*"):
		return tokPrefix, n
	case wild:
		return tokWild, n
	}
	return tokTerm, n
}

// unescape drops the backslashes; \uXXXX is a character.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if s[i] == 'u' && i+4 < len(s) {
			var r rune
			if _, err := fmt.Sscanf(s[i+1:i+5], "%04x", &r); err == nil && !unicode.Is(unicode.Cs, r) {
				b.WriteRune(r)
				i += 4
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
