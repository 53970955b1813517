package mongod

const maxBatchBytes = maxDocumentSize

// findQuery is a parsed find.
type findQuery struct {
	ns string
	selection
	skip       int64
	limit      int64 // 0 = none
	projection *projection
}

// queryRun is a query under way. Between two batches it holds no transaction: it continues behind the last key it read,
// or, when it had to sort, hands out the documents that it has kept.
type queryRun struct {
	findQuery
	store   *store
	work    *work // of the command that asks for the batch
	scan    *scan // nil before the first batch
	skipped int64
	sent    int64
	kept    []document // sorted or produced results that were not sent yet
	buffer  bool       // results come from kept
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
func (r *queryRun) next(n int64) ([]document, error) {
	if r.buffer {
		return r.fromKept(n), nil
	}
	var batch []document
	exists := false
	err := r.store.readCollection(r.ns, func(c *collTx) (err error) {
		exists = true
		if r.scan == nil {
			r.scan = c.scan(r.selection, r.work)
		}
		r.scan.work = r.work
		if len(r.order) > 0 && !r.scan.sorted {
			return r.sortAll(c)
		}
		batch, err = r.fromScan(c, n)
		return err
	})
	r.done = r.done || !exists
	if r.scan != nil {
		r.scan.report(r.ns, r.filter, int64(len(batch)+len(r.kept)))
	}
	if err == nil && r.buffer {
		return r.fromKept(n), nil
	}
	return batch, during(findError(r.ns), err)
}

// findError is what MongoDB says before an error that a find ran into.
func findError(ns string) string { return "Executor error during find command: " + ns }

func (r *queryRun) sortAll(c *collTx) error {
	s := &sorter{order: r.order}
	if r.limit > 0 && r.skip+r.limit < 1<<30 {
		s.keep = int(r.skip + r.limit)
	}
	_, err := r.scan.each(c, only(r.filter, func(_ []byte, d document) (bool, error) { return true, s.add(d) }))
	if err != nil {
		return err
	}
	docs := s.documents()
	docs = docs[min(r.skip, int64(len(docs))):]
	if r.limit > 0 {
		docs = docs[:min(r.limit, int64(len(docs)))]
	}
	for i, d := range docs {
		docs[i] = r.projection.apply(d)
	}
	r.kept, r.buffer = docs, true
	return nil
}

// fromKept takes documents from the front; a batch holds at least one.
func (r *queryRun) fromKept(n int64) []document {
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

func (r *queryRun) fromScan(c *collTx, n int64) ([]document, error) {
	var batch []document
	size := 0
	if n == 0 {
		return nil, nil
	}
	done, err := r.scan.each(c, only(r.filter, func(_ []byte, d document) (bool, error) {
		if r.skipped < r.skip {
			r.skipped++
			return true, nil
		}
		out := r.projection.apply(d)
		if r.projection == nil {
			out = d.clone()
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
