package identity

import (
	"context"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/process"
	"kreislauf/internal/repository"
	"kreislauf/internal/session"
	"kreislauf/services/identity/password"
)

// hashers bounds the argon2id computations at a time in one instance: 19 MiB each.
const hashers = 2

type service struct {
	users     store
	companies *repository.Repository[Company, *Company]
	notices   *repository.Repository[Notice, *Notice]
	sessions  *session.Store
	meta      func(context.Context) event.Meta
	inviteKey []byte
	env       string                                   // only in DemoEnv there are demo people
	mailKey   []byte                                   // seals what only mailing may read
	slots     chan struct{}                            // one token a running hash
	decoy     string                                   // hash compared when the e-mail is unknown, so that both cases take as long
	look      func(context.Context, audit.Entry) error // writes down who has read what
	trail     func(ctx context.Context, subject string, limit int64) ([]audit.Entry, error)
}

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	s := &service{
		users:     store{process.Repository[User](p, "users", "account", event.TopicIdentity)},
		companies: process.Repository[Company](p, "companies", "company", event.TopicIdentity),
		notices:   process.Repository[Notice](p, "notices", "notice", ""), // they emit nothing
		sessions:  p.Sessions, meta: p.Meta, env: p.Settings.Env, inviteKey: p.Config.Key("KREISLAUF_INVITE_KEY"), mailKey: p.Config.Key("KREISLAUF_MAIL_KEY"),
		slots: make(chan struct{}, hashers), decoy: password.Hash("decoy"),
	}
	p.Late(s.users.ensureIndexes)
	p.Late(func(ctx context.Context) error { return expire(ctx, s.notices) })
	process.WorkThen(p, "account follow-up", s.users.Repository, func(m event.Meta, u *User) error { return u.claim(m) }, s.follow)
	process.WorkThen(p, "account notice", s.notices, func(m event.Meta, n *Notice) error { return n.claim(m) }, s.deliver)
	p.Late(s.users.ensureOfficeIndexes)
	trail := p.AuditLog("users", "companies")
	s.look, s.trail = trail.Append, trail.BySubject
	p.Handle("POST", "/api/identity/v1/users", s.postUser)
	p.Handle("POST", "/api/identity/v1/driver-invitations", s.postDriverInvitation)
	p.Handle("POST", "/api/identity/v1/sessions", s.postSession)
	p.Handle("GET", "/api/identity/v1/sessions/current", s.getSession)
	p.Handle("DELETE", "/api/identity/v1/sessions/current", s.deleteSession)
	p.Handle("GET", "/api/identity/v1/sessions", s.getSessions)
	p.Handle("DELETE", "/api/identity/v1/sessions", s.deleteOtherSessions)
	p.Handle("POST", "/api/identity/v1/sessions/end", s.postEnd)
	p.Handle("DELETE", "/api/identity/v1/sessions/{id}", s.deleteOneSession)
	p.Handle("POST", "/api/identity/v1/demo-sessions", s.postDemo)
	p.Handle("GET", "/api/identity/v1/company", s.getCompany)
	p.Handle("PUT", "/api/identity/v1/company", s.putCompany)
	p.Handle("POST", "/api/identity/v1/company/join", s.postJoin)
	p.Handle("DELETE", "/api/identity/v1/company/members/{id}", s.deleteMember)
	p.Handle("POST", "/api/identity/v1/company/invitations", s.postInvitation)
	p.Handle("DELETE", "/api/identity/v1/company/invitations/{id}", s.deleteInvitation)
	p.Handle("GET", "/api/identity/v1/companies/{id}", s.getAnyCompany)
	p.Handle("PUT", "/api/identity/v1/companies/{id}/reverse-charge", s.putReverseCharge)
	p.Handle("PUT", "/api/identity/v1/password", s.putPassword)
	p.Handle("POST", "/api/identity/v1/password-resets", s.postReset)
	p.Handle("POST", "/api/identity/v1/password-resets/confirm", s.postResetConfirm)
	p.Handle("GET", "/api/identity/v1/users", s.getUsers)
	p.Handle("GET", "/api/identity/v1/audit", s.getAudit)
	return nil
}
