package matching

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"kreislauf/internal/event"
	"kreislauf/internal/outbox"
	"kreislauf/internal/process"
	"kreislauf/internal/session"
)

type service struct {
	*process.Process
	store store
	relay *outbox.Relay
}

// New wires an instance; run it with Process.Run.
func New(ctx context.Context, lookup process.Lookup) (*process.Process, error) {
	p, err := process.Open(ctx, "matching", lookup, process.Needs{MongoDB: true, Sessions: true, Kafka: true})
	if err != nil {
		return nil, err
	}
	s := &service{Process: p, store: openStore(p.DB)}
	s.relay = outbox.New(s.store.matches, event.TopicMatching, p.Producer, p.Log)
	p.Late(s.store.ensureIndexes)
	if path := p.Config.String("KREISLAUF_PARTNERS_FILE", ""); path != "" {
		partners, err := readPartners(path)
		if err != nil {
			p.Config.Fail("KREISLAUF_PARTNERS_FILE", "%v", err)
		}
		p.Late(func(ctx context.Context) error { return s.store.importPartners(ctx, partners) })
	}
	p.Relay(s.relay)
	p.HTTP.Handle("GET", "/api/matching/v1/offers", p.Sessions.Require(session.RolePartner, s.getOffers))
	p.HTTP.Handle("POST", "/api/matching/v1/offers/{id}/accept", p.Sessions.Require(session.RolePartner, s.postAccept))
	p.Consume(s.consume)
	return p, nil
}

// readPartners reads the master data file: a JSON array of partners.
func readPartners(path string) ([]Partner, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read partners: %w", err)
	}
	var list []Partner
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("read partners in %s: %w", path, err)
	}
	var errs []error
	for _, p := range list {
		errs = append(errs, p.check())
	}
	return list, errors.Join(errs...)
}
