package identity

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"kreislauf/internal/httpserver"
	"kreislauf/internal/input"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// maxMembers is how many members a list shows at most.
const maxMembers = 500

// ofCompany limits the mails that a company's administrator can have sent.
var ofCompany = session.Limit{Name: "invitations", Free: 50, First: time.Hour, Most: 24 * time.Hour, Memory: 24 * time.Hour}

// companyView is a company as its members and the back office see it.
type companyView struct {
	ID      string `json:"company_id"`
	Version int64  `json:"version"`
	Details
	ReverseCharge bool `json:"reverse_charge"`
	Admin         bool `json:"admin"` // whether the caller may change it
}

type memberView struct {
	UserID string `json:"user_id"`
	Name   string `json:"name"`
	Email  string `json:"email"`
	Admin  bool   `json:"admin"`
}

type invitationView struct {
	ID    string    `json:"invitation_id"`
	Email string    `json:"email"`
	Until time.Time `json:"until"`
	Code  string    `json:"invite,omitempty"` // shown once, when it is made
}

// showCompany shows a company; its edition is the version for callers, also as ETag.
func showCompany(w http.ResponseWriter, status int, c Company, admin bool) error {
	w.Header().Set("ETag", etag(c))
	return httpserver.JSON(w, status, companyView{c.ID, c.Edition, c.Details, c.ReverseCharge, admin})
}

func etag(c Company) string { return strconv.Quote(strconv.FormatInt(c.Edition, 10)) }

// member reads the caller's account, which knows better than the session for whom the caller orders.
func (s *service) member(ctx context.Context, caller session.Session) (User, error) {
	u, err := s.users.Get(ctx, caller.UserID)
	if err == nil && u.CompanyID == "" {
		err = errNoCompany()
	}
	httpserver.Annotate(ctx, "company.id", u.CompanyID)
	return u, err
}

// admin is member for what only the administrator may do.
func (s *service) admin(ctx context.Context, caller session.Session) (User, error) {
	u, err := s.member(ctx, caller)
	if err == nil && !u.CompanyAdmin {
		err = problem.New(problem.Forbidden, "Only the administrator of your company may do this.")
	}
	return u, err
}

// company reads the company of a member; a new one may not be stored yet.
func (s *service) company(ctx context.Context, u User) (Company, error) {
	c, err := s.companies.Get(ctx, u.CompanyID)
	if problem.KindOf(err) == problem.NotFound && u.Founding != nil {
		if err := s.follow(ctx, &u); err != nil {
			return c, err
		}
		return s.companies.Get(ctx, u.CompanyID)
	}
	return c, err
}

// getCompany shows all about the caller's company; to the administrator with the open invitations. A private person has none.
func (s *service) getCompany(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	answer := struct {
		Company     *companyView     `json:"company"`
		Members     []memberView     `json:"members"`
		Invitations []invitationView `json:"invitations"`
	}{nil, []memberView{}, []invitationView{}}
	u, err := s.users.Get(ctx, caller.UserID)
	if err != nil {
		return err
	}
	if u.CompanyID == "" {
		return httpserver.JSON(w, http.StatusOK, answer)
	}
	c, err := s.company(ctx, u)
	if err != nil {
		return err
	}
	list, err := s.users.members(ctx, u.CompanyID, maxMembers)
	if err != nil {
		return err
	}
	answer.Company = &companyView{c.ID, c.Edition, c.Details, c.ReverseCharge, u.CompanyAdmin}
	for _, m := range list {
		answer.Members = append(answer.Members, memberView{m.ID, m.Name, m.Email, m.CompanyAdmin})
	}
	for _, i := range c.Invitations {
		if u.CompanyAdmin && s.meta(ctx).At.Before(i.Until) {
			answer.Invitations = append(answer.Invitations, invitationView{ID: i.ID, Email: i.Email, Until: i.Until})
		}
	}
	httpserver.Annotate(ctx, "company.id", c.ID)
	w.Header().Set("ETag", etag(c))
	return httpserver.JSON(w, http.StatusOK, answer)
}

// putCompany changes the caller's company, or founds it.
func (s *service) putCompany(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	version, err := httpserver.MatchOrNew(r, "company")
	if err != nil {
		return err
	}
	var in Details
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	in, fields := in.normal("")
	if fields != nil {
		return &problem.Error{Kind: problem.Invalid, Detail: "The company cannot be stored; see errors.", Fields: fields}
	}
	if version == 0 {
		return s.found(w, r, caller, in)
	}
	u, err := s.admin(ctx, caller)
	if err != nil {
		return err
	}
	if _, err := s.company(ctx, u); err != nil {
		return err
	}
	meta := s.meta(ctx)
	c, changed, err := s.companies.Change(ctx, u.CompanyID, func(c *Company) error { return c.change(in, version, meta) })
	if err != nil {
		return err
	}
	if changed {
		httpserver.Action(ctx, "identity.company-changed")
	}
	return showCompany(w, http.StatusOK, c, true)
}

// found makes the caller's company. The caller gets a new session, which says for whom it orders.
func (s *service) found(w http.ResponseWriter, r *http.Request, caller session.Session, d Details) error {
	ctx, now := r.Context(), time.Now()
	u, _, err := s.users.Change(ctx, caller.UserID, func(u *User) error { return u.found(d, now) })
	if err != nil {
		return err
	}
	c, err := s.company(ctx, u)
	if err != nil {
		return err
	}
	if _, err := s.begin(w, r, u); err != nil {
		return err
	}
	httpserver.Annotate(ctx, "company.id", c.ID)
	httpserver.Action(ctx, "identity.company-changed")
	return showCompany(w, http.StatusCreated, c, true)
}

