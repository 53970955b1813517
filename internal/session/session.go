// Package session owns who is signed in: one Redis record a session, the two cookies, and the checks of role and CSRF token.
// It is one of the packages that may use go-redis.
//
// Invariants: the browser holds a random token, Redis holds only its SHA-256, so a copy of Redis signs nobody in; a mutation
// needs the CSRF header equal to the session's token; a session ends TTL after its last use. Any instance of any service of a tenant
// can check any of its sessions, so killing an instance signs nobody out. Losing Redis signs everybody out and loses nothing else.
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

// TTL is how long an unused session lives.
const TTL = 12 * time.Hour

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
	Link      string      `json:"link,omitempty"`       // of somebody without an account: the link with which the session ends, see OpenLink
	CSRF      string      `json:"csrf"`
	CreatedAt time.Time   `json:"created_at"`
	Scope     authz.Scope `json:"-"` // whose objects this request may touch; set by Guard
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

func (s *Store) key(token string) string {
	h := sha256.Sum256([]byte(token))
	return "session:" + s.customer + ":" + base64.RawURLEncoding.EncodeToString(h[:])
}

// Create stores a new session and returns its token. It fills in CSRF and CreatedAt.
func (s *Store) Create(ctx context.Context, sess *Session) (string, error) {
	sess.CSRF, sess.CreatedAt = newToken(), time.Now().UTC()
	b, err := json.Marshal(sess)
	if err != nil {
		return "", fmt.Errorf("encode session: %w", err)
	}
	token := newToken()
	if err := s.rdb.Set(ctx, s.key(token), b, TTL).Err(); err != nil {
		return "", unavailable("create session", err)
	}
	return token, nil
}

// Get reads a session and prolongs it. An unknown token is Unauthenticated.
func (s *Store) Get(ctx context.Context, token string) (Session, error) {
	b, err := s.rdb.GetEx(ctx, s.key(token), TTL).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return Session{}, problem.New(problem.Unauthenticated, "The session is unknown or has ended; sign in again.")
	case err != nil:
		return Session{}, unavailable("read session", err)
	}
	var sess Session
	if err := json.Unmarshal(b, &sess); err != nil {
		return Session{}, fmt.Errorf("decode session: %w", err)
	}
	return sess, s.checkLink(ctx, sess.Link)
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
