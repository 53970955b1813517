package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxToken is the longest token in characters; longer words are split, as the standard analyzer does.
const maxToken = 255

// Tokens splits text into lower-case words. A word is a run of letters, digits and underscores; between letters
// an apostrophe, a dot or a colon joins, between digits a dot, a comma or a semicolon. This is the standard
// analyzer for the scripts of Europe; ideographs are not split one by one.
func Tokens(text string) []string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return tokens(text)
		}
	}
	return asciiTokens(text)
}

// asciiTokens is Tokens for text of ASCII characters, without a copy of it as runes.
func asciiTokens(text string) []string {
	var out []string
	for i := 0; i < len(text); {
		if !asciiWord(text[i]) {
			i++
			continue
		}
		start, bare := i, true
		for i < len(text) {
			c := text[i]
			if !asciiWord(c) && (i+1 >= len(text) || !joins(rune(text[i-1]), rune(c), rune(text[i+1]))) {
				break
			}
			bare = bare && c == '_'
			i++
		}
		word := text[start:i]
		if bare {
			continue
		}
		for len(word) > maxToken {
			out = append(out, strings.ToLower(word[:maxToken]))
			word = word[maxToken:]
		}
		out = append(out, strings.ToLower(word))
	}
	return out
}

func asciiWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// tokens is Tokens for any text.
func tokens(text string) []string {
	var out []string
	runes := []rune(text)
	for i := 0; i < len(runes); {
		if !inWord(runes[i]) {
			i++
			continue
		}
		start := i
		for i < len(runes) && (inWord(runes[i]) || i+1 < len(runes) && joins(runes[i-1], runes[i], runes[i+1])) {
			i++
		}
		word := runes[start:i]
		if strings.Trim(string(word), "_") == "" {
			continue
		}
		for len(word) > maxToken {
			out = append(out, strings.ToLower(string(word[:maxToken])))
			word = word[maxToken:]
		}
		out = append(out, strings.ToLower(string(word)))
	}
	return out
}

func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_'
}

func joins(before, r, after rune) bool {
	switch r {
	case '.', '\'', '’':
		return unicode.IsLetter(before) && unicode.IsLetter(after) || unicode.IsDigit(before) && unicode.IsDigit(after)
	case ':', '·':
		return unicode.IsLetter(before) && unicode.IsLetter(after)
	case ',', ';':
		return unicode.IsDigit(before) && unicode.IsDigit(after)
	}
	return false
}
