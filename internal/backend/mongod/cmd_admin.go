package mongod

// dropDatabase removes every collection of the database.
func (s *Server) dropDatabase(q *request) (document, error) {
	dropped := false
	err := s.store.write(func(w *writeTx) error {
		dropped = false
		for _, ns := range w.namespaces(q.db) {
			if _, err := w.dropCollection(ns); err != nil {
				return err
			}
			dropped = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	b := newDocument()
	if dropped {
		b.str("dropped", q.db)
	}
	return b.ok(), nil
}
