package identity

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// maxListed is how many of a user's sessions a list holds at most.
const maxListed = 100

// sessionView is a session as its user sees it.
type sessionView struct {
	ID         string    `json:"session_id"`
	Device     string    `json:"device"` // "Firefox, Windows"; empty when nothing is known
	BeganAt    time.Time `json:"began_at"`
	LastUsedAt time.Time `json:"last_used_at"`
	Current    bool      `json:"current"` // the caller's
}

func (s *service) getSessions(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	list, err := s.sessions.List(r.Context(), caller.UserID)
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b session.Listed) int { return cmp.Or(b.LastUsed.Compare(a.LastUsed), cmp.Compare(a.ID, b.ID)) })
	current := session.ID(session.Token(r))
	views := []sessionView{}
	for _, l := range list[:min(len(list), maxListed)] {
		views = append(views, sessionView{l.ID, l.Device, l.CreatedAt.Truncate(time.Second), l.LastUsed.Truncate(time.Second), l.ID == current})
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"sessions": views})
}

// deleteOneSession ends one of the caller's sessions, perhaps this one.
func (s *service) deleteOneSession(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	id := mux.Vars(r)["id"]
	found, err := s.sessions.End(r.Context(), caller.UserID, id)
	if err != nil {
		return err
	}
	if !found {
		return problem.New(problem.NotFound, "You have no such session; it may have ended.")
	}
	httpserver.Action(r.Context(), "identity.session-ended")
	if id == session.ID(session.Token(r)) {
		session.ClearCookies(w, r)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// deleteOtherSessions ends all of the caller's sessions but this one.
func (s *service) deleteOtherSessions(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	if err := s.sessions.EndAll(r.Context(), caller.UserID, time.Now(), session.ID(session.Token(r))); err != nil {
		return err
	}
	httpserver.Action(r.Context(), "identity.sessions-ended")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// postEnd ends all sessions of somebody, by the back office.
func (s *service) postEnd(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	var in struct {
		UserID string `json:"user_id"`
		Reason string `json:"reason"`
	}
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	meta := s.meta(ctx)
	entry, err := entryOf(caller, "sessions.end", "user/"+in.UserID, in.Reason, meta).Complete()
	if problem.KindOf(err) == problem.Invalid {
		return err
	}
	if err != nil { // the id is none
		return problem.New(problem.NotFound, "There is no such account.")
	}
	u, _, err := s.users.Change(ctx, in.UserID, func(u *User) error { return u.endSessionsBecause(entry, time.Now()) })
	if err != nil {
		return err
	}
	s.followAtOnce(ctx, &u)
	httpserver.Action(ctx, "identity.sessions-ended")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// follow does what follows a change of an account and is not done yet, and writes down that it is. It may be done twice.
func (s *service) follow(ctx context.Context, u *User) error {
	done := *u
	if e := u.Ending; e != nil {
		if err := s.sessions.EndAll(ctx, u.ID, e.Before, e.Keep); err != nil {
			return err
		}
	}
	if u.Founding != nil {
		c, err := newCompany(u.CompanyID, *u.Founding, s.meta(ctx))
		if err != nil {
			return err
		}
		if _, err := s.companies.Insert(ctx, c); err != nil { // there already: stored by somebody else who does this
			return err
		}
	}
	if u.Ending == nil && u.Founding == nil {
		return nil
	}
	_, _, err := s.users.Change(ctx, u.ID, func(now *User) error { now.followed(done); return nil })
	return err
}

// followAtOnce is follow for a request that has changed an account: if it fails now, the timed work does it.
func (s *service) followAtOnce(ctx context.Context, u *User) { _ = s.follow(ctx, u) }

// entryOf begins the audit entry of a change.
func entryOf(caller session.Session, operation, subject, reason string, meta event.Meta) audit.Entry {
	return audit.Entry{
		At: meta.At, Actor: audit.Actor{UserID: caller.UserID, Role: caller.Caller().Role, Tenant: meta.Customer}, Operation: operation,
		Subject: subject, Reason: reason, TraceID: traceID(meta.Traceparent),
	}
}

// traceID is the second part of a traceparent.
func traceID(traceparent string) string {
	if parts := strings.Split(traceparent, "-"); len(parts) == 4 {
		return parts[1]
	}
	return ""
}
