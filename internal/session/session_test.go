package session

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"kreislauf/internal/backend/redisd"
	"kreislauf/internal/config"
	"kreislauf/internal/logging"
	"kreislauf/internal/problem"
	"kreislauf/internal/telemetry"
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

// server runs the installed redis-server.
func server(t *testing.T) (addr string) {
	t.Helper()
	addr, _ = serverProcess(t)
	return addr
}

func serverProcess(t *testing.T) (addr string, p *os.Process) {
	t.Helper()
	binary := redisd.Find()
	if binary == "" {
		t.Fatal("redis-server was not found; install it: apt-get install redis-server, or run: make deps")
	}
	addr = freeAddr(t)
	conf, err := redisd.WriteConfig(filepath.Join(t.TempDir(), "redis"), addr, password)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("redis-server: %v", err)
		}
	})
	return addr, cmd.Process
}

// TestHungRedis stops the server as a debugger would: connections stay and nothing is answered. A request must end with its deadline as
// Unavailable, on a connection that was there before and on a new one, and work again when the server does.
func TestHungRedis(t *testing.T) {
	addr, redisServer := serverProcess(t)
	s := newFixture(t, addr).Store
	ready(t, s)
	token, err := s.Create(t.Context(), &Session{UserID: "u-1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := redisServer.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redisServer.Signal(syscall.SIGCONT) }) // or it could not end after a failure
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := s.Get(ctx, token)
		if problem.KindOf(err) != problem.Unavailable || ctx.Err() == nil {
			t.Errorf("while it hangs: %v, context %v", err, ctx.Err())
		}
		cancel()
	}
	if _, err := s.Create(t.Context(), &Session{UserID: "u-2"}); problem.KindOf(err) != problem.Unavailable {
		t.Errorf("without a deadline: %v", err)
	}
	if err := redisServer.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	ready(t, s)
	if got, err := s.Get(t.Context(), token); err != nil || got.UserID != "u-1" {
		t.Errorf("after it was continued: %+v, %v", got, err)
	}
}

// fixture is a store whose spans end in a buffer, and a client that looks into its Redis.
type fixture struct {
	*Store
	raw  *redis.Client
	sink *logging.Sink
	out  *bytes.Buffer
	tel  *telemetry.Telemetry
	addr string
}

func newFixture(t *testing.T, addr string) *fixture {
	t.Helper()
	f := &fixture{out: &bytes.Buffer{}, addr: addr, raw: redis.NewClient(&redis.Options{Addr: addr, Password: password, MaxRetries: -1})}
	f.sink = logging.NewSink(f.out)
	var err error
	if f.tel, err = telemetry.New(t.Context(), config.Process{Service: "order"}, f.sink); err != nil {
		t.Fatal(err)
	}
	f.Store = Open(addr, password, "kreislauf", f.tel.Tracer)
	t.Cleanup(func() {
		if err := errors.Join(f.Close(), f.raw.Close()); err != nil {
			t.Error(err)
		}
	})
	return f
}

func ready(t *testing.T, s *Store) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := s.Ping(t.Context())
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func customer() Session {
	return Session{UserID: "u-1", Email: "erika@example.org", Name: "Erika Müller", Role: "customer"}
}

func TestLife(t *testing.T) {
	f := newFixture(t, server(t))
	ready(t, f.Store)
	ctx := t.Context()
	sess := customer()
	token, err := f.Create(ctx, &sess)
	if err != nil {
		t.Fatal(err)
	}
	if len(token) != 43 || len(sess.CSRF) != 43 || token == sess.CSRF || sess.CreatedAt.IsZero() {
		t.Errorf("token %q, session %+v", token, sess)
	}
	got, err := f.Get(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sess, got); diff != "" {
		t.Errorf("session (-want +got):\n%s", diff)
	}
	if err := f.Delete(ctx, token); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Get(ctx, token); problem.KindOf(err) != problem.Unauthenticated {
		t.Errorf("after its end: %v", err)
	}
	if err := f.Delete(ctx, token); err != nil {
		t.Errorf("ending it twice: %v", err)
	}
}

func TestRedisHoldsNoToken(t *testing.T) {
	f := newFixture(t, server(t))
	ready(t, f.Store)
	sess := customer()
	token, err := f.Create(t.Context(), &sess)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := f.raw.Keys(t.Context(), "session:*").Result()
	if err != nil || len(keys) != 1 {
		t.Fatalf("keys %v, %v", keys, err)
	}
	value, err := f.raw.Get(t.Context(), keys[0]).Result()
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.raw.SMembers(t.Context(), "sessions:kreislauf:u-1").Result()
	if err != nil || len(list) != 1 {
		t.Fatalf("the list of the user: %v, %v", list, err)
	}
	if strings.Contains(keys[0]+list[0], token) || strings.Contains(value, token) {
		t.Errorf("Redis holds the token: %s = %s, %s", keys[0], value, list[0])
	}
	stolen := keys[0][strings.LastIndexByte(keys[0], ':')+1:]
	if _, err := f.Get(t.Context(), stolen); problem.KindOf(err) != problem.Unauthenticated {
		t.Errorf("what Redis holds signs somebody in: %v", err)
	}
	other := Open(f.addr, password, "another", f.tel.Tracer)
	defer other.Close()
	if _, err := other.Get(t.Context(), token); problem.KindOf(err) != problem.Unauthenticated {
		t.Errorf("another tenant takes the session: %v", err)
	}
}

func TestUseProlongs(t *testing.T) {
	f := newFixture(t, server(t))
	ready(t, f.Store)
	ctx := t.Context()
	sess := customer()
	token, err := f.Create(ctx, &sess)
	if err != nil {
		t.Fatal(err)
	}
	key := f.raw.Keys(ctx, "session:*").Val()[0]
	if left := f.raw.TTL(ctx, key).Val(); left > TTL || left < TTL-time.Minute {
		t.Errorf("a new session lives for %v, want %v", left, TTL)
	}
	if err := f.raw.Expire(ctx, key, time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Get(ctx, token); err != nil {
		t.Fatal(err)
	}
	if left := f.raw.TTL(ctx, key).Val(); left < TTL-time.Minute {
		t.Errorf("a used session lives for %v, want %v", left, TTL)
	}
	if err := f.raw.PExpire(ctx, key, time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); f.raw.Exists(ctx, key).Val() != 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the key does not expire")
		}
	}
	if _, err := f.Get(ctx, token); problem.KindOf(err) != problem.Unauthenticated {
		t.Errorf("an expired session: %v", err)
	}
}

