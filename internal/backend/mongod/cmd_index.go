package mongod

func (s *Server) createIndexes(q *request) (document, error) {
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	specs, err := q.documents("indexes")
	if err != nil {
		return nil, err
	}
	if len(specs) == 0 {
		return nil, failure(codeBadValue, "Must specify at least one index to create")
	}
	made, err := s.store.createIndexes(ns, specs, q.ask())
	if err != nil {
		return nil, err
	}
	b := newDocument().int32("numIndexesBefore", made.before).int32("numIndexesAfter", made.after)
	if made.before == made.after {
		b.str("note", "all indexes already exist")
	} else {
		b.bool("createdCollectionAutomatically", made.created)
	}
	return b.ok(), nil
}
