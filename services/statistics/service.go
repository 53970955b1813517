package statistics

import (
	"context"

	"kreislauf/internal/event"
	"kreislauf/internal/outbox"
	"kreislauf/internal/process"
)

type service struct {
	*process.Process
	store store
	relay *outbox.Relay
}

// New wires an instance; run it with Process.Run.
func New(ctx context.Context, lookup process.Lookup) (*process.Process, error) {
	p, err := process.Open(ctx, "statistics", lookup, process.Needs{MongoDB: true, Kafka: true})
	if err != nil {
		return nil, err
	}
	s := &service{Process: p, store: openStore(p.DB)}
	s.relay = outbox.New(s.store.events, event.TopicStatistics, p.Producer, p.Log)
	p.Late(s.store.ensureIndexes)
	p.Relay(s.relay)
	p.HTTP.Handle("POST", "/api/statistics/v1/events", s.postEvent)
	p.Consume(s.consume)
	return p, nil
}
