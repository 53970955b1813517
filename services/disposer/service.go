package disposer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/process"
)

type service struct {
	partners store
	meta     func(context.Context) event.Meta
	zone     *time.Location
	now      func() time.Time
	trail    func(ctx context.Context, subject string, limit int64) ([]audit.Entry, error)
}

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return fmt.Errorf("load time zone: %w", err)
	}
	s := &service{store{process.Repository[Partner](p, "partners", "partner", event.TopicDisposer)}, p.Meta, berlin, p.Now, nil}
	s.trail = p.AuditLog("partners").BySubject
	p.Late(s.partners.ensureOfficeIndexes)
	p.Late(s.partners.name)
	process.Work(p, "end of permits", s.partners.Repository, func(m event.Meta, p *Partner) error { return p.end(m, berlin) })
	if path := p.Config.String("KREISLAUF_PARTNERS_FILE", ""); path != "" {
		list, err := ReadFile(path)
		if err != nil {
			p.Config.Fail("KREISLAUF_PARTNERS_FILE", "%v", err)
		}
		p.Late(func(ctx context.Context) error { return s.partners.importAll(ctx, list, s.meta(ctx), berlin) })
	}
	p.Handle("GET", "/api/disposer/v1/profile", s.getProfile)
	p.Handle("PUT", "/api/disposer/v1/profile", s.putProfile)
	p.Handle("GET", "/api/disposer/v1/partners", s.getPartners)
	p.Handle("GET", "/api/disposer/v1/partners/{id}", s.getPartner)
	p.Handle("PUT", "/api/disposer/v1/partners/{id}", s.putPartner)
	p.Handle("GET", "/api/disposer/v1/search", s.getSearch)
	p.Handle("GET", "/api/disposer/v1/worklists", s.getWorklists)
	p.Handle("GET", "/api/disposer/v1/audit", s.getAudit)
	return nil
}

// ReadFile reads the file of master data: a JSON array of partners, each with the members of Master and its id. The error names all that
// is wrong with them.
func ReadFile(path string) ([]Listed, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read partners: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields() // a member that is written wrongly would be missing without a word
	var list []Listed
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("read partners in %s: %w", path, err)
	}
	var errs []error
	seen := map[string]bool{}
	for i, l := range list {
		var f faults
		list[i].Master, f = l.normal("")
		if seen[l.ID] {
			f.add("/id", "another partner has the id %s", l.ID)
		}
		seen[l.ID] = true
		for _, err := range []error{checkID(l.ID), f.problem()} {
			if err != nil {
				errs = append(errs, fmt.Errorf("partner %d, %q: %w", i+1, l.ID, err))
			}
		}
	}
	return list, errors.Join(errs...)
}
