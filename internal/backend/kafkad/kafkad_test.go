package kafkad

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
)

const (
	dirVar = "KREISLAUF_TEST_DIR" // turns the test binary into a broker with this data folder
	topic  = "kreislauf.order.v1"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(dirVar); dir != "" {
		s, err := New(Options{Dir: dir, Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
		if err == nil {
			err = s.Start()
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(s.Addr())
		select {}
	}
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, dir string) *Server {
	t.Helper()
	s, err := New(Options{Dir: dir, Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}

// client speaks to a broker for at most a minute.
func client(t *testing.T, addr string, opts ...kgo.Opt) (*kgo.Client, context.Context) {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr), kgo.RequiredAcks(kgo.AllISRAcks())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(func() { cancel(); c.Close() })
	return c, ctx
}

func createTopic(t *testing.T, addr string) {
	t.Helper()
	c, ctx := client(t, addr)
	req := kmsg.NewPtrCreateTopicsRequest()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = topic, 3, 1
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(ctx, c)
	if err != nil || res.Topics[0].ErrorCode != 0 {
		t.Fatalf("create topic: %v %v", err, res)
	}
	c.Close()
}

// produce writes numbered records of one key and waits for each acknowledgement.
func produce(t *testing.T, addr string, from, to int) {
	t.Helper()
	c, ctx := client(t, addr)
	for n := from; n < to; n++ {
		if err := c.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte("o-1"), Value: fmt.Append(nil, n)}).FirstErr(); err != nil {
			t.Fatalf("record %d: %v", n, err)
		}
	}
	c.Close()
}

// consume reads so many records as a group and commits them.
func consume(t *testing.T, addr string, want int) []string {
	t.Helper()
	c, ctx := client(t, addr, kgo.ConsumerGroup("matching"), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	var values []string
	for len(values) < want {
		fetches := c.PollRecords(ctx, want-len(values))
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d records: %v", len(values), err)
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
		if err := c.CommitRecords(ctx, fetches.Records()...); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	return values
}

func numbers(from, to int) (list []string) {
	for n := from; n < to; n++ {
		list = append(list, fmt.Sprint(n))
	}
	return list
}

func TestRestartKeepsRecordsAndOffsets(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	createTopic(t, s.Addr())
	produce(t, s.Addr(), 0, 20)
	if diff := cmp.Diff(numbers(0, 8), consume(t, s.Addr(), 8)); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	stop(t, s)
	s = open(t, dir)
	defer stop(t, s)
	produce(t, s.Addr(), 20, 25)
	if diff := cmp.Diff(numbers(8, 25), consume(t, s.Addr(), 17)); diff != "" {
		t.Errorf("after the restart (-want +got):\n%s", diff)
	}
}

// TestKillKeepsAcknowledgedRecords kills a broker process while it is written to.
func TestKillKeepsAcknowledgedRecords(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), dirVar+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimSpace(line)
	createTopic(t, addr)
	produce(t, addr, 0, 30)
	if diff := cmp.Diff(numbers(0, 10), consume(t, addr, 10)); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	c, ctx := client(t, addr, kgo.MaxBufferedRecords(10_000), kgo.RecordDeliveryTimeout(2*time.Second), kgo.RecordRetries(0))
	acked := make(chan int, 10_000) // gets the number of every acknowledged record
	for n := 30; n < 5_000; n++ {
		c.Produce(ctx, &kgo.Record{Topic: topic, Key: []byte("o-1"), Value: fmt.Append(nil, n)}, func(_ *kgo.Record, err error) {
			if err == nil {
				acked <- n
			}
		})
	}
	last := <-acked
	if err := cmd.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	if cmd.Wait() == nil {
		t.Error("the broker was not killed")
	}
	c.Close()
	close(acked)
	for n := range acked {
		last = max(last, n)
	}
	s := open(t, dir)
	defer stop(t, s)
	if diff := cmp.Diff(numbers(10, last+1), consume(t, s.Addr(), last-9)); diff != "" {
		t.Errorf("%d records were acknowledged; after the kill (-want +got):\n%s", last+1, diff)
	}
}

func TestSyncedWrites(t *testing.T) {
	dir := t.TempDir()
	s, err := New(Options{Dir: dir, Addr: "127.0.0.1:0", Sync: true, Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	createTopic(t, s.Addr())
	produce(t, s.Addr(), 0, 5)
	stop(t, s)
	s = open(t, dir)
	defer stop(t, s)
	if diff := cmp.Diff(numbers(0, 5), consume(t, s.Addr(), 5)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestOptions(t *testing.T) {
	for _, addr := range []string{"", "localhost", "127.0.0.1"} {
		if _, err := New(Options{Dir: t.TempDir(), Addr: addr}); err == nil {
			t.Errorf("address %q was accepted", addr)
		}
	}
	if _, err := New(Options{Dir: "/dev/null/kafka", Addr: "127.0.0.1:0"}); err == nil {
		t.Error("a folder that cannot be made was accepted")
	}
	s, err := New(Options{Dir: t.TempDir(), Addr: "127.0.0.1:http-alt"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err == nil || !strings.Contains(err.Error(), "http-alt") {
		t.Errorf("a port that is no number: %v", err)
	}
	stop(t, s) // never started
	one := open(t, t.TempDir())
	defer stop(t, one)
	two, err := New(Options{Dir: t.TempDir(), Addr: one.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	if err := two.Start(); err == nil || !strings.Contains(err.Error(), one.Addr()) {
		t.Errorf("an address in use: %v", err)
	}
}
