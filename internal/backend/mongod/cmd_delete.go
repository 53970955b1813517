package mongod

func (s *Server) delete(q *request) (document, error) {
	ns, ordered, specs, err := q.writeBatch("deletes")
	if err != nil {
		return nil, err
	}
	statements, invalid, err := q.parseDeletes(specs)
	if err != nil {
		return nil, err
	}
	var n int
	var failed *writeErrors
	err = s.store.write(func(w *writeTx) error {
		n, failed = 0, &writeErrors{} // a second run starts over
		for i, st := range statements {
			deleted, err := 0, invalid[i]
			if err == nil {
				deleted, err = w.runDelete(ns, st, q.work)
				err = during("Plan executor error during delete", err)
			}
			n += deleted
			if stop, err := failed.add(i, err, ordered); stop || err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return failed.appendTo(newDocument().int32("n", n)).ok(), nil
}

// deleteStatement is one parsed element of a delete command.
type deleteStatement struct {
	selection
	first bool // limit: 1
}

func (q *request) parseDeletes(specs []document) (statements []deleteStatement, invalid []error, err error) {
	for _, spec := range specs {
		if err := onlyFields(spec, "delete.deletes", "q", "limit"); err != nil {
			return nil, nil, err
		}
		a := &fieldsOf{where: "delete.deletes", doc: spec}
		filterDoc, limit := a.required("q"), a.number("limit", -1)
		if spec.get("limit").missing() {
			a.fail(missingField("delete.deletes", "limit"))
		} else if limit != 0 && limit != 1 {
			a.fail(failure(codeFailedToParse, "The limit field in delete objects must be 0 or 1. Got %d", limit))
		}
		if a.err != nil {
			return nil, nil, a.err
		}
		st := deleteStatement{first: limit == 1}
		st.filter, err = parseFilter(filterDoc, q.ask())
		statements = append(statements, st)
		invalid = append(invalid, err)
	}
	return statements, invalid, nil
}

func (w *writeTx) runDelete(ns string, st deleteStatement, wk *work) (int, error) {
	c, err := w.collection(ns)
	if c == nil || err != nil {
		return 0, err
	}
	keys, err := c.findKeys(st.selection, st.first, wk)
	if err != nil {
		return 0, err
	}
	for i, key := range keys {
		if err := c.remove(key, c.get(key)); err != nil {
			return i, err
		}
	}
	return len(keys), nil
}
