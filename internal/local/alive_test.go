package local

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/kafkad"
	"kreislauf/internal/backend/mailbox"
	"kreislauf/internal/backend/mongod"
	"kreislauf/internal/backend/redisd"
)

// lines gathers what a server logs.
type lines struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestBackendsAnswerTheirProbes asks real servers, again and again, and demands that they log nothing about it: a platform does so three
// times a second.
func TestBackendsAnswerTheirProbes(t *testing.T) {
	var logged lines
	log := zerolog.New(&logged).Level(zerolog.WarnLevel)
	m, err := mongod.New(mongod.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	k, err := kafkad.New(kafkad.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	post, err := mailbox.New(mailbox.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []interface {
		Start() error
		Stop(context.Context) error
	}{m, k, post} {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	redis := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	mini := make(chan error, 1)
	go func() { mini <- redisd.RunMini(ctx, redis, "secret") }()
	t.Cleanup(func() {
		cancel()
		if err := <-mini; err != nil {
			t.Error(err)
		}
	})
	for name, alive := range map[string]func(context.Context) error{
		"mongodb": mongoAlive(m.Addr()), "kafka": kafkaAlive(k.Addr()), "redis, which wants a password": redisAlive(redis),
		"mailbox": smtpAlive(post.Addr()),
	} {
		for end := time.Now().Add(30 * time.Second); alive(t.Context()) != nil && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond) // it is starting
		}
		for range 20 {
			if err := alive(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if logged.String() != "" {
		t.Errorf("the servers complain about the probes: %s", &logged)
	}
}

// TestSilentBackendFailsItsProbe: connections to a stopped server are taken by the kernel.
func TestSilentBackendFailsItsProbe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, probe := range []func(string) func(context.Context) error{mongoAlive, kafkaAlive, redisAlive, smtpAlive} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if probe(l.Addr().String())(ctx) == nil {
			t.Error("what answers nothing is alive")
		}
		cancel()
	}
}
