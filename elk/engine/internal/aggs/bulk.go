package aggs

import (
	"math"

	"kreislauf/elk/engine/internal/column"
	"kreislauf/elk/engine/internal/mapping"
)

// bulkState is a state that takes many documents of the prepared segment at once, in ascending order. It must give
// what collect gives for each of them in turn. What a state reads of a segment then stays in the processor's cache, and
// the choice of a loop is made once and not per document.
type bulkState interface {
	collectAll(docs []int32) error
}

// CollectAll adds documents of the prepared segment, in ascending order.
func (b *Bucket) CollectAll(docs []int32) error {
	b.docs += int64(len(docs))
	for _, s := range b.states {
		if err := collectAll(s, docs); err != nil {
			return err
		}
	}
	return nil
}

func collectAll(s state, docs []int32) error {
	if bulk, ok := s.(bulkState); ok && len(docs) > 1 {
		return bulk.collectAll(docs)
	}
	return collectEach(s, docs)
}

func collectEach(s state, docs []int32) error {
	for _, doc := range docs {
		if err := s.collect(int(doc)); err != nil {
			return err
		}
	}
	return nil
}

// single says whether each of the documents has exactly one value, which is stored as it is.
func (v *values) single(docs []int32) bool {
	return len(docs) > 0 && v.typ != mapping.UnsignedLong && v.col.Single(int(docs[len(docs)-1])+1)
}

// groups is scratch space to sort documents by a small number. Each aggregation has its own, so that the documents
// it hands down stay as they are while those below it group them again.
type groups struct {
	of    []uint32 // per document its group
	ends  []uint32
	order []int32
}

// reset makes room for documents in a number of groups and returns the slice that says which is in which.
func (g *groups) reset(docs, n int) []uint32 {
	if cap(g.of) < docs {
		g.of, g.order = make([]uint32, docs), make([]int32, docs)
	}
	if cap(g.ends) < n {
		g.ends = make([]uint32, n)
	}
	g.ends = g.ends[:n]
	clear(g.ends)
	return g.of[:docs]
}

// each calls visit for each group that is not empty with its documents, which keep their order.
func (g *groups) each(docs []int32, visit func(group int, docs []int32) error) error {
	for _, n := range g.of[:len(docs)] {
		g.ends[n]++
	}
	var at uint32
	for i, n := range g.ends {
		g.ends[i] = at
		at += n
	}
	for i, doc := range docs {
		n := g.of[i]
		g.order[g.ends[n]] = doc
		g.ends[n]++
	}
	var from uint32
	for i, end := range g.ends {
		if end > from {
			if err := visit(i, g.order[from:end]); err != nil {
				return err
			}
		}
		from = end
	}
	return nil
}

// maxDense is the widest range of whole numbers that is counted in an array.
const maxDense = 1 << 16

// collectAll groups by the entries of the dictionary, or by whole numbers that lie close together.
func (s *termsState) collectAll(docs []int32) error {
	v := &s.t.v
	if !v.single(docs) {
		return collectEach(s, docs)
	}
	var number func(group int) key
	switch {
	case v.col.Kind == column.String && len(v.col.Dict) <= 4*len(docs)+64:
		of := s.t.groups.reset(len(docs), len(v.col.Dict))
		for i, doc := range docs {
			of[i] = v.col.Ords[doc]
		}
		number = func(group int) key { return key{s: v.col.Dict[group]} }
	case v.col.Kind == column.Int:
		lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
		for _, doc := range docs {
			n := v.col.Ints[doc]
			lo, hi = min(lo, n), max(hi, n)
		}
		if uint64(hi)-uint64(lo) >= maxDense || uint64(hi)-uint64(lo) > uint64(4*len(docs)+64) {
			return collectEach(s, docs)
		}
		of := s.t.groups.reset(len(docs), int(hi-lo)+1)
		for i, doc := range docs {
			of[i] = uint32(v.col.Ints[doc] - lo)
		}
		number = func(group int) key { return key{n: lo + int64(group)} }
	default:
		return collectEach(s, docs)
	}
	return s.t.groups.each(docs, func(group int, list []int32) error {
		b := s.bucket(number(group))
		if b == nil {
			return nil
		}
		return b.CollectAll(list)
	})
}

