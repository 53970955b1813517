package mongod

import (
	"slices"
	"strings"
)

// updateStatement is one parsed element of an update command or the update of a findAndModify.
type updateStatement struct {
	selection
	update *update
	multi  bool
	upsert bool
}

func (s *Server) update(q *request) (document, error) {
	ns, ordered, specs, err := q.writeBatch("updates")
	if err != nil {
		return nil, err
	}
	statements, invalid, err := q.parseUpdates(specs)
	if err != nil {
		return nil, err
	}
	var n, modified int
	var upserted []value
	var failed *writeErrors
	err = s.store.write(func(w *writeTx) error {
		n, modified, upserted, failed = 0, 0, nil, &writeErrors{} // a second run starts over
		for i, st := range statements {
			res, err := updateResult{}, invalid[i]
			if err == nil {
				res, err = w.runUpdate(ns, st, q.work)
				err = during("Plan executor error during update", err)
			}
			if err == nil {
				n, modified = n+res.matched, modified+res.modified
			}
			if !res.upserted.missing() {
				n++
				upserted = append(upserted, documentValue(newDocument().int32("index", i).add("_id", res.upserted).done()))
			}
			if stop, err := failed.add(i, err, ordered); stop || err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	b := newDocument().int32("n", n)
	if len(upserted) > 0 {
		b.array("upserted", upserted)
	}
	return failed.appendTo(b.int32("nModified", modified)).ok(), nil
}

// parseUpdates parses all statements. A malformed statement fails the command; one with a bad filter or update becomes a write error.
func (q *request) parseUpdates(specs []document) (statements []*updateStatement, invalid []error, err error) {
	for _, spec := range specs {
		err := onlyFields(spec, "update.updates", "q", "u", "multi", "upsert")
		if err != nil {
			return nil, nil, err
		}
		a := &fieldsOf{where: "update.updates", doc: spec}
		st := &updateStatement{multi: a.boolean("multi"), upsert: a.boolean("upsert")}
		filterDoc := a.required("q")
		switch u := spec.get("u"); u.kind {
		case kindMissing:
			a.fail(missingField("update.updates", "u"))
		case kindDocument, kindArray:
		default:
			a.fail(failure(codeFailedToParse, "Update argument must be either an object or an array"))
		}
		if a.err != nil {
			return nil, nil, a.err
		}
		statements = append(statements, st)
		invalid = append(invalid, st.parse(filterDoc, spec.get("u")))
	}
	return statements, invalid, nil
}

func (st *updateStatement) parse(filterDoc document, update value) (err error) {
	if st.filter, err = parseFilter(filterDoc); err != nil {
		return err
	}
	if st.update, err = parseUpdate(update); err != nil {
		return err
	}
	if st.multi && st.update.replacement != nil {
		return failure(codeFailedToParse, "multi update is not supported for replacement-style update")
	}
	return nil
}

// updateResult counts what one statement did.
type updateResult struct {
	matched, modified int
	upserted          value    // the _id of the document that it made, or missing
	before, after     document // of the last document that it changed or made
}

// runUpdate applies one statement. On an error the documents before the failing one keep their change, as in MongoDB.
func (w *writeTx) runUpdate(ns string, st *updateStatement, wk *work) (updateResult, error) {
	var res updateResult
	c, err := w.collection(ns)
	if err != nil {
		return res, err
	}
	var keys [][]byte
	if c != nil {
		if keys, err = c.findKeys(st.selection, !st.multi, wk); err != nil {
			return res, err
		}
	}
	if len(keys) == 0 && st.upsert {
		return w.upsert(ns, st)
	}
	for _, key := range keys {
		old := document(c.docs.Get(key)).clone()
		next, err := st.update.apply(old, old.get("_id"), false)
		if err != nil {
			return res, err
		}
		if string(next) != string(old) {
			if err := checkStorable(next); err != nil {
				return res, err
			}
			if err := c.put(key, old, next); err != nil {
				return res, err
			}
			res.modified++
		}
		res.matched++
		res.before, res.after = old, next
	}
	return res, nil
}

// checkStorable refuses an updated document that a client could not have sent.
func checkStorable(d document) error {
	if len(d) > maxDocumentSize {
		return failure(codeResultTooLarge, "Resulting document after update is larger than %d", maxDocumentSize)
	}
	return validate(d, 1)
}

func (w *writeTx) upsert(ns string, st *updateStatement) (updateResult, error) {
	base, err := upsertBase(st.filter)
	if err != nil {
		return updateResult{}, err
	}
	d, err := st.update.apply(base, base.get("_id"), true)
	if err != nil {
		return updateResult{}, err
	}
	d = d.withIDFirst(newObjectID())
	if err := checkStorable(d); err != nil {
		return updateResult{}, err
	}
	c, _, err := w.ensureCollection(ns)
	if err != nil {
		return updateResult{}, err
	}
	if err := c.insert(d); err != nil {
		return updateResult{}, err
	}
	return updateResult{upserted: d.get("_id"), after: d}, nil
}

// upsertBase is the document that the filter's equalities describe.
func upsertBase(f *filter) (document, error) {
	d := emptyDocument()
	var set []*filter
	leaves := f.conjuncts(nil)
	slices.SortStableFunc(leaves, func(a, b *filter) int { return comparePaths(a.path, b.path) })
	for _, leaf := range leaves {
		v := leaf.value
		switch {
		case leaf.op == opEqual:
		case leaf.op == opIn && len(leaf.list) == 1:
			v = leaf.list[0]
		default:
			continue
		}
		for _, other := range set {
			if other.name == leaf.name {
				return nil, failure(codeNotSingleValue, "cannot infer query fields to set, path '%s' is matched twice", leaf.name)
			}
			if strings.HasPrefix(leaf.name, other.name+".") {
				return nil, failure(codeNotSingleValue, "cannot infer query fields to set, both paths '%s' and '%s' are matched", leaf.name, other.name)
			}
		}
		set = append(set, leaf)
		var err error
		if d, err = rewrite(d, leaf.path, assignment(v)); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// findKeys returns the keys of the matching documents, in order, or only the first.
func (c *collTx) findKeys(sel selection, first bool, wk *work) ([][]byte, error) {
	sc := newScan(choosePlan(c.coll, sel), wk)
	var keys [][]byte
	var err error
	if len(sel.order) > 0 && !sc.sorted {
		keys, err = c.firstSorted(sel, sc)
	} else {
		_, err = sc.each(c, sel.filter.only(func(key []byte, _ document) (bool, error) {
			keys = append(keys, append([]byte(nil), key...))
			return !first, nil
		}))
	}
	sc.report(c.ns, sel.filter, int64(len(keys)))
	return keys, err
}

func (c *collTx) firstSorted(sel selection, sc *scan) ([][]byte, error) {
	s := &sorter{order: sel.order, keep: 1}
	_, err := sc.each(c, sel.filter.only(func(_ []byte, d document) (bool, error) { return true, s.add(d) }))
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	for _, d := range s.documents() {
		key, err := documentKey(d.get("_id"))
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}
