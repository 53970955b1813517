package identity

import (
	"net/http"
	"time"

	"kreislauf/internal/audit"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/session"
	"kreislauf/internal/telemetry"
)

// accountView is an account as the back office sees it.
type accountView struct {
	UserID    string    `json:"user_id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	PartnerID string    `json:"partner_id,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// getUsers finds accounts by what was typed (?q). It shows who people are, so it is written down who searched.
func (s *service) getUsers(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	typed, err := httpserver.Searched(r)
	if err != nil {
		return err
	}
	list, err := s.users.search(ctx, typed, httpserver.MaxFound)
	if err != nil {
		return err
	}
	meta := s.meta(ctx)
	by := audit.Actor{UserID: caller.UserID, Role: caller.Caller().Role, Tenant: meta.Customer}
	trace := telemetry.Parse(meta.Traceparent).TraceID().String()
	if err := s.look(ctx, audit.Searched(by, "identity.search", typed, len(list), meta.At, trace)); err != nil {
		return err
	}
	views := make([]accountView, len(list))
	for i, u := range list {
		views[i] = accountView{u.ID, u.Email, u.Name, string(u.session().Caller().Role), u.PartnerID, u.CreatedAt}
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"users": views})
}

func (s *service) getAudit(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	return httpserver.Trail(w, r, s.trail, "user")
}
