package deadletter_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"kreislauf/internal/backend/kafkad"
	"kreislauf/internal/broker"
	"kreislauf/internal/broker/deadletter"
	"kreislauf/internal/config"
	"kreislauf/internal/event"
	"kreislauf/internal/logging"
	"kreislauf/internal/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// office is a broker with the platform's topics, and a client of the dead letters.
type office struct {
	t       *testing.T
	brokers []string
	tel     *telemetry.Telemetry
	kafka   *kgo.Client
	letters *deadletter.Client
}

// open starts a broker, or uses the one of TEST_KAFKA_BROKERS, which must be fresh.
func open(t *testing.T) *office {
	t.Helper()
	o := &office{t: t}
	if addr := os.Getenv("TEST_KAFKA_BROKERS"); addr != "" {
		o.brokers = []string{addr}
	} else {
		s, err := kafkad.New(kafkad.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
		o.brokers = []string{s.Addr()}
	}
	o.clear()
	var err error
	if o.tel, err = telemetry.New(t.Context(), config.Process{}, logging.NewSink(io.Discard)); err != nil {
		t.Fatal(err)
	}
	return o
}

// clear makes the topics anew, and the clients, which do not go on with topics of the same name.
func (o *office) clear() {
	o.t.Helper()
	var err error
	if o.kafka, err = kgo.NewClient(kgo.SeedBrokers(o.brokers...)); err != nil {
		o.t.Fatal(err)
	}
	if o.letters, err = deadletter.Open(o.brokers); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(o.kafka.Close)
	o.t.Cleanup(o.letters.Close)
	req := kmsg.NewPtrDeleteTopicsRequest()
	for _, topic := range event.Topics() {
		req.TopicNames = append(req.TopicNames, topic.Name)
		rt := kmsg.NewDeleteTopicsRequestTopic()
		rt.Topic = kmsg.StringPtr(topic.Name)
		req.Topics = append(req.Topics, rt)
	}
	if _, err := req.RequestWith(o.t.Context(), o.kafka); err != nil {
		o.t.Fatal(err)
	}
	o.await("the topics", func() bool {
		if err := broker.EnsureTopics(o.t.Context(), o.brokers); err != nil {
			return false
		}
		_, err := o.letters.List(o.t.Context(), deadletter.Filter{})
		return err == nil
	})
}

func (o *office) await(what string, ok func() bool) {
	o.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			o.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// consume runs a consumer of a service until the test ends.
func (o *office) consume(service string, h broker.Handler) {
	o.t.Helper()
	c, err := broker.NewConsumer(o.brokers, service, service+"-1", zerolog.Nop(), o.tel.Tracer, h)
	if err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1) // gets the end of Run
	go func() { done <- c.Run(ctx) }()
	o.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			o.t.Error(err)
		}
		c.Close()
	})
}

func (o *office) produce(r *kgo.Record) *kgo.Record {
	o.t.Helper()
	if err := o.kafka.ProduceSync(o.t.Context(), r).FirstErr(); err != nil {
		o.t.Fatal(err)
	}
	return r
}

