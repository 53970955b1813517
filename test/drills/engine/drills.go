package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// prepared starts the engine on the empty folder and puts the template.
func (s *site) prepared(ctx context.Context) (*node, error) {
	n, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := n.call("PUT", "/_index_template/drill", template); err != nil {
		n.kill()
		return nil, err
	}
	return n, nil
}

func nothing() error { time.Sleep(2 * time.Millisecond); return nil }

// drillKill kills the engine while eight writers send small bulks.
func drillKill(ctx context.Context, s *site) (string, error) {
	return s.killRounds(ctx, 8, 50, 1500, func(*node) func() error { return nothing })
}

// drillKillFlush kills it while large bulks fill segments and the stream rolls over again and again.
func drillKillFlush(ctx context.Context, s *site) (string, error) {
	s.rounds = max(s.rounds/2, 1)
	return s.killRounds(ctx, 8, 1000, 40_000, func(n *node) func() error {
		rolled := time.Now()
		return func() error {
			time.Sleep(2 * time.Millisecond)
			if time.Since(rolled) < 400*time.Millisecond {
				return nil
			}
			rolled = time.Now()
			_, err := n.call("POST", "/"+stream+"/_rollover", "")
			var no *refused
			if errors.As(err, &no) {
				return err
			}
			return nil // killed
		}
	})
}

// killRounds writes and kills, round by round, and compares after the last one. Ids are unique in a backing index only, so
// a retry after a rollover may be stored twice there, as in Elasticsearch: the drill with rollovers sends nothing again.
func (s *site) killRounds(ctx context.Context, writers, size int, least int64, beside func(*node) func() error) (string, error) {
	rnd := rand.New(rand.NewPCG(s.seed, 1))
	l := newLedger()
	var slowest time.Duration
	for round := range s.rounds {
		n, err := s.start(ctx)
		if err != nil {
			return "", fmt.Errorf("round %d: %w", round, err)
		}
		slowest = max(slowest, n.took)
		if round == 0 {
			if _, err := n.call("PUT", "/_index_template/drill", template); err != nil {
				n.kill()
				return "", err
			}
		}
		if err := l.round(n, writers, size, least, rnd, beside(n)); err != nil {
			return "", fmt.Errorf("round %d: %w", round, err)
		}
		if size >= 1000 {
			clear(l.pending)
		}
		if err := ctx.Err(); err != nil {
			return "", err
		}
	}
	n, err := s.start(ctx)
	if err != nil {
		return "", err
	}
	defer n.kill()
	extra, err := l.check(n)
	if err != nil {
		return "", err
	}
	segments, err := s.files("seg-????????")
	return fmt.Sprintf("%d rounds, %d writers, %d acknowledged, 0 lost, none twice, %d stored without an answer, %d segments, slowest start %s",
		s.rounds, writers, l.count(), extra, len(segments), slowest.Round(time.Millisecond)), err
}

// fill writes a number of documents in bulks and stops.
func (l *ledger) fill(n *node, bulks, size int) error {
	for range bulks {
		var ids []string
		for i := range size {
			ids = append(ids, fmt.Sprintf("f-%d-%d", l.next[-1], i))
		}
		l.next[-1]++
		out, err := n.call("POST", "/"+stream+"/_bulk", bulkBody(ids))
		if err != nil {
			return err
		}
		if err := l.settle(-1, ids, out); err != nil {
			return err
		}
	}
	return nil
}

// drillDamage inverts a byte of one of two segments and one in the middle of the log.
func drillDamage(ctx context.Context, s *site) (string, error) {
	n, err := s.prepared(ctx)
	if err != nil {
		return "", err
	}
	defer func() { n.kill() }()
	l := newLedger()
	for range 2 {
		if err := l.fill(n, 10, 100); err != nil {
			return "", err
		}
		if _, err := n.call("POST", "/"+stream+"/_rollover", ""); err != nil {
			return "", err
		}
	}
	if err := l.fill(n, 10, 100); err != nil {
		return "", err
	}
	n.kill()
	rnd := rand.New(rand.NewPCG(s.seed, 2))
	segments, err := s.files("seg-????????")
	if err != nil || len(segments) != 2 {
		return "", fmt.Errorf("segments %v: %w", segments, err)
	}
	logs, err := s.files("wal-*")
	if err != nil {
		return "", err
	}
	damaged := 0
	for _, path := range append(logs, segments[rnd.IntN(2)]) {
		info, err := os.Stat(path)
		if err != nil {
			return "", fmt.Errorf("look at file: %w", err)
		}
		if info.Size() == 0 {
			continue // the log after a rollover
		}
		offset := info.Size()/2 + rnd.Int64N(info.Size()/4)
		if err := flip(path, offset); err != nil {
			return "", err
		}
		damaged++
	}
	if n, err = s.start(ctx); err != nil {
		return "", fmt.Errorf("start with damaged files: %w", err)
	}
	docs, err := found(n)
	if err != nil {
		return "", fmt.Errorf("search beside damaged files: %w", err)
	}
	if len(docs) < 1800 || len(docs) > 1900 { // one segment of 1,000 and one bulk of 100 or, where the byte is in its header, two
		return "", fmt.Errorf("%d of 3,000 documents are found, a segment of 1,000 and one or two bulks of 100 are damaged", len(docs))
	}
	if err := checkFigures(n, docs); err != nil {
		return "", err
	}
	aside, err := s.files("*damaged*")
	if err != nil {
		return "", err
	}
	health, err := n.call("GET", "/_cluster/health", "")
	if err != nil {
		return "", err
	}
	switch text := n.log.String(); {
	case len(aside) < 2:
		return "", fmt.Errorf("set aside is only %v", aside)
	case at(health, "status") != "red":
		return "", fmt.Errorf("health is %v", at(health, "status"))
	case strings.Count(text, "set aside") < 2 || !strings.Contains(text, `"log.level":"error"`):
		return "", fmt.Errorf("the log does not tell: %s", text)
	}
	if err := l.fill(n, 1, 100); err != nil {
		return "", fmt.Errorf("write beside damaged files: %w", err)
	}
	return fmt.Sprintf("%d files damaged, %d set aside, %d of 3000 documents readable, health red, writable", damaged, len(aside), len(docs)), nil
}

