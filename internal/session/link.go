package session

import (
	"context"
	"time"

	"kreislauf/internal/problem"
)

// A link lets people in without an account. Their sessions name it and end with it: at its time, or when it is closed.

func (s *Store) linkKey(link string) string { return "link:" + s.customer + ":" + link }

// OpenLink lets sessions of a link live until its end.
func (s *Store) OpenLink(ctx context.Context, link string, until time.Time) error {
	if err := s.rdb.Set(ctx, s.linkKey(link), "", max(time.Until(until), time.Second)).Err(); err != nil {
		return unavailable("open link", err)
	}
	return nil
}

// CloseLink ends all sessions of a link; it may be repeated.
func (s *Store) CloseLink(ctx context.Context, link string) error {
	if err := s.rdb.Del(ctx, s.linkKey(link)).Err(); err != nil {
		return unavailable("close link", err)
	}
	return nil
}

// checkLink refuses a session whose link is not open; most sessions have none.
func (s *Store) checkLink(ctx context.Context, link string) error {
	if link == "" {
		return nil
	}
	n, err := s.rdb.Exists(ctx, s.linkKey(link)).Result()
	switch {
	case err != nil:
		return unavailable("read link", err)
	case n == 0:
		return problem.New(problem.Unauthenticated, "The link that let you in has ended or was revoked; ask who sent it for a new one.")
	}
	return nil
}
