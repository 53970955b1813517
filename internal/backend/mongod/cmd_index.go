package mongod

import (
	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"
)

func (s *Server) createIndexes(q *request) (raw.Document, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	specs, err := q.documents("indexes")
	if err != nil {
		return nil, err
	}
	if len(specs) == 0 {
		return nil, fault.New(fault.BadValue, "Must specify at least one index to create")
	}
	made, err := s.store.CreateIndexes(ns, specs, q.ask())
	if err != nil {
		return nil, err
	}
	b := raw.New().Int32("numIndexesBefore", made.Before).Int32("numIndexesAfter", made.After)
	if made.Before == made.After {
		b.Str("note", "all indexes already exist")
	} else {
		b.Bool("createdCollectionAutomatically", made.Created)
	}
	return b.OK(), nil
}