// collectAll hands runs of documents to their buckets: those of logs come nearly in the order of time.
func (s *histogramState) collectAll(docs []int32) error {
	v := &s.h.v
	if !v.single(docs) {
		return collectEach(s, docs)
	}
	if s.h.width > 0 || v.col.Kind != column.Int {
		return s.scattered(docs)
	}
	ints := v.col.Ints
	for i, runs := 0, 0; i < len(docs); runs++ {
		if runs > 64 && runs > i/8 {
			return s.scattered(docs[i:])
		}
		n := ints[docs[i]]
		if s.bucket == nil || n < s.last || n >= s.until {
			if err := s.choose(key{n: n}); err != nil {
				return err
			}
		}
		from, last, until := i, s.last, s.until
		for i++; i < len(docs) && ints[docs[i]] >= last && ints[docs[i]] < until; i++ {
		}
		if err := s.bucket.CollectAll(docs[from:i]); err != nil {
			return err
		}
	}
	return nil
}

// scattered groups documents whose values jump.
func (s *histogramState) scattered(docs []int32) error {
	numbers := map[int64]uint32{}
	var starts []int64
	of := s.h.groups.reset(len(docs), 0)
	var last uint32
	for i, doc := range docs {
		k := s.h.v.keyAt(uint32(doc))
		if s.h.width == 0 && len(starts) > 0 && k.n >= starts[last] && k.n < s.h.next(starts[last]) {
			of[i] = last
			continue
		}
		n := s.h.floor(k)
		group, known := numbers[n]
		if !known {
			group = uint32(len(starts))
			numbers[n], starts = group, append(starts, n)
		}
		of[i], last = group, group
	}
	s.h.groups.ends = make([]uint32, len(starts))
	return s.h.groups.each(docs, func(group int, list []int32) error {
		b, err := s.at(starts[group])
		if err != nil {
			return err
		}
		return b.CollectAll(list)
	})
}

// collectAll adds numbers in one loop for each type. Whole numbers are summed as such.
func (s *metricState) collectAll(docs []int32) error {
	v := &s.m.v
	if !v.single(docs) {
		return collectEach(s, docs)
	}
	switch typ := s.m.a.typ; {
	case typ == "value_count":
		s.count += int64(len(docs))
	case typ == "cardinality" && v.col.Kind == column.String && len(v.col.Dict) <= 4*len(docs)+64:
		seen := make([]bool, len(v.col.Dict))
		for _, doc := range docs {
			seen[v.col.Ords[doc]] = true
		}
		for i, is := range seen {
			if is {
				s.distinct[key{s: v.col.Dict[i]}] = struct{}{}
			}
		}
	case typ == "percentiles" && v.col.Kind == column.Int:
		for _, doc := range docs {
			s.all = append(s.all, float64(v.col.Ints[doc]))
		}
	case typ == "percentiles" && v.col.Kind == column.Float:
		for _, doc := range docs {
			s.all = append(s.all, v.col.Floats[doc])
		}
	case typ != "cardinality" && typ != "percentiles" && v.col.Kind == column.Int && s.addInts(docs):
	default:
		return collectEach(s, docs)
	}
	return nil
}

// addInts reports false, and adds nothing, if the sum could overflow.
func (s *metricState) addInts(docs []int32) bool {
	ints := s.m.v.col.Ints
	var sum int64
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	for _, doc := range docs {
		n := ints[doc]
		sum += n
		lo, hi = min(lo, n), max(hi, n)
	}
	if limit := math.MaxInt64 / int64(len(docs)); hi > limit || lo < -limit {
		return false
	}
	s.addSum(float64(sum))
	s.count += int64(len(docs))
	s.min, s.max = min(s.min, float64(lo)), max(s.max, float64(hi))
	return true
}

// collectAll gives each filter those that it matches.
func (s *filtersState) collectAll(docs []int32) error {
	if s.rest != nil {
		return collectEach(s, docs)
	}
	for i, b := range s.buckets {
		list := make([]int32, 0, len(docs))
		for _, doc := range docs {
			if s.fs.bits[i].Has(int(doc)) {
				list = append(list, doc)
			}
		}
		if err := b.CollectAll(list); err != nil {
			return err
		}
	}
	return nil
}
