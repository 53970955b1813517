package aggs

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/mapping"
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

// each calls visit for each group that is not empty, whose documents were counted in ends, with its documents, which keep their order.
func (g *groups) each(docs []int32, visit func(group int, docs []int32) error) error {
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

// contiguous says whether the documents follow each other without a gap.
func contiguous(docs []int32) bool { return int(docs[len(docs)-1]-docs[0]) == len(docs)-1 }

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
		if contiguous(docs) {
			copy(of, v.col.Ords[docs[0]:])
		} else {
			for i, doc := range docs {
				of[i] = v.col.Ords[doc]
			}
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
	return s.t.a.subs.collectGroups(&s.t.groups, docs, func(group int) (*Bucket, error) { return s.bucket(number(group)), nil })
}

// groupedImpl is an aggregation whose states can take the documents of many groups in one pass, where sorting the
// documents by group first would cost more than the work itself. Counts are the documents of each group, states are nil
// for groups that are not wanted. It reports false if it has done nothing.
type groupedImpl interface {
	collectGroups(docs []int32, of, counts []uint32, states []state) bool
}

// collectGroups gives each bucket the documents of its group; bucket is asked for every group that is not empty and may return nil.
func (t *Tree) collectGroups(g *groups, docs []int32, bucket func(group int) (*Bucket, error)) error {
	of := g.of[:len(docs)]
	for _, n := range of {
		g.ends[n]++
	}
	buckets := make([]*Bucket, len(g.ends))
	for n, count := range g.ends {
		if count == 0 {
			continue
		}
		b, err := bucket(n)
		if err != nil {
			return err
		}
		if buckets[n] = b; b != nil {
			b.docs += int64(count)
		}
	}
	var rest []int // aggregations that need the documents group by group
	states := make([]state, len(buckets))
	for i, a := range t.aggs {
		impl, ok := a.impl.(groupedImpl)
		if !ok {
			rest = append(rest, i)
			continue
		}
		for n, b := range buckets {
			if b != nil {
				states[n] = b.states[i]
			}
		}
		if !impl.collectGroups(docs, of, g.ends, states) {
			rest = append(rest, i)
		}
	}
	if rest == nil {
		return nil
	}
	return g.each(docs, func(group int, list []int32) error {
		if buckets[group] == nil {
			return nil
		}
		for _, i := range rest {
			if err := collectAll(buckets[group].states[i], list); err != nil {
				return err
			}
		}
		return nil
	})
}

// collectGroups sums whole numbers.
func (m *metric) collectGroups(docs []int32, of, counts []uint32, states []state) bool {
	if m.a.typ == "cardinality" || m.a.typ == "percentiles" || m.v.col.Kind != column.Int || !m.v.single(docs) {
		return false
	}
	ints := m.v.col.Ints
	sums := make([]int64, len(counts))
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	if contiguous(docs) {
		for i, n := range ints[docs[0]:][:len(docs)] {
			sums[of[i]] += n
			low, high = min(low, n), max(high, n)
		}
	} else {
		for i, doc := range docs {
			n := ints[doc]
			sums[of[i]] += n
			low, high = min(low, n), max(high, n)
		}
	}
	if limit := math.MaxInt64 / int64(len(docs)); high > limit || low < -limit {
		return false // a sum could overflow
	}
	var lows, highs []int64
	if m.a.typ != "avg" && m.a.typ != "sum" && m.a.typ != "value_count" {
		lows, highs = make([]int64, len(counts)), make([]int64, len(counts))
		for n := range lows {
			lows[n], highs[n] = math.MaxInt64, math.MinInt64
		}
		for i, doc := range docs {
			n, v := of[i], ints[doc]
			lows[n], highs[n] = min(lows[n], v), max(highs[n], v)
		}
	}
	for n, count := range counts {
		s, ok := states[n].(*metricState)
		if count == 0 || !ok {
			continue
		}
		s.count += int64(count)
		s.addSum(float64(sums[n]))
		if lows != nil {
			s.min, s.max = min(s.min, float64(lows[n])), max(s.max, float64(highs[n]))
		}
	}
	return true
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
	return s.h.a.subs.collectGroups(&s.h.groups, docs, func(group int) (*Bucket, error) { return s.at(starts[group]) })
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
		s.all = slices.Grow(s.all, len(docs))
		for _, doc := range docs {
			s.all = append(s.all, float64(v.col.Ints[doc]))
		}
	case typ == "percentiles" && v.col.Kind == column.Float:
		s.all = slices.Grow(s.all, len(docs))
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

// settler is a state with work left to do before its result is printed, that does not concern other states.
type settler interface{ settle() }

// settle does that work for many buckets on all processors.
func settle(buckets []*Bucket) {
	workers := min(runtime.GOMAXPROCS(0), len(buckets)/64)
	if workers < 2 || !slices.ContainsFunc(buckets[0].states, func(s state) bool { _, ok := s.(settler); return ok }) {
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(buckets); i = int(next.Add(1)) - 1 {
				for _, s := range buckets[i].states {
					if w, ok := s.(settler); ok {
						w.settle()
					}
				}
			}
		})
	}
	wg.Wait()
}

func (s *metricState) settle() {
	if s.m.a.typ == "percentiles" && s.settled == nil {
		s.settled = percentiles(s.all, s.m.percents)
		s.printed = s.percentiles()
	}
}
