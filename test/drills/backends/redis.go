package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"kreislauf/internal/backend/redisd"
	"kreislauf/test/child"
)

// redisLoss is what appendfsync everysec may lose: while a sync holds the file, Redis answers first and writes up to two seconds later.
const redisLoss = 2 * time.Second

const redisPassword = "drill"

// startRedis starts redis-server with kreislauf's configuration and its data in the folder redis.
func startRedis(ctx context.Context, e *env) (*child.Process, *redis.Client, error) {
	cache := os.Getenv("KREISLAUF_CACHE")
	if cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil, nil, err
		}
		cache = filepath.Join(base, "kreislauf")
	}
	bin := redisd.Find(filepath.Join(cache, "bin"))
	if bin == "" {
		return nil, nil, leftOut("there is no redis-server here; miniredis keeps nothing and promises nothing")
	}
	addr, err := child.FreeAddr()
	if err != nil {
		return nil, nil, err
	}
	conf, err := redisd.WriteConfig(e.path("redis"), addr, redisPassword)
	if err != nil {
		return nil, nil, err
	}
	p := &child.Process{Addr: addr, Argv: []string{bin, conf}, Log: e.path("redis.log")}
	if err := p.Start(ctx); err != nil {
		return nil, nil, err
	}
	redis.SetLogger(silent{}) // the pool's complaints about the kills
	return p, redis.NewClient(&redis.Options{Addr: addr, Password: redisPassword, MaxRetries: -1}), nil
}

func killRedis(ctx context.Context, e *env) (string, error) {
	p, client, err := startRedis(ctx, e)
	if err != nil {
		return "", err
	}
	defer client.Close()
	var mu sync.Mutex
	acked := map[string]time.Time{}
	lost := map[string]bool{}
	for round := range e.rounds {
		_, err := untilKilled(p, 1_000, func(w, i int) (string, error) {
			id := fmt.Sprintf("%d-%d-%d", round, w, i)
			err := client.Set(ctx, id, id+"|"+pad, 0).Err()
			if err == nil {
				mu.Lock()
				acked[id] = time.Now()
				mu.Unlock()
			}
			return id, err
		})
		killed := time.Now()
		if err != nil {
			return "", fmt.Errorf("round %d: %w", round, err)
		}
		if err := p.Start(ctx); err != nil {
			return "", err
		}
		if err := awaitRedis(ctx, client); err != nil {
			return "", err
		}
		if err := checkRedis(ctx, client, acked, killed, lost); err != nil {
			return "", fmt.Errorf("round %d: %w", round, err)
		}
	}
	return fmt.Sprintf("%d rounds, 0 torn, 0 lost of what was acknowledged more than %v before a kill, %d lost of the rest (it may lose them)", e.rounds, redisLoss, len(lost)), p.Stop(syscall.SIGKILL)
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// checkRedis reads every acknowledged key. One that is gone moves to lost when it was so young that it may be.
func checkRedis(ctx context.Context, client *redis.Client, acked map[string]time.Time, killed time.Time, lost map[string]bool) error {
	for ids := range slices.Chunk(slices.Collect(maps.Keys(acked)), 1_000) {
		values, err := client.MGet(ctx, ids...).Result()
		if err != nil {
			return err
		}
		for i, id := range ids {
			switch age := killed.Sub(acked[id]); {
			case values[i] == nil && age < redisLoss:
				lost[id] = true
				delete(acked, id)
			case values[i] == nil:
				return fmt.Errorf("%s is lost, acknowledged %v before the kill", id, age)
			case values[i] != id+"|"+pad:
				return fmt.Errorf("%s is torn: %q", id, values[i])
			}
		}
	}
	return nil
}

// awaitRedis waits until the file is read.
func awaitRedis(ctx context.Context, client *redis.Client) error {
	for {
		err := client.Ping(ctx).Err()
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}
