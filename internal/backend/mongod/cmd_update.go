package mongod

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
		invalid = append(invalid, st.parse(filterDoc, spec.get("u"), q.ask()))
	}
	return statements, invalid, nil
}

func (st *updateStatement) parse(filterDoc document, update value, ask askFunc) (err error) {
	if st.filter, err = parseFilter(filterDoc, ask); err != nil {
		return err
	}
	if st.update, err = parseUpdate(update, ask); err != nil {
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
		old := c.get(key)
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
	if err := validate(d, 1); err != nil {
		return asCommandError(err)
	}
	return nil
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
