package kafka

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"kreislauf/internal/backend/kafkad"
	"kreislauf/internal/backend/real"
	"kreislauf/test/contract/transcript"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broker is the server that the cases ask.
type broker struct {
	addr    string
	restart func(t *testing.T) // in order; the address and the data stay
}

// talk is one case: its name is the topic's and the group's prefix too.
type talk struct {
	*testing.T
	transcript.Transcript
	broker broker
	name   string
}

func (k *talk) say(name, format string, args ...any) {
	k.Helper()
	k.Say(k.T, name, format, args...)
}

func cases() map[string]func(*talk) {
	return map[string]func(*talk){
		"records": records, "order": order, "topics": topics, "configs": configs, "produce_errors": produceErrors, "idempotence": idempotence,
		"list_offsets": listOffsets, "fetch_errors": fetchErrors, "rebalance": rebalance, "redelivery": redelivery, "group_errors": groupErrors,
		"restart": restart, "compaction": compaction, "retention": retention,
	}
}

func TestContract(t *testing.T) {
	if transcript.Recording() {
		b := realKafka(t)
		for name, c := range cases() {
			t.Run(name, func(t *testing.T) {
				k := &talk{T: t, broker: b, name: name}
				c(k)
				if !t.Failed() {
					k.Record(t, name)
				}
			})
		}
		return
	}
	d := transcript.LoadDifferences(t)
	for name, c := range cases() {
		t.Run(name, func(t *testing.T) {
			k := &talk{T: t, broker: embedded(t), name: name}
			c(k)
			k.Compare(t, "kafkad", name, d)
		})
	}
	d.AllMet(t, "kafkad")
}

// embedded starts a kafkad that cleans up as often as a test wants it.
func embedded(t *testing.T) broker {
	t.Helper()
	dir, addr := t.TempDir(), "127.0.0.1:0"
	var s *kafkad.Server
	start := func() {
		var err error
		if s, err = kafkad.New(kafkad.Options{Dir: dir, Addr: addr, CleanEvery: 200 * time.Millisecond, Logger: zerolog.Nop()}); err != nil {
			t.Fatal(err)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		addr = s.Addr()
	}
	stop := func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
	start()
	t.Cleanup(func() { stop() })
	return broker{addr, func(*testing.T) { stop(); start() }}
}

// realKafka fetches and starts a real one.
func realKafka(t *testing.T) broker {
	t.Helper()
	java, ok := real.FindJava(t.Context())
	if !ok {
		t.Fatalf("recording needs Java %d or newer", real.MinJava)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	lib, err := real.KafkaJars().Fetch(t.Context(), filepath.Join(cache, "kreislauf"), real.FindMaven())
	if err != nil {
		t.Fatal(err)
	}
	addr, controller := freeAddr(t), freeAddr(t)
	argv, err := real.Kafka{Java: java, Lib: lib, Dir: t.TempDir(), Addr: addr, Controller: controller}.Command(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var cmd *exec.Cmd
	start := func(t *testing.T) {
		cmd = exec.Command(argv[0], argv[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		until(t, "Kafka answers", func() bool {
			c, err := net.Dial("tcp", addr)
			if err == nil {
				c.Close()
			}
			return err == nil
		})
	}
	stop := func(t *testing.T) {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // Java ends with 143 when it is asked to
	}
	start(t)
	t.Cleanup(func() { stop(t) })
	return broker{addr, func(t *testing.T) { stop(t); start(t) }}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// until waits for what comes true by itself.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// client makes a client that closes with the case.
func (k *talk) client(opts ...kgo.Opt) *kgo.Client {
	k.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(k.broker.addr), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.FetchMaxWait(100 * time.Millisecond), kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
	}, opts...)...)
	if err != nil {
		k.Fatal(err)
	}
	k.Cleanup(c.CloseAllowingRebalance)
	return c
}

// ctx bounds a case.
func (k *talk) ctx() context.Context {
	ctx, cancel := context.WithTimeout(k.Context(), 2*time.Minute)
	k.Cleanup(cancel)
	return ctx
}

// read takes so many records from the start of the topic, without a group.
func (k *talk) read(topic string, n int, opts ...kgo.Opt) (list []*kgo.Record) {
	k.Helper()
	c := k.client(append([]kgo.Opt{kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}, opts...)...)
	defer c.Close()
	ctx := k.ctx()
	for len(list) < n {
		fetches := c.PollRecords(ctx, n-len(list))
		if err := fetches.Err(); err != nil {
			k.Fatalf("after %d records of %s: %v", len(list), topic, err)
		}
		list = append(list, fetches.Records()...)
	}
	return list
}

// produce writes records and waits for each.
func (k *talk) produce(c *kgo.Client, recs ...*kgo.Record) {
	k.Helper()
	for i, r := range recs {
		if err := c.ProduceSync(k.ctx(), r).FirstErr(); err != nil {
			k.Fatalf("record %d: %v", i, err)
		}
	}
}

func numbered(topic, key string, from, to int) (list []*kgo.Record) {
	for n := from; n < to; n++ {
		list = append(list, &kgo.Record{Topic: topic, Key: []byte(key), Value: fmt.Append(nil, n)})
	}
	return list
}
