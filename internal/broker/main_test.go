package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"kreislauf/internal/backend/kafkad"
	"kreislauf/internal/config"
	"kreislauf/internal/event"
	"kreislauf/internal/logging"
	"kreislauf/internal/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines collects log and span lines. Safe for concurrent use.
type lines struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

// with gives all lines whose member has the value.
func (l *lines) with(t *testing.T, member, value string) (list []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(l.buf.Bytes()) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		if m[member] == value {
			list = append(list, m)
		}
	}
	return list
}

// fixture is a broker with the platform's topics and a producer.
type fixture struct {
	brokers  []string
	log      zerolog.Logger
	tel      *telemetry.Telemetry
	lines    *lines
	sink     *logging.Sink
	producer *Producer
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	s, err := kafkad.New(kafkad.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{brokers: []string{s.Addr()}, lines: &lines{}}
	f.sink = logging.NewSink(f.lines)
	p := config.Process{Service: "matching", Env: "local", Customer: "kreislauf", Instance: "matching-1", PlatformVersion: "dev"}
	f.log = logging.New(f.sink, p)
	if f.tel, err = telemetry.New(t.Context(), p, f.sink); err != nil {
		t.Fatal(err)
	}
	if err := EnsureTopics(t.Context(), f.brokers, 1); err != nil {
		t.Fatal(err)
	}
	if f.producer, err = NewProducer(f.brokers, "order-1", f.tel.Tracer); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.producer.Close)
	return f
}

// consume runs a consumer of the service matching; stop ends it.
func (f *fixture) consume(t *testing.T, h Handler) (stop func()) {
	t.Helper()
	c, err := NewConsumer(f.brokers, "matching", "matching-1", f.log, f.tel.Tracer, h)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1) // gets the end of Run
	go func() { done <- c.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("consumer: %v", err)
		}
		c.Close()
	})
	t.Cleanup(stop)
	return stop
}

// placed makes an event whose payload holds a number.
func placed(t *testing.T, subject string, n int, traceparent string) event.Event {
	t.Helper()
	e, err := event.New(event.Meta{Source: "order", Subject: subject, Customer: "kreislauf", Traceparent: traceparent, At: time.Now()},
		event.Placed{OrderID: subject, SizeM3: n})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (f *fixture) publish(t *testing.T, events ...event.Event) {
	t.Helper()
	if err := f.producer.Publish(t.Context(), event.TopicOrder, events...); err != nil {
		t.Fatal(err)
	}
}

// receive waits for one value.
func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(60 * time.Second):
		t.Fatalf("waited in vain for %s", what)
		panic("not reached")
	}
}

// read takes so many records of a topic from its start, without a group.
func (f *fixture) read(t *testing.T, topic string, n int) (list []*kgo.Record) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(f.brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(list) < n {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d records of %s: %v", len(list), topic, err)
		}
		list = append(list, fetches.Records()...)
	}
	return list
}

func headers(r *kgo.Record) map[string]string {
	m := map[string]string{}
	for _, h := range r.Headers {
		m[strings.ToLower(h.Key)] = string(h.Value)
	}
	return m
}
