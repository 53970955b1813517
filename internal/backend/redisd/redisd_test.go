package redisd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "0123456789abcdef"

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func client(t *testing.T, addr, password string) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: addr, Password: password, MaxRetries: -1})
	t.Cleanup(func() { c.Close() })
	return c
}

// until waits for a condition that comes true by itself.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// behaves asserts what sessions need of either server.
func behaves(t *testing.T, addr string) {
	t.Helper()
	c, ctx := client(t, addr, password), t.Context()
	until(t, "it answers", func() bool { return c.Ping(ctx).Err() == nil })
	if err := client(t, addr, "").Ping(ctx).Err(); err == nil {
		t.Error("it answers without a password")
	}
	if err := client(t, addr, "wrong").Ping(ctx).Err(); err == nil {
		t.Error("it answers to a wrong password")
	}
	if err := errors.Join(c.Set(ctx, "short", "x", 300*time.Millisecond).Err(), c.Set(ctx, "long", "y", time.Hour).Err()); err != nil {
		t.Fatal(err)
	}
	if v, err := c.GetEx(ctx, "short", 500*time.Millisecond).Result(); err != nil || v != "x" {
		t.Errorf("short = %q, %v", v, err)
	}
	until(t, "the key has expired", func() bool { return errors.Is(c.Get(ctx, "short").Err(), redis.Nil) })
	if left := c.TTL(ctx, "long").Val(); left <= 0 || left > time.Hour {
		t.Errorf("the other key lives for %v", left)
	}
}

func TestMini(t *testing.T) {
	addr := freeAddr(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- RunMini(ctx, addr, password) }()
	behaves(t, addr)
	if err := RunMini(ctx, addr, password); err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("an address in use gives %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("it listens after its end")
	}
}

