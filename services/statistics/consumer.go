package statistics

import (
	"context"
	"fmt"

	"kreislauf/internal/event"
)

// consume writes the event line of one event. It is done when the operating system has the line.
func (s *service) consume(ctx context.Context, e event.Event, payload event.Payload) error {
	if err := s.sink.Commit(s.line(ctx, e, payload)); err != nil {
		return fmt.Errorf("write event line: %w", err)
	}
	return nil
}
