package session

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"kreislauf/internal/problem"
)

// Limit says how many attempts of one subject are free, and how the next ones are put off: by First, then twice as long each time, up to Most.
type Limit struct {
	Name   string // of what is counted; part of the key
	Free   int
	First  time.Duration
	Most   time.Duration
	Memory time.Duration // after its last attempt a subject is forgotten
}

// Scripts run as one step: of many attempts at once, no two get the same number.
var (
	attempt = redis.NewScript(`
local wait = redis.call('PTTL', KEYS[2])
if wait > 0 then return {0, wait} end
local n, free = redis.call('INCR', KEYS[1]), tonumber(ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if n >= free then
  redis.call('SET', KEYS[2], '1', 'PX', string.format('%d', math.min(tonumber(ARGV[2]) * 2 ^ (n - free), tonumber(ARGV[3]))))
end
return {n, 0}`)
	takeBack = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('DECR', KEYS[1]) < tonumber(ARGV[1]) then redis.call('DEL', KEYS[2]) end
return 1`)
)

// Attempt counts an attempt of a subject (an e-mail address, a network) before it is made: so many attempts at once are no way around the
// limit. wait is how long the subject must wait instead; then the attempt is not counted and must not be made. n is its number since the
// last Forget. A Redis that is away is Unavailable: no attempt is made that is not counted.
func (s *Store) Attempt(ctx context.Context, l Limit, subject string) (n int, wait time.Duration, err error) {
	v, err := attempt.Run(ctx, s.rdb, s.attemptKeys(l, subject), l.Free, l.First.Milliseconds(), l.Most.Milliseconds(), l.Memory.Milliseconds()).Int64Slice()
	if err == nil && len(v) != 2 {
		err = fmt.Errorf("the script answered %v", v)
	}
	if err != nil {
		return 0, 0, countless(err)
	}
	return int(v[0]), time.Duration(v[1]) * time.Millisecond, nil
}

// TakeBack undoes one Attempt that turned out to be none.
func (s *Store) TakeBack(ctx context.Context, l Limit, subject string) error {
	if err := takeBack.Run(ctx, s.rdb, s.attemptKeys(l, subject), l.Free).Err(); err != nil {
		return countless(err)
	}
	return nil
}

// Forget forgets the attempts of a subject, because one has succeeded.
func (s *Store) Forget(ctx context.Context, l Limit, subject string) error {
	if err := s.rdb.Del(ctx, s.attemptKeys(l, subject)...).Err(); err != nil {
		return countless(err)
	}
	return nil
}

// attemptKeys are the keys of the count and of the wait. They do not show the subject.
func (s *Store) attemptKeys(l Limit, subject string) []string {
	h := sha256.Sum256([]byte(subject))
	key := "attempts:{" + s.customer + "/" + l.Name + "/" + base64.RawURLEncoding.EncodeToString(h[:]) + "}" // braces: one slot of a cluster
	return []string{key, key + ":wait"}
}

func countless(err error) error {
	return problem.Wrap(problem.Unavailable, fmt.Errorf("count attempt: %w", err), "Signing in is not possible right now; try again in a moment.")
}
