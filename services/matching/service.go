package matching

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"kreislauf/internal/event"
	"kreislauf/internal/process"
)

type service struct {
	partners partners
	matches  matches
	meta     func(context.Context) event.Meta
}

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	s := &service{
		partners: partners{process.Collection[Partner](p, "partners", "partner")},
		matches:  matches{process.Repository[Match](p, "matches", "offer", event.TopicMatching)},
		meta:     p.Meta,
	}
	p.Late(s.matches.ensureIndexes)
	if path := p.Config.String("KREISLAUF_PARTNERS_FILE", ""); path != "" {
		list, err := readPartners(path)
		if err != nil {
			p.Config.Fail("KREISLAUF_PARTNERS_FILE", "%v", err)
		}
		p.Late(func(ctx context.Context) error { return s.partners.importAll(ctx, list) })
	}
	p.Handle("GET", "/api/matching/v1/offers", s.getOffers)
	p.Handle("POST", "/api/matching/v1/offers/{id}/accept", s.postAccept)
	p.Consume(s.consume)
	return nil
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
