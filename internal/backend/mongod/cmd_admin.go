package mongod

import (
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/store"
)

// dropDatabase removes every collection of the database.
func (s *Server) dropDatabase(q *request) (raw.Document, error) {
	dropped := false
	err := s.store.Write(func(w *store.Tx) error {
		dropped = false
		for _, ns := range w.Namespaces(q.db) {
			if _, err := w.DropCollection(ns); err != nil {
				return err
			}
			dropped = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	b := raw.New()
	if dropped {
		b.Str("dropped", q.db)
	}
	return b.OK(), nil
}
