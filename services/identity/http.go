package identity

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
	"kreislauf/services/identity/password"
)

type userView struct {
	UserID    string `json:"user_id"`
	Email     string `json:"email"`
	Name      string `json:"name"`
	Role      string `json:"role"`
	CompanyID string `json:"company_id,omitempty"`
	PartnerID string `json:"partner_id,omitempty"`
	DriverID  string `json:"driver_id,omitempty"`
	SiteID    string `json:"site_id,omitempty"`
}

// viewOf shows a session with the role as it is called today, whatever it was called when the account or the session was made.
func viewOf(s session.Session) userView {
	return userView{s.UserID, s.Email, s.Name, string(s.Caller().Role), s.CompanyID, s.PartnerID, s.DriverID, s.SiteID}
}

// hashing runs f in one of the slots; it waits its turn as long as the caller does.
func (s *service) hashing(ctx context.Context, f func()) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
		f()
		return nil
	case <-ctx.Done():
		return problem.Wrap(problem.Unavailable, ctx.Err(), "Too many people are signing in; try again in a moment.")
	}
}

func (s *service) postUser(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	ctx := r.Context()
	key, err := httpserver.IdempotencyKey(r)
	if err != nil {
		return err
	}
	var in SignUp
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	if in, err = in.normal(); err != nil {
		return err
	}
	var hash string
	if err := s.hashing(ctx, func() { hash = password.Hash(in.Password) }); err != nil {
		return err
	}
	meta := s.meta(ctx)
	var invite Invite
	if in.Invite != "" {
		if invite, err = openInvite(s.inviteKey, in.Invite, meta.At); err != nil {
			return err
		}
	}
	u, err := newUser(in, hash, key, invite, meta)
	if err != nil {
		return err
	}
	taken := false
	if err = s.stands(ctx, invite, meta.At); err == nil {
		taken, err = s.users.Insert(ctx, u)
	} else if problem.KindOf(err) == problem.Invalid {
		if again, found, _ := s.users.byEmail(ctx, in.Email); found && again.SignUpKey == key {
			taken, err = true, nil // it was used by an earlier try
		}
	}
	if err != nil {
		return err
	}
	if taken {
		if u, err = s.replayed(ctx, in, key); err != nil {
			return err
		}
		httpserver.Replayed(w)
	} else {
		s.used(ctx, invite)
		s.followAtOnce(ctx, &u)
		httpserver.Action(ctx, "identity.signed-up")
	}
	return s.signIn(w, r, u, http.StatusCreated)
}

// replayed finds the account that an earlier try with the same key, name and password made; anybody else's e-mail is a conflict.
func (s *service) replayed(ctx context.Context, in SignUp, key string) (User, error) {
	taken := problem.New(problem.Conflict, "This e-mail address has an account already; sign in instead.")
	u, found, err := s.users.byEmail(ctx, in.Email)
	if err != nil {
		return User{}, err
	}
	if !found || u.SignUpKey != key || u.Name != in.Name {
		return User{}, taken
	}
	same := false
	if herr := s.hashing(ctx, func() { same, err = password.Verify(u.Password, in.Password) }); herr != nil {
		return User{}, herr
	}
	if err != nil {
		return User{}, err
	}
	if !same {
		return User{}, taken
	}
	return u, nil
}

func (s *service) postSession(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	ctx := r.Context()
	var in struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	if len(in.Password) > 256 {
		return problem.New(problem.Unauthenticated, "E-mail or password is wrong.")
	}
	email := strings.ToLower(strings.TrimSpace(in.Email))
	a, err := s.attempt(ctx, email, network(r))
	if err != nil {
		return err
	}
	u, found, err := s.users.byEmail(ctx, email)
	if err != nil {
		s.unheard(ctx, a)
		return err
	}
	hash := s.decoy
	if found {
		hash = u.Password
	}
	same, err := s.knows(ctx, a, hash, in.Password)
	if err != nil {
		return err
	}
	if !found || !same {
		httpserver.Action(ctx, "identity.sign-in-refused")
		if err := s.wrong(ctx, a); err != nil {
			return err
		}
		return problem.New(problem.Unauthenticated, "E-mail or password is wrong.")
	}
	if err := s.right(ctx, a); err != nil {
		return err
	}
	httpserver.Action(ctx, "identity.signed-in")
	return s.signIn(w, r, u, http.StatusCreated)
}

// signIn begins a session and shows it.
func (s *service) signIn(w http.ResponseWriter, r *http.Request, u User, status int) error {
	sess, err := s.begin(w, r, u)
	if err != nil {
		return err
	}
	return httpserver.JSON(w, status, viewOf(sess))
}

// begin begins a session; an older one of the same browser ends.
func (s *service) begin(w http.ResponseWriter, r *http.Request, u User) (session.Session, error) {
	ctx := r.Context()
	httpserver.Annotate(ctx, "user.id", u.ID)
	if old := session.Token(r); old != "" {
		if err := s.sessions.Delete(ctx, old); err != nil {
			return session.Session{}, err
		}
	}
	sess := u.session()
	sess.Device = device(r.UserAgent())
	token, err := s.sessions.Create(ctx, &sess)
	if err != nil {
		return sess, err
	}
	// Sessions end after the account has changed. One that begins at that moment may be too late to be ended, so it is looked at here.
	now, err := s.users.Get(ctx, u.ID)
	if err == nil && (now.Password != u.Password || now.session() != u.session()) {
		err = problem.New(problem.Unauthenticated, "The account was changed at this moment; sign in again.")
	}
	if err != nil {
		return sess, errors.Join(err, s.sessions.Delete(ctx, token))
	}
	session.SetCookies(w, r, token, sess.CSRF)
	return sess, nil
}

func (s *service) getSession(w http.ResponseWriter, _ *http.Request, caller session.Session) error {
	return httpserver.JSON(w, http.StatusOK, viewOf(caller))
}

func (s *service) deleteSession(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	if err := s.sessions.Delete(r.Context(), session.Token(r)); err != nil {
		return err
	}
	httpserver.Action(r.Context(), "identity.signed-out")
	session.ClearCookies(w, r)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (u User) session() session.Session {
	return session.Session{
		UserID: u.ID, Email: u.Email, Name: u.Name, Role: u.Role, CompanyID: u.CompanyID, PartnerID: u.PartnerID, DriverID: u.DriverID, SiteID: u.SiteID,
	}
}
