package order

import (
	"context"
	"net/http"
	"slices"

	"kreislauf/internal/authz"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/quote"
	"kreislauf/internal/session"
)

// checkSite refuses an order for a site that is none of the caller's, or not where the quote is for.
func (s *service) checkSite(ctx context.Context, caller session.Session, req Request, q quote.Quote) error {
	if req.SiteID == "" {
		return nil
	}
	site, known, err := s.sites.find(ctx, req.SiteID)
	if err != nil {
		return err
	}
	return site.takes(caller.Caller(), known, q.Postcode)
}

// siteOf is the site to which a list is narrowed, empty for none.
func siteOf(r *http.Request, caller session.Session) string {
	if caller.Scope == authz.Site {
		return caller.SiteID
	}
	return r.URL.Query().Get("site_id")
}

// shown is an order as the caller may see it.
func shown(o Order, caller session.Session) any {
	if caller.Scope == authz.Site {
		return siteViewOf(o)
	}
	return viewOf(o)
}

// accessTo reads how to get to the sites of some jobs. The partner needs it only while it has something to do there.
func (s *service) accessTo(ctx context.Context, jobs ...Order) (map[string]*Access, error) {
	var ids []string
	for _, o := range jobs {
		if o.SiteID != "" && slices.Contains(open(), o.State) && !slices.Contains(ids, o.SiteID) {
			ids = append(ids, o.SiteID)
		}
	}
	if ids == nil {
		return nil, nil
	}
	list, err := s.sites.all(ctx, ids)
	if err != nil {
		return nil, err
	}
	access := map[string]*Access{}
	for _, site := range list {
		if site.Access != (Access{}) {
			access[site.ID] = &site.Access
		}
	}
	return access, nil
}

// answerJob shows a job.
func (s *service) answerJob(w http.ResponseWriter, r *http.Request, caller session.Session, o Order) error {
	access, err := s.accessTo(r.Context(), o)
	if err != nil {
		return err
	}
	return httpserver.JSON(w, http.StatusOK, jobOf(o, caller, access[o.SiteID]))
}
