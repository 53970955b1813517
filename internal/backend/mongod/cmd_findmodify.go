package mongod

// findAndModify finds one document and updates or removes it, atomically: it runs on the writer goroutine as a whole.
func (s *Server) findAndModify(q *request) (document, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	a := q.args()
	filterDoc, sortDoc, fieldsDoc := a.document("query"), a.document("sort"), a.document("fields")
	remove, returnNew, upsert := a.bool("remove", false), a.bool("new", false), a.bool("upsert", false)
	updateArg := q.body.get("update")
	switch {
	case a.err != nil:
		return nil, a.err
	case remove && !updateArg.missing():
		return nil, failure(codeFailedToParse, "Cannot specify both an 'update' and 'remove'=true")
	case !remove && updateArg.missing():
		return nil, failure(codeFailedToParse, "Either an update or remove=true must be specified")
	case remove && upsert:
		return nil, failure(codeFailedToParse, "Cannot specify both 'upsert'=true and 'remove'=true ")
	case remove && returnNew:
		return nil, failure(codeFailedToParse, "Cannot specify both 'new'=true and 'remove'=true; 'remove' always returns the deleted document")
	}
	st := &updateStatement{upsert: upsert}
	if st.filter, err = parseFilter(filterDoc, q.ask()); err != nil {
		return nil, err
	}
	if st.order, err = parseSort(sortDoc); err != nil {
		return nil, err
	}
	proj, err := parseProjection(fieldsDoc)
	if err != nil {
		return nil, err
	}
	if !remove {
		if st.update, err = parseUpdate(updateArg, q.ask()); err != nil {
			return nil, err
		}
	}
	var reply document
	err = s.store.write(func(w *writeTx) error {
		if remove {
			reply, err = w.findAndRemove(ns, st, proj, q.work)
		} else {
			reply, err = w.findAndUpdate(ns, st, proj, returnNew, q.work)
		}
		return during("Plan executor error during findAndModify", err)
	})
	return reply, err
}

func (w *writeTx) findAndRemove(ns string, st *updateStatement, proj *projection, wk *work) (document, error) {
	old, shown := document(nil), nullValue()
	c, err := w.collection(ns)
	if err != nil {
		return nil, err
	}
	if c != nil {
		keys, err := c.findKeys(st.selection, true, wk)
		if err != nil {
			return nil, err
		}
		if len(keys) > 0 {
			old = c.get(keys[0])
			shown = projected(old, proj)
			if err := c.remove(keys[0], old); err != nil {
				return nil, err
			}
		}
	}
	last := newDocument().int32("n", count(old != nil)).done()
	return newDocument().doc("lastErrorObject", last).add("value", shown).ok(), nil
}

func (w *writeTx) findAndUpdate(ns string, st *updateStatement, proj *projection, returnNew bool, wk *work) (document, error) {
	res, err := w.runUpdate(ns, st, wk)
	if err != nil {
		return nil, err
	}
	shown := res.before
	if returnNew {
		shown = res.after
	}
	found := res.matched > 0 || !res.upserted.missing()
	last := newDocument().int32("n", count(found)).bool("updatedExisting", res.matched > 0).add("upserted", res.upserted)
	return newDocument().doc("lastErrorObject", last.done()).add("value", projected(shown, proj)).ok(), nil
}

func projected(d document, proj *projection) value {
	if d == nil {
		return nullValue()
	}
	return documentValue(proj.apply(d))
}

// count is the number of documents of a yes or no.
func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