// drillDiskFull fills a small file system, sees writes refused and reads served, and frees space again.
func drillDiskFull(ctx context.Context, s *site) (found string, err error) {
	mount := filepath.Dir(s.dir)
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=14m", "kreislauf-drill", mount).CombinedOutput(); err != nil {
		return "", fmt.Errorf("mount a small file system, which needs root (leave it out with -only): %w: %s", err, out)
	}
	defer func() {
		if out, uerr := exec.Command("umount", mount).CombinedOutput(); uerr != nil && err == nil {
			err = fmt.Errorf("unmount: %w: %s", uerr, out)
		}
	}()
	n, err := s.prepared(ctx)
	if err != nil {
		return "", err
	}
	defer func() { n.kill() }()
	l := newLedger()
	if err := l.fill(n, 5, 500); err != nil {
		return "", err
	}
	ballast := filepath.Join(mount, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 10<<20), 0o600); err != nil {
		return "", fmt.Errorf("fill the file system: %w", err)
	}
	if err := l.untilFull(ctx, n); err != nil {
		return "", err
	}
	before := l.count()
	if _, err := l.check(n); err != nil {
		return "", fmt.Errorf("reading while the disk is full: %w", err)
	}
	if err := l.untilFull(ctx, n); err != nil {
		return "", fmt.Errorf("still full: %w", err)
	}
	if err := os.Remove(ballast); err != nil {
		return "", fmt.Errorf("free space: %w", err)
	}
	if err := l.fill(n, 5, 500); err != nil {
		return "", fmt.Errorf("write after space is free again: %w", err)
	}
	n.kill()
	if n, err = s.start(ctx); err != nil {
		return "", err
	}
	if _, err := l.check(n); err != nil {
		return "", fmt.Errorf("after a restart: %w", err)
	}
	return fmt.Sprintf("%d documents until 429 cluster_block_exception, all readable meanwhile, %d after space was free and a restart", before, l.count()), nil
}

// untilFull writes until the engine refuses with the block of the flood stage, whose words clients know.
func (l *ledger) untilFull(ctx context.Context, n *node) error {
	for i := 0; ctx.Err() == nil; i++ {
		err := l.fill(n, 1, 500)
		if err == nil {
			continue
		}
		for _, want := range []string{
			"cluster_block_exception", "429",
			"blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];",
		} {
			if !strings.Contains(err.Error(), want) {
				return fmt.Errorf("refused with other words: %w", err)
			}
		}
		return nil
	}
	return ctx.Err()
}

// drillQueries searches while four writers write: every acknowledged document is found at once, and both go on.
func drillQueries(ctx context.Context, s *site) (string, error) {
	n, err := s.prepared(ctx)
	if err != nil {
		return "", err
	}
	l := newLedger()
	if err := l.fill(n, 1, 1); err != nil {
		n.kill()
		return "", err
	}
	var slowest atomic.Int64
	queries := 0
	beside := func() error {
		acked := l.count()
		started := time.Now()
		out, err := n.call("POST", "/"+stream+"/_search", `{"track_total_hits":true,"size":20,"sort":[{"@timestamp":"desc"}],"query":{"match":{"text":"path"}},"aggs":{"k":{"terms":{"field":"k"},"aggs":{"p":{"percentiles":{"field":"n"}}}}}}`)
		if err != nil {
			return err
		}
		slowest.Store(max(slowest.Load(), int64(time.Since(started))))
		queries++
		var total int
		if _, err := fmt.Sscan(fmt.Sprint(at(out, "hits", "total", "value")), &total); err != nil || total < acked {
			return fmt.Errorf("%d documents were acknowledged, %d are found (%v)", acked, total, err)
		}
		return nil
	}
	if err := l.round(n, 4, 500, 100_000, rand.New(rand.NewPCG(s.seed, 3)), beside); err != nil {
		return "", err
	}
	if queries < 10 {
		return "", fmt.Errorf("only %d queries beside %d documents", queries, l.count())
	}
	return fmt.Sprintf("%d queries beside %d documents, each saw all that was acknowledged before it, slowest %s", queries, l.count(), time.Duration(slowest.Load()).Round(time.Millisecond)), nil
}

// drillRestart measures the start after a kill with segments and a log to read.
func drillRestart(ctx context.Context, s *site) (string, error) {
	n, err := s.prepared(ctx)
	if err != nil {
		return "", err
	}
	l := newLedger()
	if err := l.round(n, 4, 1000, 150_000, rand.New(rand.NewPCG(s.seed, 4)), nothing); err != nil {
		return "", err
	}
	if n, err = s.start(ctx); err != nil {
		return "", err
	}
	defer n.kill()
	first := n.took
	if _, err := n.call("GET", "/"+stream+"/_count", ""); err != nil {
		return "", err
	}
	if _, err := l.check(n); err != nil {
		return "", err
	}
	if first > 5*time.Second {
		return "", fmt.Errorf("the start with %d documents took %s", l.count(), first)
	}
	return fmt.Sprintf("%d documents, first answer %s after the start", l.count(), first.Round(time.Millisecond)), nil
}
