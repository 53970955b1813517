package mongod

import (
	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/store"
	"kreislauf/internal/backend/mongod/update"
)

// findAndModify finds one document and updates or removes it, atomically: it runs on the writer goroutine as a whole.
func (s *Server) findAndModify(q *request) (raw.Document, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	a := q.args()
	filterDoc, sortDoc, fieldsDoc := a.document("query"), a.document("sort"), a.document("fields")
	remove, returnNew, upsert := a.bool("remove", false), a.bool("new", false), a.bool("upsert", false)
	updateArg := q.body.Get("update")
	switch {
	case a.err != nil:
		return nil, a.err
	case remove && !updateArg.Missing():
		return nil, fault.New(fault.FailedToParse, "Cannot specify both an 'update' and 'remove'=true")
	case !remove && updateArg.Missing():
		return nil, fault.New(fault.FailedToParse, "Either an update or remove=true must be specified")
	case remove && upsert:
		return nil, fault.New(fault.FailedToParse, "Cannot specify both 'upsert'=true and 'remove'=true ")
	case remove && returnNew:
		return nil, fault.New(fault.FailedToParse,
			"Cannot specify both 'new'=true and 'remove'=true; 'remove' always returns the deleted document")
	}
	st := &updateStatement{upsert: upsert}
	if st.Filter, err = query.Parse(filterDoc, q.ask()); err != nil {
		return nil, err
	}
	if st.Order, err = query.ParseSort(sortDoc); err != nil {
		return nil, err
	}
	proj, err := query.ParseProjection(fieldsDoc)
	if err != nil {
		return nil, err
	}
	if !remove {
		if st.update, err = update.Parse(updateArg, q.ask()); err != nil {
			return nil, err
		}
	}
	var reply raw.Document
	err = s.store.Write(func(w *store.Tx) error {
		if remove {
			reply, err = findAndRemove(w, ns, st, proj, q.work)
		} else {
			reply, err = findAndUpdate(w, ns, st, proj, returnNew, q.work)
		}
		return fault.During("Plan executor error during findAndModify", err)
	})
	return reply, err
}

func findAndRemove(w *store.Tx, ns string, st *updateStatement, proj *query.Projection, wk *store.Work) (raw.Document, error) {
	old, shown := raw.Document(nil), raw.Null()
	c, err := w.Collection(ns)
	if err != nil {
		return nil, err
	}
	if c != nil {
		keys, err := c.FindKeys(st.Selection, true, wk)
		if err != nil {
			return nil, err
		}
		if len(keys) > 0 {
			old = c.Get(keys[0])
			shown = projected(old, proj)
			if err := c.Remove(keys[0], old); err != nil {
				return nil, err
			}
		}
	}
	last := raw.New().Int32("n", count(old != nil)).Done()
	return raw.New().Doc("lastErrorObject", last).Add("value", shown).OK(), nil
}

func findAndUpdate(
	w *store.Tx, ns string, st *updateStatement, proj *query.Projection, returnNew bool, wk *store.Work,
) (raw.Document, error) {
	res, err := runUpdate(w, ns, st, wk)
	if err != nil {
		return nil, err
	}
	shown := res.before
	if returnNew {
		shown = res.after
	}
	found := res.matched > 0 || !res.upserted.Missing()
	last := raw.New().Int32("n", count(found)).Bool("updatedExisting", res.matched > 0).Add("upserted", res.upserted)
	return raw.New().Doc("lastErrorObject", last.Done()).Add("value", projected(shown, proj)).OK(), nil
}

func projected(d raw.Document, proj *query.Projection) raw.Value {
	if d == nil {
		return raw.Null()
	}
	return raw.Doc(proj.Apply(d))
}

// count is the number of documents of a yes or no.
func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
