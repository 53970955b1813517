package customer

import (
	"net/http"

	"github.com/gorilla/mux"

	"kreislauf/internal/authz"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// siteView is a site as its customer sees it.
type siteView struct {
	ID      string `json:"site_id"`
	Version int64  `json:"version"`
	Place
}

// managedView is a site as whoever looks after it sees it.
type managedView struct {
	ID       string `json:"site_id"`
	Name     string `json:"name"`
	Street   string `json:"street"`
	Postcode string `json:"postcode"`
	City     string `json:"city"`
}

func viewOf(s Site) siteView { return siteView{s.ID, s.Version, s.Place} }

// answer shows a site, with its version as ETag.
func answer(w http.ResponseWriter, status int, s Site) error {
	w.Header().Set("ETag", versionTag(s.Version))
	return httpserver.JSON(w, status, viewOf(s))
}

// seen reads the version that the caller has read from If-Match.
func seen(r *http.Request) (int64, error) {
	version, ok := httpserver.VersionOf(r.Header.Get("If-Match"))
	if !ok {
		return 0, problem.New(problem.Malformed, `Send the version that you have read as If-Match, for example If-Match: "3".`)
	}
	return version, nil
}

// reused refuses an Idempotency-Key under which something else was made.
func reused(noun string) error {
	return problem.New(problem.Invalid, "This Idempotency-Key was used for another %s; make a new key for a new one.", noun)
}

func (s *service) postSite(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	key, err := httpserver.IdempotencyKey(r)
	if err != nil {
		return err
	}
	var in Place
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	if in, err = in.normal(); err != nil {
		return err
	}
	site, err := newSite(caller.Caller(), key, in, s.meta(ctx))
	if err != nil {
		return err
	}
	list, err := s.sites.of(ctx, caller.Caller())
	if err != nil {
		return err
	}
	if _, err := s.sites.Get(ctx, site.ID); len(list) >= maxSites && problem.KindOf(err) == problem.NotFound {
		return problem.New(problem.Conflict, "You have %d sites; delete one that you do not need any more.", maxSites)
	}
	stored, replayed, err := s.sites.Add(ctx, site)
	if err != nil {
		return err
	}
	httpserver.Annotate(ctx, "site.id", stored.ID)
	w.Header().Set("Location", "/api/customer/v1/sites/"+stored.ID)
	if replayed {
		if stored.RequestHash != site.RequestHash {
			return reused("site")
		}
		httpserver.Replayed(w)
		site.Version = 1
		return answer(w, http.StatusCreated, site)
	}
	httpserver.Action(ctx, "customer.site-changed")
	return answer(w, http.StatusCreated, stored)
}

func (s *service) getSites(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	list, err := s.sites.of(r.Context(), caller.Caller())
	if err != nil {
		return err
	}
	views := make([]siteView, len(list))
	for i, site := range list {
		views[i] = viewOf(site)
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"sites": views})
}

// find reads a site that the caller may see. Another's does not exist for it.
func (s *service) find(r *http.Request, caller session.Session, id string) (Site, error) {
	site, err := s.sites.Get(r.Context(), id)
	if err == nil && (site.Deleted || !caller.Covers(site.object())) {
		err = noSite(id)
	}
	if err != nil {
		return Site{}, err
	}
	httpserver.Annotate(r.Context(), "site.id", site.ID)
	return site, nil
}

func (s *service) getSite(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	site, err := s.find(r, caller, mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	if caller.Scope == authz.Site {
		return httpserver.JSON(w, http.StatusOK, managedView{site.ID, site.Name, site.Street, site.Postcode, site.City})
	}
	return answer(w, http.StatusOK, site)
}

// change lets decide change a site of the caller; action names it on the request's line when anything has changed.
func (s *service) change(r *http.Request, caller session.Session, action string, decide func(*Site) error) (Site, error) {
	ctx, id := r.Context(), mux.Vars(r)["id"]
	site, changed, err := s.sites.Change(ctx, id, func(site *Site) error {
		if !caller.Covers(site.object()) {
			return noSite(id)
		}
		return decide(site)
	})
	if err != nil {
		return Site{}, err
	}
	httpserver.Annotate(ctx, "site.id", id)
	if changed {
		httpserver.Action(ctx, action)
	}
	return site, nil
}

func (s *service) putSite(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	version, err := seen(r)
	if err != nil {
		return err
	}
	var in Place
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	if in, err = in.normal(); err != nil {
		return err
	}
	meta := s.meta(r.Context())
	site, err := s.change(r, caller, "customer.site-changed", func(site *Site) error {
		if site.Deleted {
			return noSite(site.ID)
		}
		return site.change(in, version, meta)
	})
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, site)
}

func (s *service) deleteSite(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	version, err := seen(r)
	if err != nil {
		return err
	}
	meta := s.meta(r.Context())
	site, err := s.change(r, caller, "customer.site-changed", func(site *Site) error { return site.delete(version, meta) })
	if err != nil {
		return err
	}
	for n := 1; n <= site.LinkCount; n++ { // all that there ever were: one that the site has forgotten may still be open
		if err := s.sessions.CloseLink(r.Context(), pass{SiteID: site.ID, Number: n}.name()); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
