package identity

import (
	"context"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/process"
	"kreislauf/internal/session"
	"kreislauf/services/identity/password"
)

// hashers bounds the argon2id computations at a time in one instance: 19 MiB each.
const hashers = 2

type service struct {
	users     store
	sessions  *session.Store
	meta      func(context.Context) event.Meta
	inviteKey []byte
	slots     chan struct{}                            // one token a running hash
	look      func(context.Context, audit.Entry) error // writes down who has read what
	trail     func(ctx context.Context, subject string, limit int64) ([]audit.Entry, error)
	decoy     string // hash compared when the e-mail is unknown, so that both cases take as long
}

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	s := &service{
		users:    store{process.Repository[User](p, "users", "account", event.TopicIdentity)},
		sessions: p.Sessions, meta: p.Meta, inviteKey: p.Config.Key("KREISLAUF_INVITE_KEY"),
		slots: make(chan struct{}, hashers), decoy: password.Hash("decoy"),
	}
	p.Late(s.users.ensureIndexes)
	p.Late(s.users.ensureOfficeIndexes)
	trail := p.AuditLog()
	s.look, s.trail = trail.Append, trail.BySubject
	p.Handle("POST", "/api/identity/v1/users", s.postUser)
	p.Handle("POST", "/api/identity/v1/sessions", s.postSession)
	p.Handle("GET", "/api/identity/v1/sessions/current", s.getSession)
	p.Handle("DELETE", "/api/identity/v1/sessions/current", s.deleteSession)
	p.Handle("GET", "/api/identity/v1/users", s.getUsers)
	p.Handle("GET", "/api/identity/v1/audit", s.getAudit)
	return nil
}
