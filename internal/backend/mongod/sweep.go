package mongod

import "time"

// sweepLoop deletes expired documents and cursors until the server stops.
func (s *Server) sweepLoop() {
	defer s.tasks.Done()
	ticker := time.NewTicker(s.opts.SweepInterval)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-ticker.C:
			s.cursors.expire(now)
			if err := s.store.DeleteExpired(now, s.stop); err != nil {
				s.log.Error().Err(err).Msg("delete expired documents")
			}
		}
	}
}
