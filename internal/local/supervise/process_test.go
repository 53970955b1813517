package supervise

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRestartAfterKill(t *testing.T) {
	dir, addr := t.TempDir(), freeAddr(t)
	s := start(t, served("order-1", addr, dir))
	before := s.Status()[0]
	if before.State != Ready || before.Restarts != 0 || before.Took <= 0 || before.Addr != addr {
		t.Fatalf("after the start: %+v", before)
	}
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "it is ready again", func() bool {
		st := s.Status()[0]
		return st.Restarts == 1 && st.State == Ready
	})
	if after := s.Status()[0]; after.PID == before.PID || !strings.Contains(after.LastExit, "killed") {
		t.Errorf("after the kill: %+v", after)
	}
	if err := TCPReady(addr)(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWorkersOfADeadProcessEnd(t *testing.T) {
	c := served("nginx", freeAddr(t), t.TempDir())
	c.Env = append(c.Env, modeVar+"=parent")
	s := start(t, c)
	console, err := os.ReadFile(c.Console)
	if err != nil {
		t.Fatal(err)
	}
	var worker int
	if _, err := fmt.Sscanf(string(console), "worker %d", &worker); err != nil {
		t.Fatalf("%v in %q", err, console)
	}
	if gone(worker) {
		t.Fatal("there is no worker")
	}
	if err := syscall.Kill(s.Status()[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "the worker has ended", func() bool { return gone(worker) })
}

func TestEarlyDeathShowsTheConsole(t *testing.T) {
	c := served("order-1", freeAddr(t), t.TempDir())
	c.Env = append(c.Env, modeVar+"=die")
	s := New(func(Status) {})
	err := s.Start(t.Context(), c)
	if err == nil {
		t.Fatal("a component that dies at once was started")
	}
	for _, part := range []string{"start order-1: it stopped 3 times", "exit status 3", "cannot open the store: permission denied"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is missing in: %v", part, err)
		}
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestMissingProgram(t *testing.T) {
	c := served("order-1", freeAddr(t), t.TempDir())
	c.Exec = []string{filepath.Join(t.TempDir(), "nothing")}
	s := New(func(Status) {})
	if err := s.Start(t.Context(), c); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestStopOrder(t *testing.T) {
	dir := t.TempDir()
	s := New(func(Status) {})
	var addrs []string
	for _, name := range []string{"redis", "order-1", "nginx"} {
		addrs = append(addrs, freeAddr(t))
		if err := s.Start(t.Context(), served(name, addrs[len(addrs)-1], dir)); err != nil {
			t.Fatal(err)
		}
	}
	running := s.Status()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "stops"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{addrs[2], addrs[1], addrs[0]}, strings.Fields(string(b))); diff != "" {
		t.Errorf("order of the stops (-want +got):\n%s", diff)
	}
	for _, st := range running {
		if !gone(st.PID) {
			t.Errorf("%s is still there", st.Name)
		}
	}
	if err := s.Stop(); err != nil || len(s.Status()) != 0 {
		t.Errorf("a second stop: %v, %v", err, s.Status())
	}
}

func TestStubbornProcessIsKilled(t *testing.T) {
	dir := t.TempDir()
	c := served("order-1", freeAddr(t), dir)
	c.Env, c.Grace = append(c.Env, modeVar+"=stubborn"), 200*time.Millisecond
	s := New(func(Status) {})
	if err := s.Start(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	pid := s.Status()[0].PID
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if !gone(pid) {
		t.Error("it survived its grace")
	}
	if b, err := os.ReadFile(filepath.Join(dir, "stops")); err != nil || len(b) == 0 {
		t.Errorf("it was not asked first: %q, %v", b, err)
	}
}

func TestChildrenDieWithTheirSupervisor(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), modeVar+"=supervise", addrVar+"="+freeAddr(t), fileVar+"="+filepath.Join(dir, "stops"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, readErr := bufio.NewReader(out).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if killErr := cmd.Process.Kill(); killErr != nil {
		t.Fatal(killErr)
	}
	if cmd.Wait() == nil || readErr != nil || err != nil {
		t.Fatalf("supervisor printed %q: %v %v", line, readErr, err)
	}
	until(t, "the child has ended", func() bool { return gone(pid) })
}

func TestProbes(t *testing.T) {
	status := http.StatusServiceUnavailable
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	ready := HTTPReady(srv.URL + "/readyz")
	if err := ready(t.Context()); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("at 503: %v", err)
	}
	status = http.StatusOK
	if err := errors.Join(ready(t.Context()), TCPReady(srv.Listener.Addr().String())(t.Context())); err != nil {
		t.Errorf("at 200: %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
	srv.Close()
	if ready(t.Context()) == nil || TCPReady(srv.Listener.Addr().String())(t.Context()) == nil || HTTPReady("://")(t.Context()) == nil {
		t.Error("a server that is away is ready")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ready(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}
