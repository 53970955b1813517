package mapping

import (
	"strings"
	"unicode/utf8"
)

// Span is a token with the bytes it stands at.
type Span struct {
	Token      string
	Start, End int
}

// Spans is Tokens with places.
func Spans(text string) []Span {
	var out []Span
	type char struct {
		r  rune
		at int
	}
	chars := make([]char, 0, len(text)+1)
	for i, r := range text {
		chars = append(chars, char{r, i})
	}
	n := len(chars)
	chars = append(chars, char{utf8.RuneError, len(text)})
	for i := 0; i < n; {
		if !inWord(chars[i].r) {
			i++
			continue
		}
		start := i
		for i < n && (inWord(chars[i].r) || i+1 < n && joins(chars[i-1].r, chars[i].r, chars[i+1].r)) {
			i++
		}
		if strings.Trim(text[chars[start].at:chars[i].at], "_") == "" {
			continue
		}
		for start < i {
			end := min(start+maxToken, i)
			out = append(out, Span{strings.ToLower(text[chars[start].at:chars[end].at]), chars[start].at, chars[end].at})
			start = end
		}
	}
	return out
}
