// Package redisd is the Redis of a bare machine: the distribution's redis-server with a private port, folder and password,
// or, where there is none, miniredis inside this process.
//
// The two differ: redis-server appends every write to a file and survives kill -9; it loses up to a second of writes with the power
// (fsync each second), and up to two with kill -9 when the disk is so busy that an fsync holds the file. miniredis keeps everything in
// memory, so its death signs everybody out. Notice says so in one sentence.
package redisd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// Notice is what a person should know when there is no redis-server.
const Notice = "redis-server was not found: sessions are kept in memory by miniredis and end when it stops. Install redis-server for durable sessions."

// Find is the path of redis-server, empty without one.
func Find(extraDirs ...string) string {
	for _, d := range extraDirs {
		if p, err := exec.LookPath(filepath.Join(d, "redis-server")); err == nil {
			return p
		}
	}
	if p, err := exec.LookPath("redis-server"); err == nil {
		return p
	}
	return ""
}

// WriteConfig writes redis.conf into dir (0600, it holds the password) and returns its path.
func WriteConfig(dir, addr, password string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("redis address: %w", err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("create Redis folder: %w", err)
	}
	conf := fmt.Sprintf(`bind %s
port %s
dir %s
requirepass %s
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy noeviction
daemonize no
`, host, port, dir, password)
	path := filepath.Join(dir, "redis.conf")
	if err := os.Chmod(path, 0o600); err != nil && !errors.Is(err, os.ErrNotExist) { // writing keeps an old file's mode
		return "", fmt.Errorf("write redis.conf: %w", err)
	}
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		return "", fmt.Errorf("write redis.conf: %w", err)
	}
	return path, nil
}

// RunMini serves miniredis on addr until ctx ends. Keys expire in real time: a ticker moves its clock.
func RunMini(ctx context.Context, addr, password string) error {
	m := miniredis.NewMiniRedis()
	m.RequireAuth(password)
	if err := m.StartAddr(addr); err != nil {
		return fmt.Errorf("start miniredis on %s: %w", addr, err)
	}
	defer m.Close()
	const step = 100 * time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			m.FastForward(now.Sub(last))
			last = now
		}
	}
}
