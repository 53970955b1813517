package mongod

import (
	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/store"
)

func (s *Server) delete(q *request) (raw.Document, error) {
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
	err = s.store.Write(func(w *store.Tx) error {
		n, failed = 0, &writeErrors{} // a second run starts over
		for i, st := range statements {
			deleted, err := 0, invalid[i]
			if err == nil {
				deleted, err = runDelete(w, ns, st, q.work)
				err = fault.During("Plan executor error during delete", err)
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
	return failed.appendTo(raw.New().Int32("n", n)).OK(), nil
}

// deleteStatement is one parsed element of a delete command.
type deleteStatement struct {
	store.Selection
	first bool // limit: 1
}

func (q *request) parseDeletes(specs []raw.Document) (statements []deleteStatement, invalid []error, err error) {
	for _, spec := range specs {
		if err := onlyFields(spec, "delete.deletes", "q", "limit"); err != nil {
			return nil, nil, err
		}
		a := &fieldsOf{where: "delete.deletes", doc: spec}
		filterDoc, limit := a.required("q"), a.number("limit", -1)
		if spec.Get("limit").Missing() {
			a.fail(missingField("delete.deletes", "limit"))
		} else if limit != 0 && limit != 1 {
			a.fail(fault.New(fault.FailedToParse, "The limit field in delete objects must be 0 or 1. Got %d", limit))
		}
		if a.err != nil {
			return nil, nil, a.err
		}
		st := deleteStatement{first: limit == 1}
		st.Filter, err = query.Parse(filterDoc, q.ask())
		statements = append(statements, st)
		invalid = append(invalid, err)
	}
	return statements, invalid, nil
}

func runDelete(w *store.Tx, ns string, st deleteStatement, wk *store.Work) (int, error) {
	c, err := w.Collection(ns)
	if c == nil || err != nil {
		return 0, err
	}
	keys, err := c.FindKeys(st.Selection, st.first, wk)
	if err != nil {
		return 0, err
	}
	for i, key := range keys {
		if err := c.Remove(key, c.Get(key)); err != nil {
			return i, err
		}
	}
	return len(keys), nil
}
