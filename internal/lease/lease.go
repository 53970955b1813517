// Package lease owns leases in Redis: a name that at most one holder at a time has, for as long as it renews it in time. It is for work
// that one instance of several should do, such as evaluating alerts.
//
// Invariants: a lease is taken, renewed and given up by its own random token only; each holder gets a fence, a number that is larger than
// those of all before it; the context of a lease ends before Redis can give the lease to somebody else, as far as this process runs.
//
// It does not guarantee that two never work at once: a process that is stopped goes on for a moment after its lease ended, and a Redis that
// loses writes can give a lease twice and begin with smaller fences. Work that must not be done twice stores the fence with what it
// writes and refuses a smaller one, or is idempotent.
package lease

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

var (
	// ErrHeld says that somebody else has the lease.
	ErrHeld = errors.New("the lease is held by another")
	// ErrLost is the cause of the end of a lease's context when it was not given up: it could not be renewed in time, or was taken away.
	ErrLost = errors.New("the lease is lost")
	// errReleased is the cause when it was given up.
	errReleased = errors.New("the lease was released")
)

// Leases takes leases of one tenant. Safe for concurrent use.
type Leases struct {
	rdb      *redis.Client
	customer string
}

// silence keeps go-redis from writing lines of its own, as in session: each error is returned, and logged at the edge.
var silence = sync.OnceFunc(logging.Disable)

// Open connects lazily, with a client of its own: one that repeats a command by itself could not tell a lease that its first try took
// from one that somebody else has, and only one that heeds contexts gives up on a Redis that hangs.
func Open(addr, password, customer string) *Leases {
	silence()
	return &Leases{customer: customer, rdb: redis.NewClient(&redis.Options{
		Addr: addr, Password: password, DialTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second,
		PoolSize: 4, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
	})}
}

// Close ends the connections. Leases that are held end when they can no longer be renewed.
func (s *Leases) Close() error { return s.rdb.Close() }

// Scripts run as one step. The first is SET NX PX and INCR; it also answers a holder that asks again with its own token.
var (
	take = redis.NewScript(`
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if held then return tonumber(redis.call('GET', KEYS[2])) end
return redis.call('INCR', KEYS[2])`)
	renew   = redis.NewScript(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`)
	release = redis.NewScript(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`)
)

// Lease is a lease that is held until its context ends.
type Lease struct {
	Fence int64 // larger than that of every holder before

	leases *Leases
	keys   []string // of the token and of the last fence
	token  string
	ttl    time.Duration
	until  time.Time // when it is lost unless it is renewed; keep alone uses it
	ctx    context.Context
	end    context.CancelCauseFunc
	done   chan struct{} // closed when keep has ended
}

// Acquire tries once to take a lease, which is then renewed until Release, the end of ctx, or its loss. ttl, at least a second, is how
// long the name stays taken after its holder died. The error is ErrHeld when somebody else has it.
func (s *Leases) Acquire(ctx context.Context, name string, ttl time.Duration) (*Lease, error) {
	if ttl < time.Second {
		return nil, fmt.Errorf("acquire lease %s: its time of %v is shorter than a second", name, ttl)
	}
	key := "lease:{" + s.customer + "/" + name + "}" // braces: both keys in one slot of a cluster
	l := &Lease{leases: s, keys: []string{key, key + ":fence"}, token: rand.Text(), ttl: ttl, done: make(chan struct{})}
	var err error
	for range 2 { // after an error nobody knows whether the first try arrived: look, with the same token
		start := time.Now()
		if l.Fence, err = l.run(ctx, take); err == nil {
			l.until = l.validUntil(start)
			break
		}
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("acquire lease %s: %w", name, err)
	case l.Fence == 0:
		return nil, fmt.Errorf("acquire lease %s: %w", name, ErrHeld)
	}
	l.ctx, l.end = context.WithCancelCause(ctx)
	go l.keep()
	return l, nil
}

// run runs a script within a third of the lease's time.
func (l *Lease) run(ctx context.Context, s *redis.Script) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, l.ttl/3)
	defer cancel()
	return s.Run(ctx, l.leases.rdb, l.keys, l.token, l.ttl.Milliseconds()).Int64()
}

// validUntil is when a lease ends here that was asked for at start: a tenth early, because clocks do not run alike.
func (l *Lease) validUntil(start time.Time) time.Time { return start.Add(l.ttl - l.ttl/10) }

// keep renews the lease every third of its time, and after an error every tenth.
func (l *Lease) keep() {
	defer close(l.done)
	for pause := l.ttl / 3; ; {
		select {
		case <-l.ctx.Done():
			return
		case <-time.After(min(pause, time.Until(l.until))):
		}
		start := time.Now()
		ctx, cancel := context.WithDeadline(l.ctx, l.until)
		n, err := l.run(ctx, renew)
		cancel()
		switch {
		case err == nil && n == 1:
			l.until, pause = l.validUntil(start), l.ttl/3
		case err == nil:
			l.end(ErrLost)
		case !time.Now().Before(l.until):
			l.end(fmt.Errorf("%w: %w", ErrLost, err))
		default:
			pause = l.ttl / 10
		}
	}
}

// Context ends when the lease is given up or lost; context.Cause says which.
func (l *Lease) Context() context.Context { return l.ctx }

// Release gives the lease up, if it is still held. After an error it ends by itself within its time.
func (l *Lease) Release(ctx context.Context) error {
	l.end(errReleased)
	<-l.done
	if _, err := l.run(ctx, release); err != nil {
		return fmt.Errorf("release lease: %w", err)
	}
	return nil
}

// Hold calls work whenever the lease can be had, with the lease's context and fence, until ctx ends; it looks every third of ttl. work
// must return when its context ends; an error other than the lease's end ends Hold with it.
func (s *Leases) Hold(ctx context.Context, name string, ttl time.Duration, work func(ctx context.Context, fence int64) error) error {
	for ctx.Err() == nil {
		if l, err := s.Acquire(ctx, name, ttl); err == nil {
			err = work(l.Context(), l.Fence)
			ended := l.Context().Err() != nil
			_ = l.Release(context.WithoutCancel(ctx)) // else it ends by itself
			if err != nil && !ended {
				return err
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(ttl / 3):
		}
	}
	return nil
}
