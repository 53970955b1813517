package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
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

// fixture is a broker with the platform's topics and a producer. With TEST_KAFKA_BROKERS=host:port it is the Kafka there, whose topics
// are made anew for each test.
type fixture struct {
	server   *kafkad.Server // nil: a Kafka that runs already
	brokers  []string
	log      zerolog.Logger
	tel      *telemetry.Telemetry
	lines    *lines
	sink     *logging.Sink
	producer *Producer
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{lines: &lines{}}
	if addr := os.Getenv("TEST_KAFKA_BROKERS"); addr != "" {
		f.brokers = []string{addr}
		f.wipeGroups(t)
		f.deleteTopics(t)
	} else {
		f.start(t, "127.0.0.1:0")
		f.brokers = []string{f.server.Addr()}
		t.Cleanup(func() { f.stop(t) })
	}
	f.sink = logging.NewSink(f.lines)
	p := config.Process{Service: "matching", Env: "local", Customer: "kreislauf", Instance: "matching-1", PlatformVersion: "dev"}
	f.log = logging.New(f.sink, p)
	var err error
	if f.tel, err = telemetry.New(t.Context(), p, f.sink); err != nil {
		t.Fatal(err)
	}
	f.ensureTopics(t)
	if f.producer, err = NewProducer(f.brokers, "order-1", f.log, f.tel.Tracer); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.producer.Close)
	return f
}

// start starts a broker with an empty data folder.
func (f *fixture) start(t *testing.T, addr string) {
	t.Helper()
	var err error
	if f.server, err = kafkad.New(kafkad.Options{Dir: t.TempDir(), Addr: addr, Logger: zerolog.Nop()}); err != nil {
		t.Fatal(err)
	}
	if err := f.server.Start(); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := f.server.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// ensureTopics waits until all topics can be created: Kafka deletes in the background.
func (f *fixture) ensureTopics(t *testing.T) {
	t.Helper()
	c := raw(t, f)
	eventually(t, "the topics", func() bool {
		if err := EnsureTopics(t.Context(), f.brokers); err != nil {
			return false
		}
		meta, err := kmsg.NewPtrMetadataRequest().RequestWith(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		ready := 0
		for _, topic := range meta.Topics {
			for _, want := range event.Topics() {
				if *topic.Topic == want.Name && topic.ErrorCode == 0 && len(topic.Partitions) == int(want.Keep.Partitions) {
					ready++
				}
			}
		}
		return ready == len(event.Topics())
	})
}

// deleteTopics deletes topics, all of the table without names.
func (f *fixture) deleteTopics(t *testing.T, names ...string) {
	t.Helper()
	if names == nil {
		for _, topic := range event.Topics() {
			names = append(names, topic.Name)
		}
	}
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TopicNames = names
	for _, name := range names {
		rt := kmsg.NewDeleteTopicsRequestTopic()
		rt.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, rt)
	}
	if _, err := req.RequestWith(t.Context(), raw(t, f)); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) wipeGroups(t *testing.T) {
	t.Helper()
	req := kmsg.NewPtrDeleteGroupsRequest()
	req.Groups = []string{"matching"}
	c := raw(t, f)
	eventually(t, "the coordinator", func() bool {
		_, err := req.RequestWith(t.Context(), c)
		return err == nil
	})
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// consumer makes a consumer of the service matching.
func (f *fixture) consumer(t *testing.T, h Handler) *Consumer {
	t.Helper()
	c, err := NewConsumer(f.brokers, "matching", "matching-1", f.log, f.tel.Tracer, h)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// run runs a consumer; stop ends it.
func run(t *testing.T, c *Consumer) (stop func()) {
	t.Helper()
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

// consume makes a consumer and runs it.
func (f *fixture) consume(t *testing.T, h Handler) (stop func()) {
	t.Helper()
	return run(t, f.consumer(t, h))
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
