package identity

import (
	"context"

	"kreislauf/internal/event"
	"kreislauf/internal/outbox"
	"kreislauf/internal/process"
	"kreislauf/services/identity/password"
)

// hashers bounds the argon2id computations at a time in one instance: 19 MiB each.
const hashers = 2

type service struct {
	*process.Process
	users     store
	relay     *outbox.Relay
	inviteKey []byte
	slots     chan struct{} // one token a running hash
	decoy     string        // hash compared when the e-mail is unknown, so that both cases take as long
}

// New wires an instance; run it with Process.Run.
func New(ctx context.Context, lookup process.Lookup) (*process.Process, error) {
	p, err := process.Open(ctx, "identity", lookup, process.Needs{MongoDB: true, Sessions: true, Kafka: true})
	if err != nil {
		return nil, err
	}
	s := &service{
		Process: p, users: openStore(p.DB), inviteKey: p.Config.Key("KREISLAUF_INVITE_KEY"),
		slots: make(chan struct{}, hashers), decoy: password.Hash("decoy"),
	}
	s.relay = outbox.New(s.users.users, event.TopicIdentity, p.Producer, p.Log)
	p.Late(s.users.ensureIndexes)
	p.Relay(s.relay)
	p.HTTP.Handle("POST", "/api/identity/v1/users", s.postUser)
	p.HTTP.Handle("POST", "/api/identity/v1/sessions", s.postSession)
	p.HTTP.Handle("GET", "/api/identity/v1/sessions/current", s.getSession)
	p.HTTP.Handle("DELETE", "/api/identity/v1/sessions/current", s.deleteSession)
	return p, nil
}