// deleteMember removes a member, by the administrator or by the member itself.
func (s *service) deleteMember(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx, id := r.Context(), mux.Vars(r)["id"]
	u, err := s.member(ctx, caller)
	if err != nil {
		return err
	}
	if id != u.ID && !u.CompanyAdmin {
		return problem.New(problem.Forbidden, "Only the administrator of your company may do this.")
	}
	now := time.Now()
	gone, _, err := s.users.Change(ctx, id, func(m *User) error { return m.leave(u.CompanyID, now) })
	if err != nil {
		return err
	}
	s.followAtOnce(ctx, &gone)
	if _, _, err := s.companies.Change(ctx, u.CompanyID, func(c *Company) error { return c.forget(gone.Email) }); err != nil {
		return err
	}
	if id == u.ID {
		session.ClearCookies(w, r)
	}
	httpserver.Action(ctx, "identity.member-removed")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *service) postInvitation(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	key, err := httpserver.IdempotencyKey(r)
	if err != nil {
		return err
	}
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
	u, err := s.admin(ctx, caller)
	if err != nil {
		return err
	}
	if _, err := s.company(ctx, u); err != nil {
		return err
	}
	_, wait, err := s.sessions.Attempt(ctx, ofCompany, u.CompanyID)
	if err != nil {
		return err
	}
	if wait > 0 {
		return tooMany(wait, "Your company has invited very many people today; wait %s, then invite more.")
	}
	meta, id := s.meta(ctx), invitationID(u.CompanyID, key)
	c, changed, err := s.companies.Change(ctx, u.CompanyID, func(c *Company) error {
		return c.invite(id, email, u.Name, s.inviteKey, s.mailKey, meta)
	})
	if err != nil {
		return err
	}
	i, _ := c.invitation(id)
	code, err := c.code(s.inviteKey, i)
	if err != nil {
		return err
	}
	if changed {
		httpserver.Action(ctx, "identity.member-invited")
	} else {
		httpserver.Replayed(w)
	}
	return httpserver.JSON(w, http.StatusCreated, invitationView{i.ID, i.Email, i.Until, code})
}

func (s *service) deleteInvitation(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx, id := r.Context(), mux.Vars(r)["id"]
	u, err := s.admin(ctx, caller)
	if err != nil {
		return err
	}
	_, changed, err := s.companies.Change(ctx, u.CompanyID, func(c *Company) error { return c.takeBack(id) })
	if err != nil {
		return err
	}
	if !changed {
		return problem.New(problem.NotFound, "There is no such invitation; it may have been used.")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// postJoin makes the caller, who has an account, a member of the company that invites. The caller gets a new session, which says so.
func (s *service) postJoin(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx := r.Context()
	var in struct {
		Invite string `json:"invite"`
	}
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	meta := s.meta(ctx)
	invite, err := openInvite(s.inviteKey, in.Invite, meta.At)
	if err != nil {
		return err
	}
	if invite.CompanyID == "" {
		return problem.InvalidField("/invite", "the invitation is for a new account of another kind; sign out, and sign up with it")
	}
	u, err := s.users.Get(ctx, caller.UserID)
	if err != nil {
		return err
	}
	if u.CompanyID != invite.CompanyID { // else it is the repetition of what has been done
		if err := s.stands(ctx, invite, meta.At); err != nil {
			return err
		}
		if u, _, err = s.users.Change(ctx, u.ID, func(u *User) error { return u.join(invite) }); err != nil {
			return err
		}
	}
	s.used(ctx, invite)
	httpserver.Action(ctx, "identity.member-joined")
	return s.signIn(w, r, u, http.StatusOK)
}

// stands says whether an invitation to a company has been neither used nor taken back. Other invitations stand until they end.
func (s *service) stands(ctx context.Context, i Invite, at time.Time) error {
	if i.CompanyID == "" {
		return nil
	}
	c, err := s.companies.Get(ctx, i.CompanyID)
	if err != nil && problem.KindOf(err) != problem.NotFound {
		return err
	}
	if open, found := c.invitation(i.ID); !found || at.After(open.Until) {
		return problem.InvalidField("/invite", "the invitation was used or taken back; ask the administrator of the company for a new one")
	}
	return nil
}

// used takes an invitation to a company off its list. If that fails it stays there until it ends, and is worth nothing: its address has an
// account, and whoever is removed from the company loses it.
func (s *service) used(ctx context.Context, i Invite) {
	if i.CompanyID != "" {
		_, _, _ = s.companies.Change(ctx, i.CompanyID, func(c *Company) error { return c.takeBack(i.ID) })
	}
}

func (s *service) getAnyCompany(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	c, err := s.companies.Get(r.Context(), mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	httpserver.Annotate(r.Context(), "company.id", c.ID)
	return showCompany(w, http.StatusOK, c, false)
}

func (s *service) putReverseCharge(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	ctx, id := r.Context(), mux.Vars(r)["id"]
	version, err := httpserver.RequireMatch(r)
	if err != nil {
		return err
	}
	var in struct {
		ReverseCharge bool   `json:"reverse_charge"`
		Reason        string `json:"reason"`
	}
	if err := httpserver.Decode(r, &in); err != nil {
		return err
	}
	if _, err := s.companies.Get(ctx, id); err != nil {
		return err
	}
	meta := s.meta(ctx)
	entry, err := entryOf(caller, "company.reverse-charge", "company/"+id, in.Reason, meta).Complete()
	if err != nil {
		return err
	}
	c, changed, err := s.companies.Change(ctx, id, func(c *Company) error { return c.chargeReverse(in.ReverseCharge, version, entry, meta) })
	if err != nil {
		return err
	}
	httpserver.Annotate(ctx, "company.id", c.ID)
	if changed {
		httpserver.Action(ctx, "identity.company-changed")
	}
	return showCompany(w, http.StatusOK, c, false)
}
