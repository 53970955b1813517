package query

import "kreislauf/elk/engine/internal/mapping"

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
	at := map[string][]int{}
	for i, w := range words {
		at[w.Token] = append(at[w.Token], i)
	}
	m.phrase(at, nil, out)
	return out
}

// phrase marks every choice of places that is near enough.
func (m Mark) phrase(at map[string][]int, chosen []int, out []bool) {
	n := len(chosen)
	if n == len(m.Phrase) {
		for _, place := range chosen {
			out[place] = true
		}
		return
	}
next:
	for _, place := range at[m.Phrase[n]] {
		lo, hi := place-n, place-n
		for i, other := range chosen {
			if other == place {
				continue next
			}
			lo, hi = min(lo, other-i), max(hi, other-i)
		}
		if hi-lo <= m.slop {
			m.phrase(at, append(chosen[:n:n], place), out)
		}
	}
}
