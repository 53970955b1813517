package identity

import (
	"crypto/rand"
	"net/http"

	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
	"kreislauf/services/identity/password"
)

// postDemo signs in as a demo person, whose account is made if need be. Nobody knows its password.
func (s *service) postDemo(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	ctx := r.Context()
	if s.env != DemoEnv {
		return problem.New(problem.NotFound, "There is no resource at %s. The routes are in docs/architecture.md.", r.URL.Path)
	}
	var in struct {
		Code string `json:"code"`
	}
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	u, err := openDemo(s.inviteKey, in.Code, s.meta(ctx))
	if err != nil {
		return err
	}
	there, found, err := s.users.byEmail(ctx, u.Email)
	if err != nil {
		return err
	}
	if !found {
		if err := s.hashing(ctx, func() { u.Password = password.Hash(rand.Text()) }); err != nil {
			return err
		}
		if _, err := s.users.Insert(ctx, u); err != nil { // of two at once, one finds the other's
			return err
		}
		if there, _, err = s.users.byEmail(ctx, u.Email); err != nil {
			return err
		}
		s.followAtOnce(ctx, &there)
		if there, err = s.users.Get(ctx, there.ID); err != nil {
			return err
		}
	}
	httpserver.Action(ctx, "identity.signed-in")
	return s.signIn(w, r, there, http.StatusCreated)
}
