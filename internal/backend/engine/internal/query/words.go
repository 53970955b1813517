package query

import (
	"slices"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/store"
)

// maxIndexedTexts is the largest number of different texts of a segment that get an index of words. Log messages
// repeat, so their index is small and saves splitting them for each query. Texts that are all different are
// searched one by one, which costs less than an index of them that does not fit into the cache.
const maxIndexedTexts = 16_384

// wordIndex says for each word in which entries of a dictionary it is.
type wordIndex map[string][]uint32

func newWordIndex(texts []string) (index wordIndex, bytes int) {
	index = wordIndex{}
	for i, text := range texts {
		for _, word := range mapping.Tokens(text) {
			list, known := index[word]
			if n := len(list); n > 0 && list[n-1] == uint32(i) {
				continue
			}
			if !known {
				bytes += len(word) + 64
			}
			bytes += 4
			index[word] = append(list, uint32(i))
		}
	}
	return index, bytes
}

// words returns the index of a text column, or nil if it has none.
func words(r *store.Reader, f *mapping.Resolved, c *column.Column) wordIndex {
	if len(c.Dict) > maxIndexedTexts {
		return nil
	}
	v, ok := r.Derived("words/"+f.Path, func() (any, int) { return newWordIndex(c.Dict) })
	if !ok {
		return nil
	}
	return v.(wordIndex)
}

// textMatcher finds the documents of a text field that hold at least a number of the words, or all of them as a phrase.
func textMatcher(f *mapping.Resolved, list []string, minimum int, phrase bool) Matcher {
	test := func(s string) bool { return hasWords(s, list, minimum) }
	if phrase {
		minimum = len(list)
		test = func(s string) bool { return mayContain(s, list[0]) && hasPhrase(mapping.Tokens(s), list) }
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(list)))
	minimum = min(minimum, len(distinct))
	return textScan(f, test, func(index wordIndex, c *column.Column, wanted []bool) {
		counts := make([]uint16, len(c.Dict))
		for _, word := range distinct {
			for _, i := range index[word] {
				if counts[i]++; int(counts[i]) == minimum {
					wanted[i] = !phrase || hasPhrase(mapping.Tokens(c.Dict[i]), list)
				}
			}
		}
	})
}

// wordMatcher finds the documents of a text field with a word that keep accepts.
func wordMatcher(f *mapping.Resolved, keep func(string) bool) Matcher {
	test := func(s string) bool { return slices.ContainsFunc(mapping.Tokens(s), keep) }
	return textScan(f, test, func(index wordIndex, _ *column.Column, wanted []bool) {
		for word, list := range index {
			if keep(word) {
				for _, i := range list {
					wanted[i] = true
				}
			}
		}
	})
}

// textScan chooses texts by the index of words, or one by one with test where there is none.
func textScan(f *mapping.Resolved, test func(string) bool, choose func(wordIndex, *column.Column, []bool)) Matcher {
	return Matcher{match: func(r *store.Reader) (store.Bits, error) {
		bits := store.NewBits(r.Docs)
		c, err := Column(r, f)
		if err != nil {
			return nil, err
		}
		wanted := make([]bool, len(c.Dict))
		if index := words(r, f, c); index != nil {
			choose(index, c, wanted)
		} else {
			for i, s := range c.Dict {
				wanted[i] = test(s)
			}
		}
		if slices.Contains(wanted, true) {
			scanOrds(bits, c, r.Docs, wanted)
		}
		return bits, nil
	}}
}
