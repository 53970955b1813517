package main

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// diskFullRedis fills a small disk, looks at what still works, makes space, and goes on without a restart.
func diskFullRedis(ctx context.Context, e *env) (string, error) {
	grow, unmount, err := smallDisk(e.path("redis"), 8)
	if err != nil {
		return "", err
	}
	defer unmount()
	p, client, err := startRedis(ctx, e)
	if err != nil {
		return "", err
	}
	defer client.Close()
	acked := map[string]time.Time{}
	n := 0
	write := func() error {
		n++
		id := fmt.Sprint("w-", n)
		err := client.Set(ctx, id, id+"|"+pad, 0).Err()
		if err == nil {
			acked[id] = time.Now()
		}
		return err
	}
	ballast := strings.Repeat("x", 64<<10)
	for i := 0; err == nil && ctx.Err() == nil; i++ {
		if err = client.Set(ctx, fmt.Sprint("ballast-", i), ballast, 0).Err(); err == nil {
			err = write()
		}
	}
	const refused = 20
	for range refused {
		if err = write(); err == nil || !redis.HasErrorPrefix(err, "MISCONF") {
			return "", fmt.Errorf("a full disk is answered with: %v", err)
		}
	}
	clear := err
	if err := checkRedis(ctx, client, acked, time.Now().Add(redisLoss), nil); err != nil {
		return "", fmt.Errorf("reads on a full disk: %w", err)
	}
	if err := grow(); err != nil {
		return "", fmt.Errorf("make space: %w", err)
	}
	began := time.Now()
	for err = write(); err != nil; err = write() { // Redis tries again every second
		if time.Since(began) > 10*time.Second {
			return "", fmt.Errorf("with space again: %w", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	recovered := time.Since(began)
	for range 200 {
		if err := write(); err != nil {
			return "", fmt.Errorf("with space again: %w", err)
		}
	}
	time.Sleep(redisLoss) // so that a kill may lose nothing
	if err := p.Stop(syscall.SIGKILL); err != nil {
		return "", err
	}
	if err := p.Start(ctx); err != nil {
		return "", err
	}
	if err := awaitRedis(ctx, client); err != nil {
		return "", err
	}
	if err := checkRedis(ctx, client, acked, time.Now(), nil); err != nil {
		return "", fmt.Errorf("after kill -9: %w", err)
	}
	return fmt.Sprintf("%d writes refused (%v), reads went on, %d writes kept, it recovered by itself %.1f s after there was space", refused, clear, len(acked), recovered.Seconds()), p.Stop(syscall.SIGKILL)
}
