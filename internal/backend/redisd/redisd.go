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
	"regexp"
	"strconv"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// MinVersion is the oldest redis-server that has GETEX, with which sessions are read.
const MinVersion = "6.2"

// Notice is what a person should know when there is no redis-server.
const Notice = "no usable redis-server was found: sessions are kept in memory by miniredis and end when it stops. Install redis-server for durable sessions."

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

var versionText = regexp.MustCompile(`v=(\d+)\.(\d+)`)

// Check says what keeps the platform from using a redis-server: it does not start, or is older than MinVersion.
func Check(ctx context.Context, binary string) error {
	out, err := exec.CommandContext(ctx, binary, "--version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s does not start: %w", binary, err)
	}
	m := versionText.FindSubmatch(out)
	if m == nil {
		return fmt.Errorf("%s does not tell its version: %q", binary, out)
	}
	major, _ := strconv.Atoi(string(m[1])) // the pattern lets digits through only
	minor, _ := strconv.Atoi(string(m[2]))
	if major < 6 || major == 6 && minor < 2 {
		return fmt.Errorf("%s is version %d.%d; %s or newer is needed", binary, major, minor, MinVersion)
	}
	return nil
}

// WriteConfig writes redis.conf into dir (0600, it holds the password) and returns its path.
//
// The file is the only place of the password: no argument, no environment, no log line has it. CONFIG could move the data folder and
// MONITOR shows what others do, so neither command exists. A tail of the log that a power failure tore is cut off at the start.
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
protected-mode yes
rename-command CONFIG ""
rename-command MONITOR ""
appendonly yes
aof-load-truncated yes
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
