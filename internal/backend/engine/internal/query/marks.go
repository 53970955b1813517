package query

import (
	"cmp"
	"slices"

	"kreislauf/internal/backend/engine/internal/mapping"
)

// Mark is a part of a query that can be shown in a text: words of a field, alone or as a phrase. The value of a field
// that is not analysed is one word.
type Mark struct {
	Path   string
	Word   func(string) bool
	Phrase []string // instead of Word
	slop   int
}

// Marks are what a matching document was looked for with, without what must not be there.
func (m Matcher) Marks() []Mark { return m.marks }

func (m Matcher) marked(f *mapping.Resolved, word func(string) bool) Matcher {
	if !f.Keyed {
		m.marks = []Mark{{Path: f.Path, Word: word}}
	}
	return m
}

func collectMarks(clauses []Matcher) []Mark {
	var out []Mark
	for _, c := range clauses {
		out = append(out, c.marks...)
	}
	return out
}

// Hits chooses the words to show.
func (m Mark) Hits(words []mapping.Span) []bool {
	out := make([]bool, len(words))
	if m.Phrase == nil {
		for i, w := range words {
			out[i] = m.Word(w.Token)
		}
		return out
	}
	tokens := make([]string, len(words))
	for i, w := range words {
		tokens[i] = w.Token
	}
	if m.slop > 0 {
		near(m.Phrase, tokens, m.slop, func(window []placed) {
			for _, p := range window {
				out[p.place] = true
			}
		})
		return out
	}
	for i := 0; i+len(m.Phrase) <= len(tokens); i++ {
		if slices.Equal(tokens[i:i+len(m.Phrase)], m.Phrase) {
			for j := range m.Phrase {
				out[i+j] = true
			}
		}
	}
	return out
}

// placed is a word of a phrase at a place in a text. Moved is the place less the number of the word in the phrase: words
// in the order of the phrase have the same.
type placed struct{ moved, place, word int }

// near visits the runs of places in which all words of a phrase, each of them different, lie at most slop apart.
func near(words, tokens []string, slop int, visit func([]placed)) {
	var all []placed
	for place, token := range tokens {
		if i := slices.Index(words, token); i >= 0 {
			all = append(all, placed{place - i, place, i})
		}
	}
	slices.SortFunc(all, func(a, b placed) int { return cmp.Or(cmp.Compare(a.moved, b.moved), cmp.Compare(a.place, b.place)) })
	counts := make([]int, len(words))
	have, from := 0, 0
	for to, p := range all {
		if counts[p.word]++; counts[p.word] == 1 {
			have++
		}
		for p.moved-all[from].moved > slop {
			if counts[all[from].word]--; counts[all[from].word] == 0 {
				have--
			}
			from++
		}
		if have == len(words) {
			visit(all[from : to+1])
		}
	}
}
