package customer

import (
	"net/http"
	"strconv"

	"github.com/gorilla/mux"

	"kreislauf/internal/authz"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/input"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// linkView is a link as its customer sees it. The code lets anybody in who has it.
type linkView struct {
	Link
	Code string `json:"code"` // opens the link: POST /api/customer/v1/visits
}

func (s *service) postLink(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	var in struct {
		Label string `json:"label"`
		Days  int    `json:"days"`
	}
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	var f faults
	label, fault := input.Line(in.Label, 2, 60)
	if fault != "" {
		f.add("/label", "%s; say for whom the link is", fault)
	}
	if in.Days < 1 || in.Days > maxLinkDays {
		f.add("/days", "1 to %d days are possible", maxLinkDays)
	}
	if err := f.problem("link"); err != nil {
		return err
	}
	key, err := httpserver.IdempotencyKey(r)
	if err != nil {
		return err
	}
	sum, err := hashOf([]any{key, caller.UserID})
	if err != nil {
		return err
	}
	meta := s.meta(r.Context())
	var made Link
	replayed := false
	site, err := s.change(r, caller, "customer.link-made", func(site *Site) (err error) {
		made, replayed, err = site.addLink(sum, label, in.Days, meta)
		return err
	})
	if err != nil {
		return err
	}
	if replayed {
		httpserver.Replayed(w)
	}
	code, err := made.seal(s.linkKey, site.ID)
	if err != nil {
		return err
	}
	return httpserver.JSON(w, http.StatusCreated, linkView{made, code})
}

// getLinks lists the links of a site that have not ended, newest first.
func (s *service) getLinks(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	site, err := s.find(r, caller, mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	views, now := []linkView{}, s.meta(r.Context()).At
	for i := len(site.Links) - 1; i >= 0; i-- {
		l := site.Links[i]
		if l.ended(now) {
			continue
		}
		code, err := l.seal(s.linkKey, site.ID)
		if err != nil {
			return err
		}
		views = append(views, linkView{l, code})
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"links": views})
}

// deleteLink revokes a link and ends the sessions that it opened. It may be repeated.
func (s *service) deleteLink(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	number, err := strconv.Atoi(mux.Vars(r)["number"])
	if err != nil {
		return problem.New(problem.NotFound, "There is no link %s.", mux.Vars(r)["number"])
	}
	site, err := s.change(r, caller, "customer.link-revoked", func(site *Site) error {
		if number < 1 || number > site.LinkCount {
			return problem.New(problem.NotFound, "There is no link %d.", number)
		}
		if l, found := site.link(number); found {
			l.Revoked = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.sessions.CloseLink(r.Context(), pass{SiteID: site.ID, Number: number}.name()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// postVisit exchanges the code of a link for a session of whoever looks after the site; another session of the same browser ends.
func (s *service) postVisit(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	ctx := r.Context()
	var in struct {
		Code string `json:"code"`
	}
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	now := s.meta(ctx).At
	p, err := openPass(s.linkKey, in.Code, now)
	if err != nil {
		return err
	}
	httpserver.Annotate(ctx, "site.id", p.SiteID)
	// Opened before the site is read: whoever revokes it meanwhile closes it after that, so no session outlives its link.
	if err := s.sessions.OpenLink(ctx, p.name(), p.Until); err != nil {
		return err
	}
	site, err := s.sites.Get(ctx, p.SiteID)
	if problem.KindOf(err) == problem.NotFound {
		err = closed()
	}
	var l Link
	if err == nil {
		l, err = site.visited(p, now)
	}
	if err != nil {
		if problem.KindOf(err) == problem.Invalid {
			if e := s.sessions.CloseLink(ctx, p.name()); e != nil {
				return e
			}
		}
		return err
	}
	if old := session.Token(r); old != "" {
		if err := s.sessions.Delete(ctx, old); err != nil {
			return err
		}
	}
	sess := session.Session{
		UserID: "l-" + p.SiteID + "-" + strconv.Itoa(l.Number), Name: l.Label, Role: string(authz.SiteManager), SiteID: site.ID, Link: p.name(),
	}
	token, err := s.sessions.Create(ctx, &sess)
	if err != nil {
		return err
	}
	session.SetCookies(w, r, token, sess.CSRF)
	httpserver.Action(ctx, "customer.link-opened")
	return httpserver.JSON(w, http.StatusCreated, managedView{site.ID, site.Name, site.Street, site.Postcode, site.City})
}
