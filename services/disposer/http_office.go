package disposer

import (
	"context"
	"net/http"
	"slices"
	"time"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// foundView is a partner in the list of a search.
type foundView struct {
	ID       string `json:"partner_id"`
	Name     string `json:"name"`
	Postcode string `json:"postcode"`
	City     string `json:"city"`
	Active   bool   `json:"active"`
}

func (s *service) getSearch(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	typed, err := httpserver.Searched(r)
	if err != nil {
		return err
	}
	list, err := s.partners.search(r.Context(), typed, httpserver.MaxFound)
	if err != nil {
		return err
	}
	views := make([]foundView, len(list))
	for i, p := range list {
		views[i] = foundView{p.ID, p.Name, p.Postcode, p.City, p.Active}
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"partners": views})
}

// expiryDays is how many days before its end a certificate becomes work.
const expiryDays = 60

// getWorklists lists certificates that end soon, or have ended and are still on the list of an active partner.
func (s *service) getWorklists(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	before := s.now().In(s.zone).AddDate(0, 0, expiryDays).Format(time.DateOnly)
	return httpserver.Worklists(w, r, httpserver.Worklist{Name: "certificates-ending", Find: func(ctx context.Context, limit int64) ([]httpserver.Work, error) {
		partners, err := s.partners.expiring(ctx, before, limit)
		return s.expiring(partners, before), err
	}})
}

// expiring is the work on certificates that end before a day, the earliest first.
func (s *service) expiring(partners []Partner, before string) []httpserver.Work {
	var list []httpserver.Work
	for _, p := range partners {
		for _, c := range p.Certificates {
			last, err := time.ParseInLocation(time.DateOnly, c.ValidUntil, s.zone)
			if err != nil || c.ValidUntil >= before { // without end, or later
				continue
			}
			list = append(list, httpserver.Work{
				ID: p.ID, PartnerID: p.ID, About: p.Name + ", " + c.Kind + " " + c.Number, Since: last.AddDate(0, 0, 1).UTC(),
			})
		}
	}
	slices.SortStableFunc(list, func(a, b httpserver.Work) int { return a.Since.Compare(b.Since) })
	return list
}

// checkChange says what storing would answer, and stores nothing: who sends many partners looks first whether all of them are right. seen is
// as in Partner.change.
func (s *service) checkChange(ctx context.Context, w http.ResponseWriter, id string, m Master, seen int64, entry audit.Entry, meta event.Meta) error {
	p, err := s.partners.Get(ctx, id)
	switch {
	case problem.KindOf(err) == problem.NotFound && seen == 0:
		return httpserver.JSON(w, http.StatusOK, view{id, 0, m})
	case err != nil:
		return err
	}
	version := p.Version
	if err := p.change(m, seen, entry, meta, s.zone); err != nil {
		return err
	}
	return httpserver.JSON(w, http.StatusOK, view{id, version, p.Master})
}

func (s *service) getAudit(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	return httpserver.Trail(w, r, s.trail, "partner")
}
