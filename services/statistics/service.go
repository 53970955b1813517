package statistics

import (
	"context"

	"kreislauf/internal/config"
	"kreislauf/internal/event"
	"kreislauf/internal/logging"
	"kreislauf/internal/process"
)

type service struct {
	events   store
	meta     func(context.Context) event.Meta
	sink     *logging.Sink
	settings config.Process

	applications map[string]application // by the hash of their key
	limits       limiter
}

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	s := &service{
		events: store{process.Repository[recorded](p, "events", "event", event.TopicStatistics)},
		meta:   p.Meta, sink: p.Sink, settings: p.Settings,
	}
	const setting = "KREISLAUF_APPLICATIONS"
	var err error
	if s.applications, err = readApplications(p.Config.String(setting, "")); err != nil {
		p.Config.Fail(setting, "%v", err)
	}
	p.Late(s.events.ensureIndexes)
	p.Handle("POST", "/api/statistics/v1/events", s.postEvent)
	p.Consume(s.consume)
	return nil
}
