package logship

import (
	"context"
	"fmt"
	"math"
	"time"

	"kreislauf/logship/bulk"
)

// setNow sets the time of shipping of the documents to come.
func (s *pipeline) setNow() {
	now := s.wall()
	s.builder.SetNow(now)
	if s.ledger != nil {
		s.span = s.ledger.spanOf(now)
	}
}

// tally returns which tally of the current batch counts a document of the stream, 0 for none.
func (s *pipeline) tally(stream uint16) uint16 {
	if s.ledger == nil || stream == 0 {
		return 0
	}
	b := &s.current.batch
	for i := len(b.Tallies) - 1; i >= 0; i-- {
		if t := &b.Tallies[i]; t.Stream == stream && t.Span == s.span {
			return uint16(i + 1)
		}
	}
	b.Tallies = append(b.Tallies, bulk.Tally{Stream: stream, Span: s.span})
	s.current.oldest = min(s.current.oldest, s.span)
	return uint16(len(b.Tallies))
}

// reconcile compares what was written with what is indexed, until ctx ends.
func (s *pipeline) reconcile(ctx context.Context) {
	ticker := time.NewTicker(max(s.ledger.span/4, 20*time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if s.client.Stats().Degraded {
			continue
		}
		var due []account
		var streams []string
		s.locked(func() {
			due, streams = s.ledger.due(s.wall(), s.oldestSpan()), s.builder.Streams()
		})
		for _, key := range due {
			s.compare(ctx, key, streams[key.stream-1])
			if ctx.Err() != nil {
				return
			}
		}
	}
}

// oldestSpan returns the first span of which documents are not final.
func (s *pipeline) oldestSpan() int64 {
	oldest := int64(math.MaxInt64)
	for _, l := range s.all {
		oldest = min(oldest, l.oldest)
	}
	return oldest
}

// compare asks the target for the documents of one account.
func (s *pipeline) compare(ctx context.Context, key account, stream string) {
	from, to := s.ledger.startOf(key.span), s.ledger.startOf(key.span+1)
	indexed, err := s.client.Count(ctx, stream, s.opt.Instance, from, to)
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.ledger.totals.Errors++
		s.alarms.raise("written and indexed documents not compared", err.Error())
		return
	}
	if d, differs := s.ledger.settle(key, stream, indexed, time.Now()); differs {
		s.alarms.raise("WRITTEN AND INDEXED DOCUMENTS DIFFER", fmt.Sprintf("%s, event.created from %s: %d written, %d indexed",
			d.Stream, d.From.Format(time.RFC3339Nano), d.Written, d.Indexed))
	}
}