func TestRedisAway(t *testing.T) {
	f := newFixture(t, freeAddr(t))
	sess := customer()
	_, createErr := f.Create(t.Context(), &sess)
	_, getErr := f.Get(t.Context(), "token")
	for op, err := range map[string]error{"create session": createErr, "read session": getErr, "delete session": f.Delete(t.Context(), "token")} {
		if problem.KindOf(err) != problem.Unavailable || !strings.Contains(err.Error(), op) {
			t.Errorf("%s: %v", op, err)
		}
	}
	if err := f.Ping(t.Context()); err == nil {
		t.Error("it is ready without Redis")
	}
}

func TestDamagedRecord(t *testing.T) {
	f := newFixture(t, server(t))
	ready(t, f.Store)
	sess := customer()
	token, err := f.Create(t.Context(), &sess)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.raw.Set(t.Context(), f.raw.Keys(t.Context(), "session:*").Val()[0], "{", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Get(t.Context(), token); err == nil || problem.KindOf(err) != problem.Internal {
		t.Errorf("a damaged record gives %v", err)
	}
}

func TestSpans(t *testing.T) {
	f := newFixture(t, server(t))
	ready(t, f.Store)
	ctx, span := f.tel.Tracer.Start(context.Background(), "request")
	if _, err := f.Get(ctx, "no such token"); err == nil {
		t.Error("an unknown token was found")
	}
	span.End()
	if err := f.sink.Close(); err != nil {
		t.Fatal(err)
	}
	text := f.out.String()
	for _, part := range []string{
		`"span.name":"redis getex"`, `"span.kind":"client"`, `"db.system.name":"redis"`, `"db.operation.name":"getex"`,
		`"parent.id":"` + span.SpanContext().SpanID().String() + `"`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("%s is missing in:\n%s", part, text)
		}
	}
	if strings.Contains(text, "failure") || strings.Contains(text, "session:") || strings.Count(text, "\n") != 2 {
		t.Errorf("an unknown key is no failure, a key is not shown, a ping has no span:\n%s", text)
	}
}