// startServer runs the real redis-server; the caller waits for its end.
func startServer(t *testing.T, dir, addr string) *exec.Cmd {
	t.Helper()
	binary := Find()
	if binary == "" {
		t.Fatal("redis-server was not found; install it: apt-get install redis-server, or run: make deps")
	}
	conf, err := WriteConfig(dir, addr, password)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func TestServerKeepsWritesAfterKill(t *testing.T) {
	dir, addr := filepath.Join(t.TempDir(), "redis"), freeAddr(t)
	cmd := startServer(t, dir, addr)
	behaves(t, addr)
	if err := client(t, addr, password).Set(t.Context(), "session", "kept", time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	until(t, "no fsync holds the write back", func() bool {
		return strings.Contains(client(t, addr, password).Info(t.Context(), "persistence").Val(), "aof_buffer_length:0")
	})
	if err := cmd.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	if cmd.Wait() == nil {
		t.Error("it was not killed")
	}
	cmd = startServer(t, dir, addr)
	c := client(t, addr, password)
	until(t, "it answers again", func() bool { return c.Ping(t.Context()).Err() == nil })
	if v, err := c.Get(t.Context(), "session").Result(); err != nil || v != "kept" {
		t.Errorf("after the kill: %q, %v", v, err)
	}
	if info := c.Info(t.Context(), "memory").Val(); !strings.Contains(info, "maxmemory_policy:noeviction") {
		t.Errorf("sessions could vanish: %s", info)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestConfigIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "redis")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(dir, "redis.conf")
	if err := os.WriteFile(old, []byte("# left behind, readable by all\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	path, err := WriteConfig(dir, "127.0.0.1:6379", password)
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if path != old || st.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v; it holds the password", path, st.Mode())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"bind 127.0.0.1\n", "port 6379\n", "requirepass " + password + "\n", "appendonly yes\n", "appendfsync everysec\n"} {
		if !strings.Contains(string(b), line) {
			t.Errorf("%q is missing in:\n%s", line, b)
		}
	}
	if _, err := WriteConfig(dir, "6379", password); err == nil {
		t.Error("an address without a host was accepted")
	}
	if _, err := WriteConfig("/dev/null/redis", "127.0.0.1:1", password); err == nil {
		t.Error("a folder that cannot be made was accepted")
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "redis-server")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := Find(dir); got != path {
		t.Errorf("Find = %q, want the folder that was named first", got)
	}
	t.Setenv("PATH", dir)
	if got := Find(); got != path {
		t.Errorf("Find = %q, want what is in PATH", got)
	}
	t.Setenv("PATH", t.TempDir())
	if got := Find(); got != "" {
		t.Errorf("Find = %q where there is none", got)
	}
}

// TestTornLogIsAccepted cuts the last write off in its middle, as a power failure does.
func TestTornLogIsAccepted(t *testing.T) {
	dir, addr := filepath.Join(t.TempDir(), "redis"), freeAddr(t)
	cmd := startServer(t, dir, addr)
	c := client(t, addr, password)
	until(t, "it answers", func() bool { return c.Ping(t.Context()).Err() == nil })
	if err := errors.Join(c.Set(t.Context(), "first", "kept", 0).Err(), c.Set(t.Context(), "last", "torn", 0).Err()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.incr.aof")) // Redis 7
	if err != nil || len(logs) == 0 {
		logs = []string{filepath.Join(dir, "appendonly.aof")}
	}
	st, err := os.Stat(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(logs[0], st.Size()-3); err != nil {
		t.Fatal(err)
	}
	cmd = startServer(t, dir, addr)
	until(t, "it answers again", func() bool { return c.Ping(t.Context()).Err() == nil })
	if v, err := c.MGet(t.Context(), "first", "last").Result(); err != nil || v[0] != "kept" || v[1] != nil {
		t.Errorf("after the cut: %v, %v", v, err)
	}
	if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
		t.Error(err)
	}
}

// TestServerKeepsItsSecrets looks where others on the machine can look, and for the commands that tell or change too much.
func TestServerKeepsItsSecrets(t *testing.T) {
	dir, addr := filepath.Join(t.TempDir(), "redis"), freeAddr(t)
	conf, err := WriteConfig(dir, addr, password)
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd := exec.Command(Find(), conf)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := client(t, addr, password)
	until(t, "it answers", func() bool { return c.Ping(t.Context()).Err() == nil })
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
	if err == nil && strings.Contains(string(args), password) { // there is no /proc on macOS
		t.Errorf("the password is in the arguments: %q", args)
	}
	for _, command := range [][]any{{"CONFIG", "GET", "requirepass"}, {"MONITOR"}, {"DEBUG", "SLEEP", "0"}} {
		if reply, err := c.Do(t.Context(), command...).Result(); err == nil {
			t.Errorf("%v answers %v", command, reply)
		}
	}
	if err := client(t, addr, "wrong").Ping(t.Context()).Err(); err == nil || !strings.Contains(err.Error(), "WRONGPASS") {
		t.Errorf("a wrong password: %v", err)
	}
	if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
		t.Error(err)
	}
	if strings.Contains(said.String(), password) {
		t.Errorf("the password is in the output: %s", said.String())
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conf, err := WriteConfig(t.TempDir(), l.Addr().String(), password)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(Find(), conf).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Address already in use") {
		t.Errorf("it ended with %v and said: %s", err, out)
	}
}

func TestCheck(t *testing.T) {
	for said, want := range map[string]string{
		"Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64": "", "Redis server v=6.2.0 sha=0": "", "Redis server v=10.0.1 sha=0": "",
		"Redis server v=6.0.16 sha=00000000:0": "is version 6.0; 6.2 or newer is needed", "Redis server v=5.0.14": "is version 5.0", "hello": "does not tell its version",
	} {
		path := filepath.Join(t.TempDir(), "redis-server")
		if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+said+"'\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		err := Check(t.Context(), path)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", said, err, want)
		}
	}
	if err := Check(t.Context(), "/nowhere/redis-server"); err == nil {
		t.Error("a program that is not there passed")
	}
}
