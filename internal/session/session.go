// Package session owns who is signed in: one Redis record a session, a list of the sessions of each user, the two cookies, the checks of
// role and CSRF token, and how often somebody has tried to sign in (Attempt). It is one of the packages that may use go-redis.
//
// Invariants: the browser holds a random token, Redis holds only its SHA-256, so a copy of Redis signs nobody in; a mutation
// needs the CSRF header equal to the session's token; a session ends TTL after its last use, and Age after its beginning at the latest; a
// session that is there is in its user's list, so it can be ended. Any instance of any service of a tenant can check any of its sessions, so
// killing an instance signs nobody out. Losing Redis signs everybody out, forgets failed attempts, and loses nothing else.
//
// Not guaranteed: a Redis that loses its last writes (a second of them when it dies) brings back a session that was ended in that second,
// and forgets the attempts of it.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"kreislauf/internal/authz"
	"kreislauf/internal/problem"
	"kreislauf/internal/telemetry"
)

// TTL is how long an unused session lives, Age how long a session lives at most.
const (
	TTL = 12 * time.Hour
	Age = 30 * 24 * time.Hour
)

// Session is what a service knows of the caller.
type Session struct {
	UserID    string      `json:"user_id"`
	Email     string      `json:"email"`
	Name      string      `json:"name"`
	Role      string      `json:"role"`                 // an authz.Role, or "partner", which is a dispatcher
	CompanyID string      `json:"company_id,omitempty"` // of a customer who orders for a company
	SiteID    string      `json:"site_id,omitempty"`    // of a site manager
	PartnerID string      `json:"partner_id,omitempty"` // of a dispatcher or driver
	DriverID  string      `json:"driver_id,omitempty"`  // of a driver
	Device    string      `json:"device,omitempty"`     // with what the user signed in, in words: "Firefox, Windows"
	Link      string      `json:"link,omitempty"`       // of somebody without an account: the link with which the session ends, see OpenLink
	CSRF      string      `json:"csrf"`
	CreatedAt time.Time   `json:"created_at"`
	Listed    bool        `json:"listed,omitempty"` // it is in its user's list; false in records of versions that had none
	Scope     authz.Scope `json:"-"`                // whose objects this request may touch; set by Guard
}

// Caller is the session in the words of the authorisation table. A role that is unknown stays as it is: no row names it.
func (s Session) Caller() authz.Caller {
	role, _ := authz.ParseRole(s.Role)
	return authz.Caller{UserID: s.UserID, Role: role, CompanyID: s.CompanyID, SiteID: s.SiteID, PartnerID: s.PartnerID, DriverID: s.DriverID}
}

// Covers says whether this request may touch an object. What it may not touch does not exist for the caller: answer NotFound.
func (s Session) Covers(o authz.Object) bool { return s.Scope.Covers(s.Caller(), o) }

// Store reads and writes the sessions of one tenant. Safe for concurrent use.
type Store struct {
	rdb      *redis.Client
	customer string
}

// silence keeps go-redis from writing its own unstructured lines: every error that it tells of is returned, and logged at the edge.
// The library has one logger for the process and no other way to set it.
var silence = sync.OnceFunc(func() { redis.SetLogger(quiet{}) })

type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// Open connects lazily: a Redis that is away shows as Unavailable in requests and in Ping. customer is the tenant: its sessions are
// unknown to any other tenant that shares the Redis.
func Open(addr, password, customer string, tracer *telemetry.Tracer) *Store {
	silence()
	rdb := redis.NewClient(&redis.Options{
		Addr: addr, Password: password, DialTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second,
		PoolSize: 16, MaxRetries: 1, DialerRetries: 1, ContextTimeoutEnabled: true,
	})
	rdb.AddHook(newTracing(tracer))
	return &Store{rdb: rdb, customer: customer}
}

// Close ends the connections.
func (s *Store) Close() error { return s.rdb.Close() }

// Ping is the readiness check.
func (s *Store) Ping(ctx context.Context) error { return s.rdb.Ping(ctx).Err() }

func newToken() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// ID names the session of a token. It may be shown: nobody can sign in with it.
func ID(token string) string {
	h := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// key is that of the record of a token's session, record that of the session with an id.
func (s *Store) key(token string) string { return s.record(ID(token)) }

func (s *Store) record(id string) string { return "session:" + s.customer + ":" + id }

// Create stores a new session and returns its token. It fills in CSRF, CreatedAt and Listed.
func (s *Store) Create(ctx context.Context, sess *Session) (string, error) {
	sess.CSRF, sess.CreatedAt, sess.Listed = newToken(), time.Now().UTC(), true
	b, err := json.Marshal(sess)
	if err != nil {
		return "", fmt.Errorf("encode session: %w", err)
	}
	token := newToken()
	listed, err := s.enlist(ctx, sess.UserID, ID(token), func(p redis.Pipeliner) { p.Set(ctx, s.key(token), b, TTL) })
	if err != nil {
		return "", unavailable("create session", err)
	}
	if listed > longList {
		if _, err := s.List(ctx, sess.UserID); err != nil { // drops what has ended
			return "", err
		}
	}
	return token, nil
}

// Get reads a session and prolongs it. An unknown token is Unauthenticated.
func (s *Store) Get(ctx context.Context, token string) (Session, error) {
	ended := problem.New(problem.Unauthenticated, "The session is unknown or has ended; sign in again.")
	b, err := s.rdb.GetEx(ctx, s.key(token), TTL).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return Session{}, ended
	case err != nil:
		return Session{}, unavailable("read session", err)
	}
	var sess Session
	if err := json.Unmarshal(b, &sess); err != nil {
		return Session{}, fmt.Errorf("decode session: %w", err)
	}
	if time.Since(sess.CreatedAt) > Age {
		return Session{}, ended
	}
	if sess.Link != "" {
		return sess, s.checkLink(ctx, sess.Link)
	}
	if !sess.Listed {
		if err := s.adopt(ctx, ID(token), &sess); err != nil {
			return sess, err
		}
	}
	return sess, nil
}

// Delete ends a session; ending an unknown one is no error.
func (s *Store) Delete(ctx context.Context, token string) error {
	if err := s.rdb.Del(ctx, s.key(token)).Err(); err != nil {
		return unavailable("delete session", err)
	}
	return nil
}

func unavailable(op string, err error) error {
	return problem.Wrap(problem.Unavailable, fmt.Errorf("%s: %w", op, err), "Sessions cannot be read right now; try again in a moment.")
}
