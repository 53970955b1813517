package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// longList is how long a user's list becomes before signing in looks for what has ended in it.
const longList = 100

// Listed is a session in its user's list.
type Listed struct {
	ID string // see the function ID
	Session
	LastUsed time.Time
}

// listKey is the set of the ids of a user's sessions. It outlives each of them; those that have ended are dropped when the list is read.
func (s *Store) listKey(userID string) string { return "sessions:" + s.customer + ":" + userID }

// enlist puts a session into its user's list in one step with what store adds, and says how long the list is.
func (s *Store) enlist(ctx context.Context, userID, id string, store func(redis.Pipeliner)) (int64, error) {
	var size *redis.IntCmd
	_, err := s.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.SAdd(ctx, s.listKey(userID), id)
		p.Expire(ctx, s.listKey(userID), Age)
		store(p)
		size = p.SCard(ctx, s.listKey(userID))
		return nil
	})
	if err != nil {
		return 0, err
	}
	return size.Val(), nil
}

// adopt puts a session into its user's list that began before there were lists.
func (s *Store) adopt(ctx context.Context, id string, sess *Session) error {
	sess.Listed = true
	b, err := json.Marshal(sess)
	if err != nil {
		return fmt.Errorf("encode session: %w", err)
	}
	_, err = s.enlist(ctx, sess.UserID, id, func(p redis.Pipeliner) {
		p.SetArgs(ctx, s.record(id), b, redis.SetArgs{Mode: "XX", KeepTTL: true}) // one that has just ended stays so
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return unavailable("list session", err)
	}
	return nil
}

// List finds the sessions of a user, in no order, and drops from the list what has ended.
func (s *Store) List(ctx context.Context, userID string) ([]Listed, error) {
	ids, err := s.rdb.SMembers(ctx, s.listKey(userID)).Result()
	if err != nil {
		return nil, unavailable("list sessions", err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	records, left := make([]*redis.StringCmd, len(ids)), make([]*redis.DurationCmd, len(ids))
	_, err = s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			records[i], left[i] = p.Get(ctx, s.record(id)), p.PTTL(ctx, s.record(id))
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, unavailable("list sessions", err)
	}
	var list []Listed
	var gone []any
	now := time.Now().UTC()
	for i, id := range ids {
		l := Listed{ID: id, LastUsed: now.Add(left[i].Val() - TTL)} // each use sets the time that is left to TTL
		b, err := records[i].Bytes()
		if err == nil {
			err = json.Unmarshal(b, &l.Session)
		}
		if err != nil || now.Sub(l.CreatedAt) > Age {
			gone = append(gone, id)
			continue
		}
		list = append(list, l)
	}
	if len(gone) > 0 {
		if err := s.rdb.SRem(ctx, s.listKey(userID), gone...).Err(); err != nil {
			return nil, unavailable("list sessions", err)
		}
	}
	return list, nil
}

// End ends a session of a user by its id; found is false when the user has none with it.
func (s *Store) End(ctx context.Context, userID, id string) (found bool, err error) {
	listed, err := s.rdb.SIsMember(ctx, s.listKey(userID), id).Result()
	if err != nil {
		return false, unavailable("end session", err)
	}
	if !listed {
		return false, nil
	}
	n, err := s.rdb.Del(ctx, s.record(id)).Result()
	if err != nil {
		return false, unavailable("end session", err)
	}
	return n > 0, nil
}

// EndAll ends the sessions of a user that began before a time, but for the one with the id keep (empty: none is kept).
func (s *Store) EndAll(ctx context.Context, userID string, before time.Time, keep string) error {
	list, err := s.List(ctx, userID)
	if err != nil {
		return err
	}
	for _, l := range list {
		if l.ID == keep || !l.CreatedAt.Before(before) {
			continue
		}
		if err := s.rdb.Del(ctx, s.record(l.ID)).Err(); err != nil {
			return unavailable("end sessions", err)
		}
	}
	return nil
}
