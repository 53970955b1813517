package disposer

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"kreislauf/internal/audit"
	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// maxListed is how many partners a list holds at most.
const maxListed = 1000

// view is a partner as the back office and its own dispatchers see it.
type view struct {
	ID      string `json:"partner_id"`
	Version int64  `json:"version"`
	Master
}

// driverView is what a driver sees of its partner: no money, nobody else.
type driverView struct {
	ID       string    `json:"partner_id"`
	Name     string    `json:"name"`
	Street   string    `json:"street"`
	Postcode string    `json:"postcode"`
	City     string    `json:"city"`
	Driver   Driver    `json:"driver"`
	Vehicles []Vehicle `json:"vehicles"`
}

// answer shows a partner, with its version as ETag.
func answer(w http.ResponseWriter, status int, p Partner) error {
	w.Header().Set("ETag", strconv.Quote(strconv.FormatInt(p.Version, 10)))
	return httpserver.JSON(w, status, view{p.ID, p.Version, p.Master})
}

func (s *service) getProfile(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	p, err := s.partners.Get(r.Context(), caller.PartnerID)
	if err != nil {
		return err
	}
	if caller.Caller().Role != authz.Driver {
		return answer(w, http.StatusOK, p)
	}
	d, found := p.driver(caller.DriverID)
	if !found {
		return problem.New(problem.NotFound, "You are not among the drivers of %s any more; ask its dispatcher.", p.Name)
	}
	return httpserver.JSON(w, http.StatusOK, driverView{p.ID, p.Name, p.Street, p.Postcode, p.City, d, p.Vehicles})
}

func (s *service) putProfile(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	version, err := httpserver.RequireMatch(r)
	if err != nil {
		return err
	}
	var in Profile
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	in, f := in.normal("")
	if err := f.problem(); err != nil {
		return err
	}
	meta := s.meta(ctx)
	entry := entryOf(caller, "partner.profile", caller.PartnerID, "", meta)
	return s.change(ctx, w, caller.PartnerID, func(p *Partner) error { return p.change(p.with(in), version, entry, meta, s.zone) })
}

// change changes a partner and shows it.
func (s *service) change(ctx context.Context, w http.ResponseWriter, id string, decide func(*Partner) error) error {
	p, changed, err := s.partners.Change(ctx, id, decide)
	if err != nil {
		return err
	}
	if changed {
		httpserver.Action(ctx, "disposer.partner-changed")
	}
	return answer(w, http.StatusOK, p)
}

func (s *service) getPartners(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	list, err := s.partners.byID(r.Context(), maxListed)
	if err != nil {
		return err
	}
	views := make([]view, len(list))
	for i, p := range list {
		views[i] = view{p.ID, p.Version, p.Master}
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"partners": views})
}

func (s *service) getPartner(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	p, err := s.partners.Get(r.Context(), mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	httpserver.Annotate(r.Context(), "partner.id", p.ID)
	return answer(w, http.StatusOK, p)
}

// putPartner makes or changes a partner. Repeating the request changes nothing and shows the partner.
func (s *service) putPartner(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx, id := r.Context(), mux.Vars(r)["id"]
	version, err := httpserver.MatchOrNew(r, "partner")
	if err != nil {
		return err
	}
	if err := checkID(id); err != nil {
		return err
	}
	httpserver.Annotate(ctx, "partner.id", id)
	var in struct {
		Partner Master `json:"partner"`
		Reason  string `json:"reason"`
	}
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	meta := s.meta(ctx)
	entry := entryOf(caller, "partner.change", id, in.Reason, meta)
	m, f := in.Partner.normal("/partner")
	m.checkActive("/partner", meta.At.In(s.zone).Format(time.DateOnly), &f)
	if _, err := entry.Complete(); err != nil {
		p, ok := errors.AsType[*problem.Error](err)
		if !ok {
			return err
		}
		f = append(f, p.Fields...)
	}
	if err := f.problem(); err != nil {
		return err
	}
	if check := r.URL.Query().Get("check"); check == "true" {
		return s.checkChange(ctx, w, id, m, version, entry, meta)
	} else if check != "" {
		return problem.InvalidField("?check", "%.20q is not possible; use true, or leave it out to store the partner", check)
	}
	if version > 0 {
		return s.change(ctx, w, id, func(p *Partner) error { return p.change(m, version, entry, meta, s.zone) })
	}
	p, err := created(id, m, entry, meta, s.zone)
	if err != nil {
		return err
	}
	there, err := s.partners.Insert(ctx, p)
	if err != nil {
		return err
	}
	if there { // perhaps by this request, sent again: then nothing differs
		return s.change(ctx, w, id, func(p *Partner) error { return p.change(m, 0, entry, meta, s.zone) })
	}
	httpserver.Action(ctx, "disposer.partner-changed")
	w.Header().Set("Location", "/api/disposer/v1/partners/"+id)
	return answer(w, http.StatusCreated, p)
}

// entryOf begins the audit entry of a change.
func entryOf(caller session.Session, operation, id, reason string, meta event.Meta) audit.Entry {
	return audit.Entry{
		At: meta.At, Actor: audit.Actor{UserID: caller.UserID, Role: caller.Caller().Role, Tenant: meta.Customer}, Operation: operation,
		Subject: "partner/" + id, Reason: reason, TraceID: traceID(meta.Traceparent),
	}
}

// traceID is the second part of a traceparent.
func traceID(traceparent string) string {
	if parts := strings.Split(traceparent, "-"); len(parts) == 4 {
		return parts[1]
	}
	return ""
}
