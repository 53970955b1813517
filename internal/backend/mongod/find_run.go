package mongod

import (
	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/store"
)

const maxBatchBytes = raw.MaxDocumentSize

// findQuery is a parsed find.
type findQuery struct {
	ns string
	store.Selection
	skip       int64
	limit      int64 // 0 = none
	projection *query.Projection
}

// queryRun is a query under way. Between two batches it holds no transaction: it continues behind the last key it read,
// or, when it had to sort, hands out the documents that it has kept.
type queryRun struct {
	findQuery
	store   *store.Store
	work    *store.Work // of the command that asks for the batch
	scan    *store.Scan // nil before the first batch
	skipped int64
	sent    int64
	kept    []raw.Document // sorted or produced results that were not sent yet
	buffer  bool           // results come from kept
	done    bool
}

// bytesKept is the memory that the run holds between batches.
func (r *queryRun) bytesKept() int {
	n := 0
	for _, d := range r.kept {
		n += len(d)
	}
	return n
}

// next returns the next batch of at most n documents; afterwards done tells whether there may be more.
func (r *queryRun) next(n int64) ([]raw.Document, error) {
	if r.buffer {
		return r.fromKept(n), nil
	}
	var batch []raw.Document
	exists := false
	err := r.store.ReadCollection(r.ns, func(c *store.Collection) (err error) {
		exists = true
		if r.scan == nil {
			r.scan = c.Scan(r.Selection, r.work)
		}
		r.scan.Work = r.work
		if len(r.Order) > 0 && !r.scan.Sorted {
			return r.sortAll(c)
		}
		batch, err = r.fromScan(c, n)
		return err
	})
	r.done = r.done || !exists
	if r.scan != nil {
		r.scan.Report(r.ns, r.Filter, int64(len(batch)+len(r.kept)))
	}
	if err == nil && r.buffer {
		return r.fromKept(n), nil
	}
	return batch, fault.During(findError(r.ns), err)
}

// findError is what MongoDB says before an error that a find ran into.
func findError(ns string) string { return "Executor error during find command: " + ns }

func (r *queryRun) sortAll(c *store.Collection) error {
	s := &query.Sorter{Order: r.Order}
	if r.limit > 0 && r.skip+r.limit < 1<<30 {
		s.Keep = int(r.skip + r.limit)
	}
	_, err := r.scan.Each(c, store.Only(r.Filter, func(_ []byte, d raw.Document) (bool, error) { return true, s.Add(d) }))
	if err != nil {
		return err
	}
	docs := s.Documents()
	docs = docs[min(r.skip, int64(len(docs))):]
	if r.limit > 0 {
		docs = docs[:min(r.limit, int64(len(docs)))]
	}
	for i, d := range docs {
		docs[i] = r.projection.Apply(d)
	}
	r.kept, r.buffer = docs, true
	return nil
}

// fromKept takes documents from the front; a batch holds at least one.
func (r *queryRun) fromKept(n int64) []raw.Document {
	size, count := 0, 0
	for count < len(r.kept) && int64(count) < n {
		if size += len(r.kept[count]) + 16; count > 0 && size > maxBatchBytes {
			break
		}
		count++
	}
	batch := r.kept[:count]
	r.kept = r.kept[count:]
	r.done = len(r.kept) == 0
	return batch
}

func (r *queryRun) fromScan(c *store.Collection, n int64) ([]raw.Document, error) {
	var batch []raw.Document
	size := 0
	if n == 0 {
		return nil, nil
	}
	done, err := r.scan.Each(c, store.Only(r.Filter, func(_ []byte, d raw.Document) (bool, error) {
		if r.skipped < r.skip {
			r.skipped++
			return true, nil
		}
		out := r.projection.Apply(d)
		if r.projection == nil {
			out = d.Clone()
		}
		batch = append(batch, out)
		size += len(out) + 16
		r.sent++
		if r.limit > 0 && r.sent >= r.limit {
			r.done = true
			return false, nil
		}
		return int64(len(batch)) < n && size < maxBatchBytes-maxBatchBytes/4, nil
	}))
	r.done = r.done || done
	return batch, err
}
