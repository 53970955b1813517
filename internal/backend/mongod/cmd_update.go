package mongod

import (
	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/registry"
	"kreislauf/internal/backend/mongod/store"
	"kreislauf/internal/backend/mongod/update"
)

// updateStatement is one parsed element of an update command or the update of a findAndModify.
type updateStatement struct {
	store.Selection
	update *update.Update
	multi  bool
	upsert bool
}

func (s *Server) update(q *request) (raw.Document, error) {
	ns, ordered, specs, err := q.writeBatch("updates")
	if err != nil {
		return nil, err
	}
	statements, invalid, err := q.parseUpdates(specs)
	if err != nil {
		return nil, err
	}
	var n, modified int
	var upserted []raw.Value
	var failed *writeErrors
	err = s.store.Write(func(w *store.Tx) error {
		n, modified, upserted, failed = 0, 0, nil, &writeErrors{} // a second run starts over
		for i, st := range statements {
			res, err := updateResult{}, invalid[i]
			if err == nil {
				res, err = runUpdate(w, ns, st, q.work)
				err = fault.During("Plan executor error during update", err)
			}
			if err == nil {
				n, modified = n+res.matched, modified+res.modified
			}
			if !res.upserted.Missing() {
				n++
				upserted = append(upserted, raw.Doc(raw.New().Int32("index", i).Add("_id", res.upserted).Done()))
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
	b := raw.New().Int32("n", n)
	if len(upserted) > 0 {
		b.Array("upserted", upserted)
	}
	return failed.appendTo(b.Int32("nModified", modified)).OK(), nil
}

// parseUpdates parses all statements. A malformed statement fails the command; one with a bad filter or update becomes a write error.
func (q *request) parseUpdates(specs []raw.Document) (statements []*updateStatement, invalid []error, err error) {
	for _, spec := range specs {
		err := onlyFields(spec, "update.updates", "q", "u", "multi", "upsert")
		if err != nil {
			return nil, nil, err
		}
		a := &fieldsOf{where: "update.updates", doc: spec}
		st := &updateStatement{multi: a.boolean("multi"), upsert: a.boolean("upsert")}
		filterDoc := a.required("q")
		switch u := spec.Get("u"); u.Kind {
		case raw.KindMissing:
			a.fail(missingField("update.updates", "u"))
		case raw.KindDocument, raw.KindArray:
		default:
			a.fail(fault.New(fault.FailedToParse, "Update argument must be either an object or an array"))
		}
		if a.err != nil {
			return nil, nil, a.err
		}
		statements = append(statements, st)
		invalid = append(invalid, st.parse(filterDoc, spec.Get("u"), q.ask()))
	}
	return statements, invalid, nil
}

func (st *updateStatement) parse(filterDoc raw.Document, change raw.Value, ask registry.Ask) (err error) {
	if st.Filter, err = query.Parse(filterDoc, ask); err != nil {
		return err
	}
	if st.update, err = update.Parse(change, ask); err != nil {
		return err
	}
	if st.multi && st.update.Replacement != nil {
		return fault.New(fault.FailedToParse, "multi update is not supported for replacement-style update")
	}
	return nil
}

// updateResult counts what one statement did.
type updateResult struct {
	matched, modified int
	upserted          raw.Value    // the _id of the document that it made, or missing
	before, after     raw.Document // of the last document that it changed or made
}

// runUpdate applies one statement. On an error the documents before the failing one keep their change, as in MongoDB.
func runUpdate(w *store.Tx, ns string, st *updateStatement, wk *store.Work) (updateResult, error) {
	var res updateResult
	c, err := w.Collection(ns)
	if err != nil {
		return res, err
	}
	var keys [][]byte
	if c != nil {
		if keys, err = c.FindKeys(st.Selection, !st.multi, wk); err != nil {
			return res, err
		}
	}
	if len(keys) == 0 && st.upsert {
		return upsert(w, ns, st)
	}
	for _, key := range keys {
		old := c.Get(key)
		next, err := st.update.Apply(old, old.Get("_id"), false)
		if err != nil {
			return res, err
		}
		if string(next) != string(old) {
			if err := checkStorable(next); err != nil {
				return res, err
			}
			if err := c.Put(key, old, next); err != nil {
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
func checkStorable(d raw.Document) error {
	if len(d) > raw.MaxDocumentSize {
		return fault.New(fault.ResultTooLarge, "Resulting document after update is larger than %d", raw.MaxDocumentSize)
	}
	if err := raw.Validate(d, 1); err != nil {
		return fault.As(err)
	}
	return nil
}

func upsert(w *store.Tx, ns string, st *updateStatement) (updateResult, error) {
	base, err := update.UpsertBase(st.Filter)
	if err != nil {
		return updateResult{}, err
	}
	d, err := st.update.Apply(base, base.Get("_id"), true)
	if err != nil {
		return updateResult{}, err
	}
	d = d.WithIDFirst(newObjectID())
	if err := checkStorable(d); err != nil {
		return updateResult{}, err
	}
	c, _, err := w.EnsureCollection(ns)
	if err != nil {
		return updateResult{}, err
	}
	if err := c.Insert(d); err != nil {
		return updateResult{}, err
	}
	return updateResult{upserted: d.Get("_id"), after: d}, nil
}
