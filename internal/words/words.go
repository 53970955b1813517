// Package words owns how people find something again by what they remember of it: a name, a street, a number that is written in many ways.
// It is pure. A document stores what Of says of its texts, and Key of its numbers; a search folds what was typed in the same way, so both
// meet in an index by equality, or, with a key, by its beginning.
//
//	Of("Käthe Müller-Lüdenscheidt", "Hauptstraße 7")  kaethe mueller luedenscheidt hauptstrasse 7
//	Key("AB 1234-5")                                  ab12345
//
// Not guaranteed: that words of other languages are folded (é stays é), or that a misspelt word finds anything.
package words

import (
	"slices"
	"strings"
	"unicode"
)

// maxWords is how many words of one document, or of one search, count.
const maxWords = 40

var umlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss")

// fold takes away what people write differently: capitals and umlauts.
func fold(s string) string { return umlauts.Replace(strings.ToLower(s)) }

func separates(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// Of lists the words of some texts, folded, each once, in the order in which they come.
func Of(texts ...string) []string {
	var list []string
	for _, t := range texts {
		for _, w := range strings.FieldsFunc(fold(t), separates) {
			if len(list) < maxWords && !slices.Contains(list, w) {
				list = append(list, w)
			}
		}
	}
	return list
}

// Key is a number or id without all that separates its parts, folded.
func Key(s string) string {
	return strings.Map(func(r rune) rune {
		if separates(r) {
			return -1
		}
		return r
	}, fold(s))
}

// After is the end of the range of texts that begin with prefix: prefix <= text < After(prefix).
func After(prefix string) string { return prefix + "\U0010FFFF" }