// order makes a record of the order topic with an event.
func (o *office) order(subject string, p event.Payload) *kgo.Record {
	o.t.Helper()
	e, err := event.New(event.Meta{Source: "order", Subject: subject, Customer: "kreislauf", At: time.Now()}, p)
	if err != nil {
		o.t.Fatal(err)
	}
	value, err := json.Marshal(e)
	if err != nil {
		o.t.Fatal(err)
	}
	return &kgo.Record{Topic: event.TopicOrder, Key: []byte(subject), Value: value, Headers: []kgo.RecordHeader{
		{Key: "traceparent", Value: []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")}, {Key: "ce_type", Value: []byte(p.Type())},
	}}
}

func (o *office) write(r *kgo.Record, consumer, reason string) {
	o.t.Helper()
	if err := deadletter.Write(o.t.Context(), o.kafka, r, consumer, errors.New(reason)); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) list(f deadletter.Filter) []deadletter.Letter {
	o.t.Helper()
	letters, err := o.letters.List(o.t.Context(), f)
	if err != nil {
		o.t.Fatal(err)
	}
	return letters
}

func reasons(letters []deadletter.Letter) []string {
	list := []string{}
	for _, l := range letters {
		list = append(list, l.Reason)
	}
	return list
}

func TestList(t *testing.T) {
	o := open(t)
	if letters := o.list(deadletter.Filter{}); len(letters) != 0 {
		t.Fatalf("an empty topic has %v", letters)
	}
	first := o.produce(o.order("o-1", event.Placed{}))
	o.write(first, "matching", "one")
	time.Sleep(2 * time.Millisecond) // Kafka's times are whole milliseconds
	between := time.Now()
	time.Sleep(2 * time.Millisecond)
	o.write(o.produce(o.order("o-2", event.Matched{})), "pricing", "two")
	time.Sleep(2 * time.Millisecond)
	o.write(o.produce(&kgo.Record{Topic: event.TopicMatching, Value: []byte("{no event")}), "order", "three")
	o.produce(&kgo.Record{Topic: event.TopicDeadLetter, Value: []byte("somebody else's")})
	for _, tt := range []struct {
		name   string
		filter deadletter.Filter
		want   []string
	}{
		{"all, newest first", deadletter.Filter{}, []string{"three", "two", "one"}},
		{"of a consumer", deadletter.Filter{Consumer: "matching"}, []string{"one"}},
		{"of a topic", deadletter.Filter{Topic: event.TopicMatching}, []string{"three"}},
		{"of a type", deadletter.Filter{Type: "order.matched"}, []string{"two"}},
		{"since", deadletter.Filter{Since: between}, []string{"three", "two"}},
		{"two conditions", deadletter.Filter{Since: between, Consumer: "matching"}, []string{}},
	} {
		if diff := cmp.Diff(tt.want, reasons(o.list(tt.filter))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	l := o.list(deadletter.Filter{Consumer: "matching"})[0]
	want := deadletter.Letter{
		ID: l.ID, At: l.At, Consumer: "matching", Reason: "one", Topic: event.TopicOrder,
		Position: deadletter.Position{Partition: first.Partition, Offset: first.Offset}, Type: "order.placed", Key: []byte("o-1"), Value: first.Value,
		Headers: []deadletter.Header{{"traceparent", first.Headers[0].Value}, {"ce_type", []byte("order.placed")}}, Length: len(first.Value),
	}
	if diff := cmp.Diff(want, l, cmpopts.IgnoreFields(deadletter.Letter{}, "SHA256")); diff != "" {
		t.Errorf("letter (-want +got):\n%s", diff)
	}
	shown, err := o.letters.Show(t.Context(), l.ID)
	if diff := cmp.Diff(l, shown); diff != "" || err != nil {
		t.Errorf("Show gives %v (-want +got):\n%s", err, diff)
	}
	if _, err := o.letters.Show(t.Context(), deadletter.Position{Partition: 0, Offset: 999}); !errors.Is(err, deadletter.ErrNoLetter) {
		t.Errorf("a letter that is not there gives %v", err)
	}
}

// TestReplay lets two services read a topic of which one cannot handle a record at first. The replay comes to that one alone.
func TestReplay(t *testing.T) {
	o := open(t)
	var mu sync.Mutex
	came := map[string][]string{}
	mended := false
	for _, service := range []string{"matching", "pricing"} {
		o.consume(service, func(_ context.Context, e event.Event) error {
			mu.Lock()
			defer mu.Unlock()
			came[service] = append(came[service], e.Subject)
			if service == "matching" && e.Subject == "o-1" && !mended {
				return broker.Permanent(errors.New("no such waste"))
			}
			return nil
		})
	}
	all := func(service string, want ...string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return cmp.Equal(want, came[service])
		}
	}
	r := o.produce(o.order("o-1", event.Placed{}))
	o.await("the first attempt", all("matching", "o-1"))
	o.await("the other service", all("pricing", "o-1"))
	o.await("the letter", func() bool { return len(o.list(deadletter.Filter{})) == 1 })
	id := o.list(deadletter.Filter{})[0].ID
	mu.Lock()
	mended = true
	mu.Unlock()

	if l, err := o.letters.Replay(t.Context(), id, false, true); err != nil || l.Consumer != "matching" {
		t.Fatalf("dry run: %v, %v", l, err)
	}
	if open := o.list(deadletter.Filter{}); len(open) != 1 || !open[0].Replayed.IsZero() {
		t.Fatalf("a dry run replayed: %v", open)
	}
	if _, err := o.letters.Replay(t.Context(), id, false, false); err != nil {
		t.Fatal(err)
	}
	o.await("the replay", all("matching", "o-1", "o-1"))
	if open := o.list(deadletter.Filter{}); len(open) != 0 {
		t.Errorf("still open: %v", open)
	}
	if done := o.list(deadletter.Filter{Replayed: true}); len(done) != 1 || done[0].Replayed.Before(done[0].At) {
		t.Errorf("replayed: %v", done)
	}
	if _, err := o.letters.Replay(t.Context(), id, false, false); !errors.Is(err, deadletter.ErrAlreadyReplayed) {
		t.Errorf("a second replay gives %v", err)
	}
	if _, err := o.letters.Replay(t.Context(), id, true, false); err != nil {
		t.Errorf("another replay gives %v", err)
	}
	o.await("the second replay", all("matching", "o-1", "o-1", "o-1"))
	o.produce(o.order("o-1", event.Matched{})) // behind the replays in their partition
	o.await("the event behind", all("matching", "o-1", "o-1", "o-1", "o-1"))
	o.await("the event behind", all("pricing", "o-1", "o-1"))

	records := o.read(event.TopicOrder, 4)
	if n := len(records[1].Headers); n != len(r.Headers)+2 || !bytes.Equal(records[1].Value, r.Value) || string(records[1].Key) != "o-1" {
		t.Errorf("the replayed record has %d headers, key %q, value %s", n, records[1].Key, records[1].Value)
	}
}

// TestReplayThatFailsAgain: a replay that dies again is a letter of its own, which can be replayed.
func TestReplayThatFailsAgain(t *testing.T) {
	o := open(t)
	o.consume("matching", func(context.Context, event.Event) error { return broker.Permanent(errors.New("never")) })
	o.produce(o.order("o-1", event.Placed{}))
	for n := range 3 {
		o.await("a letter", func() bool { return len(o.list(deadletter.Filter{Replayed: true})) == n+1 })
		open := o.list(deadletter.Filter{})
		if len(open) != 1 {
			t.Fatalf("%d letters are open", len(open))
		}
		if got := len(open[0].Headers); got != 2+2*min(n, 1) {
			t.Errorf("round %d: headers %v", n, open[0].Headers)
		}
		if _, err := o.letters.Replay(t.Context(), open[0].ID, false, false); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReplayOfACutLetter reads the original, as long as it is there.
func TestReplayOfACutLetter(t *testing.T) {
	o := open(t)
	value := make([]byte, 999_859)
	_, _ = rand.Read(value) // it never fails
	large := o.produce(&kgo.Record{Topic: event.TopicOrder, Key: []byte("o-1"), Value: value, Headers: []kgo.RecordHeader{{Key: "own", Value: []byte("kept")}}})
	o.write(large, "matching", "unreadable")
	letters := o.list(deadletter.Filter{})
	if len(letters) != 1 || !letters[0].Cut || letters[0].Length != len(value) || len(letters[0].Value) >= len(value) || letters[0].Type != "" {
		t.Fatalf("letters %+v", reasons(letters))
	}
	if _, err := o.letters.Replay(t.Context(), letters[0].ID, false, false); err != nil {
		t.Fatal(err)
	}
	again := o.read(event.TopicOrder, 2)[1]
	if !bytes.Equal(again.Value, value) || string(again.Key) != "o-1" || again.Headers[0].Key != "own" {
		t.Errorf("the replay has %d bytes, key %q, headers %v", len(again.Value), again.Key, again.Headers)
	}
	for _, tt := range []struct {
		name string
		lose func()
		why  string
	}{
		{"retention took it", func() { o.cut(large.Partition, large.Offset+1) }, "no longer has position"},
		{"a topic made anew has another record there", func() {
			o.clear()
			for p := range int32(20) { // some of them land in each partition
				o.produce(o.order(fmt.Sprint("o-", p), event.Placed{}))
			}
			o.write(large, "matching", "unreadable")
		}, "another record now"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.lose()
			id := o.list(deadletter.Filter{Replayed: true})[0].ID
			for _, dry := range []bool{true, false} {
				if _, err := o.letters.Replay(t.Context(), id, true, dry); !errors.Is(err, deadletter.ErrGone) || !strings.Contains(err.Error(), tt.why) {
					t.Errorf("replay gives %v", err)
				}
			}
		})
	}
}

// read takes so many records of a topic from its start.
func (o *office) read(topic string, n int) (list []*kgo.Record) {
	o.t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(o.brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		o.t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(o.t.Context(), time.Minute)
	defer cancel()
	for len(list) < n {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			o.t.Fatalf("after %d records of %s: %v", len(list), topic, err)
		}
		list = append(list, fetches.Records()...)
	}
	return list
}

// cut moves the start of a partition of the order topic.
func (o *office) cut(partition int32, start int64) {
	o.t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 30_000
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rt.Topic = event.TopicOrder
	rp := kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Partition, rp.Offset = partition, start
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(o.t.Context(), o.kafka)
	if err != nil || res.Topics[0].Partitions[0].ErrorCode != 0 {
		o.t.Fatal(err, res)
	}
}

func TestParsePosition(t *testing.T) {
	for _, tt := range []struct {
		text string
		want deadletter.Position
		ok   bool
	}{
		{"1:17", deadletter.Position{Partition: 1, Offset: 17}, true},
		{"0:0", deadletter.Position{}, true},
		{"1", deadletter.Position{}, false},
		{"", deadletter.Position{}, false},
		{"1:", deadletter.Position{}, false},
		{"-1:2", deadletter.Position{}, false},
		{"1:-2", deadletter.Position{}, false},
		{"1:2:3", deadletter.Position{}, false},
		{"4294967296:1", deadletter.Position{}, false},
	} {
		got, err := deadletter.ParsePosition(tt.text)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%q is %v, %v", tt.text, got, err)
		}
		if tt.ok && got.String() != tt.text {
			t.Errorf("%q becomes %q", tt.text, got)
		}
	}
}
