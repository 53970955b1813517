package identity

import (
	"context"
	"net/http"
	"time"

	"kreislauf/internal/httpserver"
	"kreislauf/internal/input"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
	"kreislauf/services/identity/password"
)

// knows says whether somebody who asks knows the password of an account; hash may be that of the decoy. The try is counted.
func (s *service) knows(ctx context.Context, a attempt, hash, typed string) (bool, error) {
	same := false
	var err error
	if herr := s.hashing(ctx, func() { same, err = password.Verify(hash, typed) }); herr != nil {
		s.unheard(ctx, a)
		return false, herr
	}
	return same, err
}

func (s *service) putPassword(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	var in struct {
		Password    string `json:"password"`
		NewPassword string `json:"new_password"`
	}
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	if fault := checkPassword(in.NewPassword); fault != "" {
		return problem.InvalidField("/new_password", "%s", fault)
	}
	u, err := s.users.Get(ctx, caller.UserID)
	if err != nil {
		return err
	}
	a, err := s.attempt(ctx, u.Email, network(r))
	if err != nil {
		return err
	}
	same, err := s.knows(ctx, a, u.Password, in.Password)
	if err != nil {
		return err
	}
	if !same {
		if err := s.wrong(ctx, a); err != nil {
			return err
		}
		return problem.InvalidField("/password", "this is not your present password")
	}
	if err := s.right(ctx, a); err != nil {
		return err
	}
	before := u.Password
	return s.replacePassword(w, r, u.ID, in.NewPassword, session.ID(session.Token(r)), func(u *User) error {
		if u.Password != before {
			return problem.New(problem.Conflict, "The password was changed elsewhere at this moment; sign in again.")
		}
		return nil
	})
}

// replacePassword sets a new password if check agrees, and ends every session but keep.
func (s *service) replacePassword(w http.ResponseWriter, r *http.Request, userID, typed, keep string, check func(*User) error) error {
	ctx := r.Context()
	hash := ""
	if err := s.hashing(ctx, func() { hash = password.Hash(typed) }); err != nil {
		return err
	}
	meta, now := s.meta(ctx), time.Now()
	u, _, err := s.users.Change(ctx, userID, func(u *User) error {
		if err := check(u); err != nil {
			return err
		}
		return u.setPassword(hash, keep, meta, now)
	})
	if err != nil {
		return err
	}
	s.followAtOnce(ctx, &u)
	httpserver.Annotate(ctx, "user.id", u.ID)
	httpserver.Action(ctx, "identity.password-changed")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// postReset answers the same, and as soon, whether or not the address has an account, and whether or not it has got too many mails already.
func (s *service) postReset(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	ctx := r.Context()
	var in struct {
		Email string `json:"email"`
	}
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	email, fault := input.Email(in.Email)
	if fault != "" {
		return problem.InvalidField("/email", "%s", fault)
	}
	_, wait, err := s.sessions.Attempt(ctx, resetAsking, network(r))
	if err != nil {
		return err
	}
	if wait > 0 {
		return tooMany(wait, "Too many new passwords were asked for from your network; wait %s, then try again.")
	}
	if _, wait, err = s.sessions.Attempt(ctx, resetMails, email); err != nil {
		return err
	}
	if wait == 0 {
		if _, err := s.notices.Insert(ctx, newNotice(noticeReset, email, s.meta(ctx))); err != nil {
			return err
		}
	}
	httpserver.Action(ctx, "identity.password-reset-requested")
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// deliver tells the owner of an address what a notice says, if there is one.
func (s *service) deliver(ctx context.Context, n *Notice) error {
	u, found, err := s.users.byEmail(ctx, n.Email)
	if err != nil {
		return err
	}
	if found {
		meta := s.meta(ctx)
		if _, _, err := s.users.Change(ctx, u.ID, func(u *User) error { return u.notify(n.Kind, s.mailKey, meta) }); err != nil {
			return err
		}
	}
	_, _, err = s.notices.Change(ctx, n.ID, func(n *Notice) error { n.Due(time.Time{}); return nil })
	return err
}

func (s *service) postResetConfirm(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	ctx := r.Context()
	var in struct {
		Token    string `json:"token"`
		Password string `json:"password"`
	}
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	if fault := checkPassword(in.Password); fault != "" {
		return problem.InvalidField("/password", "%s", fault)
	}
	_, wait, err := s.sessions.Attempt(ctx, ofNetwork, network(r))
	if err != nil {
		return err
	}
	if wait > 0 {
		return tooMany(wait, "Too many attempts from your network; wait %s, then try again.")
	}
	u, _, err := s.users.byReset(ctx, resetHash(in.Token)) // without one it is an account that no token resets
	if err != nil {
		return err
	}
	check := func(u *User) error { return u.resets(in.Token, s.meta(ctx).At) }
	if err := check(&u); err != nil {
		return err
	}
	if err := s.right(ctx, attempt{email: u.Email, network: network(r)}); err != nil { // who has the mail need not wait
		return err
	}
	return s.replacePassword(w, r, u.ID, in.Password, "", check)
}
