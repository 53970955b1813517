package lease

import (
	"context"
	"errors"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kreislauf/internal/backend/redisd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	password = "0123456789abcdef"
	ttl      = 2 * time.Second
)

// server is a redis-server with an empty folder.
type server struct {
	addr string
	cmd  *exec.Cmd
}

func start(t *testing.T) server {
	t.Helper()
	binary := redisd.Find()
	if binary == "" {
		t.Fatal("redis-server was not found; install it: apt-get install redis-server, or run: make deps")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := server{addr: l.Addr().String()}
	_ = l.Close()
	conf, err := redisd.WriteConfig(filepath.Join(t.TempDir(), "redis"), s.addr, password)
	if err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(binary, conf)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // it holds nothing of worth
		_ = s.cmd.Wait()
	})
	c := open(t, s.addr)
	until(t, "redis-server answers", func() bool { return c.rdb.Ping(t.Context()).Err() == nil })
	return s
}

func (s server) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, addr string) *Leases {
	t.Helper()
	s := Open(addr, password, "kreislauf")
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func acquire(t *testing.T, s *Leases, ttl time.Duration) *Lease {
	t.Helper()
	var l *Lease
	until(t, "the lease is free", func() bool {
		var err error
		if l, err = s.Acquire(t.Context(), "alerter", ttl); err != nil && !errors.Is(err, ErrHeld) {
			t.Fatal(err)
		}
		return err == nil
	})
	return l
}

func end(t *testing.T, l *Lease) {
	t.Helper()
	if err := l.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// lost waits for the end of a lease that nobody gave up.
func lost(t *testing.T, l *Lease) {
	t.Helper()
	select {
	case <-l.Context().Done():
	case <-time.After(time.Minute):
		t.Fatal("the lease goes on")
	}
	if err := context.Cause(l.Context()); !errors.Is(err, ErrLost) {
		t.Errorf("it ended with %v", err)
	}
}

func TestOneHolder(t *testing.T) {
	s := start(t)
	a, b := open(t, s.addr), open(t, s.addr)
	first := acquire(t, a, time.Minute)
	for _, c := range []*Leases{a, b} {
		if _, err := c.Acquire(t.Context(), "alerter", time.Minute); !errors.Is(err, ErrHeld) {
			t.Errorf("a held lease gives %v", err)
		}
	}
	other, err := b.Acquire(t.Context(), "another name", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	tenant := Open(s.addr, password, "other tenant")
	defer tenant.Close()
	theirs := acquire(t, tenant, time.Minute)
	end(t, other)
	end(t, theirs)
	end(t, first)
	if err := context.Cause(first.Context()); errors.Is(err, ErrLost) || first.Context().Err() == nil {
		t.Errorf("a released lease ended with %v", err)
	}
	second := acquire(t, b, time.Minute)
	if second.Fence <= first.Fence {
		t.Errorf("fence %d after %d", second.Fence, first.Fence)
	}
	end(t, first) // once more: it is not ours any longer
	if _, err := a.Acquire(t.Context(), "alerter", time.Minute); !errors.Is(err, ErrHeld) {
		t.Errorf("an old holder released the lease of the new one: %v", err)
	}
	end(t, second)
	if _, err := a.Acquire(t.Context(), "alerter", time.Millisecond); err == nil {
		t.Error("a lease of a millisecond was given")
	}
}

// TestRenewal: a lease is held for longer than its time, and its name is free when its holder stopped renewing.
func TestRenewal(t *testing.T) {
	s := start(t)
	a, b := open(t, s.addr), open(t, s.addr)
	ctx, die := context.WithCancel(t.Context())
	l, err := a.Acquire(ctx, "alerter", ttl)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * ttl); time.Now().Before(deadline) && l.Context().Err() == nil; time.Sleep(100 * time.Millisecond) {
		if _, err := b.Acquire(t.Context(), "alerter", ttl); err == nil && l.Context().Err() == nil {
			t.Fatal("two hold the lease")
		}
	}
	if err := context.Cause(l.Context()); err != nil && !errors.Is(err, ErrLost) { // a machine that stood still may have lost it
		t.Errorf("it ended with %v", err)
	}
	die()
	<-l.done
	next := acquire(t, b, ttl)
	if next.Fence <= l.Fence {
		t.Errorf("fence %d after %d", next.Fence, l.Fence)
	}
	end(t, next)
}

func TestTakenAway(t *testing.T) {
	s := start(t)
	a := open(t, s.addr)
	l := acquire(t, a, ttl)
	if err := a.rdb.Set(t.Context(), l.keys[0], "somebody", time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	lost(t, l)
	end(t, l)
	if v := a.rdb.Get(t.Context(), l.keys[0]).Val(); v != "somebody" {
		t.Errorf("the lease of another became %q", v)
	}
}

// TestHungRedis stops the server: the lease ends, and a try ends with its context.
func TestHungRedis(t *testing.T) {
	s := start(t)
	a := open(t, s.addr)
	l := acquire(t, a, ttl)
	s.signal(t, syscall.SIGSTOP)
	lost(t, l)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := a.Acquire(ctx, "alerter", time.Hour); err == nil || errors.Is(err, ErrHeld) {
		t.Errorf("a hung Redis gives %v", err)
	}
	s.signal(t, syscall.SIGCONT)
	next := acquire(t, a, ttl)
	if next.Fence <= l.Fence {
		t.Errorf("fence %d after %d", next.Fence, l.Fence)
	}
	end(t, next)
}

// TestUncertainTry loses the answer to the first try, which has arrived: the lease is ours all the same.
func TestUncertainTry(t *testing.T) {
	s := start(t)
	p := newProxy(t, s.addr)
	a := open(t, p.addr)
	end(t, acquire(t, a, time.Minute)) // the server knows the script, the client has a connection
	p.lose.Store(true)
	l, err := a.Acquire(t.Context(), "alerter", time.Minute)
	if err != nil || p.lose.Load() {
		t.Fatalf("%v; an answer was lost: %v", err, !p.lose.Load())
	}
	if l.Fence != 2 {
		t.Errorf("fence %d, want 2: the first try took it", l.Fence)
	}
	end(t, l)
}

// TestHold: of three candidates one works at a time; when it dies another goes on, with a larger fence.
func TestHold(t *testing.T) {
	s := start(t)
	var working, most atomic.Int32
	type turn struct {
		who   int
		fence int64
	}
	turns := make(chan turn, 100)
	var wg sync.WaitGroup
	var stop [3]context.CancelFunc
	for who := range stop {
		c := open(t, s.addr)
		var ctx context.Context
		ctx, stop[who] = context.WithCancel(t.Context())
		wg.Go(func() {
			if err := c.Hold(ctx, "alerter", 3*ttl, func(ctx context.Context, fence int64) error {
				most.Store(max(most.Load(), working.Add(1)))
				turns <- turn{who, fence}
				<-ctx.Done()
				working.Add(-1)
				return ctx.Err()
			}); err != nil {
				t.Error(err)
			}
		})
	}
	last := turn{}
	for range stop {
		var now turn
		select {
		case now = <-turns:
		case <-time.After(time.Minute):
			t.Fatal("nobody works")
		}
		if now.fence <= last.fence {
			t.Errorf("fence %d after %d", now.fence, last.fence)
		}
		last = now
		stop[now.who]()
	}
	wg.Wait()
	if most.Load() != 1 {
		t.Errorf("%d worked at once", most.Load())
	}
	broken := errors.New("broken")
	if err := open(t, s.addr).Hold(t.Context(), "alerter", ttl, func(context.Context, int64) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("an error of the work gives %v", err)
	}
}

// proxy passes everything on, but for one answer when lose is set: it cuts the connection instead.
type proxy struct {
	addr string
	lose atomic.Bool
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: lis.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := lis.Accept()
			if err != nil {
				return
			}
			backend, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			wg.Go(func() {
				_, _ = io.Copy(backend, client) // ends when either side closes
				_ = backend.Close()
			})
			wg.Go(func() {
				defer client.Close()
				b := make([]byte, 64<<10)
				for {
					n, err := backend.Read(b)
					if err != nil || p.lose.CompareAndSwap(true, false) {
						return
					}
					if _, err := client.Write(b[:n]); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = lis.Close()
		wg.Wait()
	})
	return p
}
