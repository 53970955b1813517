package mapping

import (
	"strings"
	"unicode"
)

// maxToken is the longest token in characters; longer words are split, as the standard analyzer does.
const maxToken = 255

// Tokens splits text into lower-case words. A word is a run of letters, digits and underscores; between letters
// an apostrophe, a dot or a colon joins, between digits a dot, a comma or a semicolon. This is the standard
// analyzer for the scripts of Europe; ideographs are not split one by one.
func Tokens(text string) []string {
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
