package broker

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"kreislauf/internal/config"
	"kreislauf/internal/event"
	"kreislauf/internal/logging"
	"kreislauf/internal/telemetry"
)

// TestTopicMadeAnew lets topics vanish under a running producer and a running consumer. Both must go on with those of the same name.
func TestTopicMadeAnew(t *testing.T) {
	for _, tt := range []struct {
		name string
		anew func(t *testing.T, f *fixture)
	}{
		{"deleted and created", func(t *testing.T, f *fixture) {
			f.deleteTopics(t)
			f.ensureTopics(t)
		}},
		{"deleted", func(t *testing.T, f *fixture) { f.deleteTopics(t) }},
		{"broker with an empty folder", func(t *testing.T, f *fixture) {
			if f.server == nil {
				t.Skip("the folder of a Kafka that runs already is not ours")
			}
			f.stop(t)
			f.start(t, f.brokers[0])
			f.ensureTopics(t)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			var came sync.Map // ids of events
			c := f.consumer(t, func(_ context.Context, e event.Event) error {
				if e.Subject == "o-dead" {
					return Permanent(errors.New("hopeless"))
				}
				came.Store(e.ID, true)
				return nil
			})
			stop := run(t, c)
			dead := 0.0
			for round := range 2 {
				e := placed(t, fmt.Sprint("o-", round), round, "")
				eventually(t, "an event and a dead letter", func() bool {
					// Published again and again: the first may go down with the old topic.
					_ = f.producer.Publish(t.Context(), event.TopicOrder, e, placed(t, "o-dead", 1, ""))
					_, ok := came.Load(e.ID)
					return ok && testutil.ToFloat64(c.dead.WithLabelValues(event.TopicOrder)) > dead
				})
				if round == 0 {
					tt.anew(t, f)
					dead = testutil.ToFloat64(c.dead.WithLabelValues(event.TopicOrder))
				}
			}
			stop()
			if n := testutil.ToFloat64(c.renewals); n < 1 || n > 10 {
				t.Errorf("the consumer's client was built anew %v times", n)
			}
			if n := len(f.lines.with(t, "event.action", "kafka.fetch")); n > 20 {
				t.Errorf("%d lines about fetching", n)
			}
			if n := len(f.lines.with(t, "event.action", "kafka.renewed")); n < 1 || n > 6 {
				t.Errorf("%d lines about new clients, want one of the consumer, and mostly one of the producer", n)
			}
		})
	}
}

// TestPollsWithErrorsPause: a broker that answers each fetch with an error that no new client heals is asked less and less often.
func TestPollsWithErrorsPause(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, event.TopicOrder))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	var fetches atomic.Int32
	cluster.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		fetches.Add(1)
		fetch := req.(*kmsg.FetchRequest)
		res := fetch.ResponseKind().(*kmsg.FetchResponse)
		for _, topic := range fetch.Topics {
			rt := kmsg.NewFetchResponseTopic()
			rt.Topic, rt.TopicID = topic.Topic, topic.TopicID
			for _, p := range topic.Partitions {
				rp := kmsg.NewFetchResponseTopicPartition()
				rp.Partition, rp.ErrorCode = p.Partition, kerr.TopicAuthorizationFailed.Code
				rt.Partitions = append(rt.Partitions, rp)
			}
			res.Topics = append(res.Topics, rt)
		}
		return res, nil, true
	})
	out := &lines{}
	tel, err := telemetry.New(t.Context(), config.Process{}, logging.NewSink(out))
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewConsumer(cluster.ListenAddrs(), "pricing", "pricing-1", zerolog.New(out), tel.Tracer,
		func(context.Context, event.Event) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	stop := run(t, c)
	eventually(t, "ten fetches", func() bool { return fetches.Load() >= 10 })
	took := time.Since(began)
	stop()
	if took < 2*time.Second { // 0.1 + 0.2 + … + 0.7 s and more
		t.Errorf("%d fetches within %v", fetches.Load(), took)
	}
	if n := len(out.with(t, "event.action", "kafka.fetch")); n != 1 {
		t.Errorf("%d lines about one fault", n)
	}
}

// TestLargeDeadLetter: records that become too large with the headers of a letter are cut; those behind them go on.
func TestLargeDeadLetter(t *testing.T) {
	for _, tt := range []struct {
		name  string
		limit string // max.message.bytes of the dead-letter topic, empty: the broker's own
		size  int
		keeps int
	}{
		{"as large as a producer takes", "", 999_859, 64 << 10},
		{"a topic with a small limit", "20000", 999_859, 1 << 10},
		{"fits", "", 900_000, 900_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			c := raw(t, f)
			if tt.limit != "" {
				alter(t, c, event.TopicDeadLetter, "max.message.bytes", tt.limit)
			}
			value := make([]byte, tt.size)
			_, _ = rand.Read(value) // it never fails; what it gives cannot be compressed
			large := &kgo.Record{Topic: event.TopicOrder, Key: []byte("o-1"), Value: value, Headers: []kgo.RecordHeader{{Key: "own", Value: []byte("kept")}}}
			if err := c.ProduceSync(t.Context(), large).FirstErr(); err != nil {
				t.Fatal(err)
			}
			fine, hopeless := placed(t, "o-1", 1, ""), placed(t, "o-1", 2, "")
			f.publish(t, hopeless, fine)
			came := make(chan string, 10)
			stop := f.consume(t, func(_ context.Context, e event.Event) error {
				if e.ID == hopeless.ID {
					return Permanent(errors.New(strings.Repeat("ä", 50_000)))
				}
				came <- e.ID
				return nil
			})
			if id := receive(t, came, "the event behind the large one"); id != fine.ID {
				t.Errorf("%s came", id)
			}
			stop()
			letters := f.read(t, event.TopicDeadLetter, 2)
			h := headers(letters[0])
			want := map[string]string{
				"consumer": "matching", "topic": event.TopicOrder, "position": fmt.Sprintf("%d:%d", large.Partition, large.Offset), "own": "kept",
				"reason": h["reason"],
			}
			if tt.keeps < tt.size {
				sum := sha256.Sum256(value)
				want["original-length"], want["original-sha256"] = fmt.Sprint(tt.size), hex.EncodeToString(sum[:])
			}
			if diff := cmp.Diff(want, h); diff != "" || h["reason"] == "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if string(letters[0].Value) != string(value[:tt.keeps]) || string(letters[0].Key) != "o-1" {
				t.Errorf("key %q, value of %d bytes, want the first %d", letters[0].Key, len(letters[0].Value), tt.keeps)
			}
			h = headers(letters[1])
			if reason := h["reason"]; len(reason) > 1024 || !strings.HasPrefix(reason, "äää") || !strings.HasSuffix(reason, "ä…") {
				t.Errorf("the reason has %d bytes: %.20q", len(reason), reason)
			}
		})
	}
}

// TestWorkEndsBeforeTheRebalance: what a poll brought may take longer than the group waits for a member. An instance that joins
// meanwhile must get its share, and events must not be handled again because their member was thrown out.
func TestWorkEndsBeforeTheRebalance(t *testing.T) {
	f := newFixture(t)
	const subjects, each = 6, 50
	const all = subjects * each
	for n := range each {
		var batch []event.Event
		for s := range subjects {
			batch = append(batch, placed(t, fmt.Sprint("o-", s), n, ""))
		}
		f.publish(t, batch...)
	}
	var mu sync.Mutex
	handled, distinct := map[string]int{}, make(chan int, 10*all)
	count := func(e event.Event) {
		mu.Lock()
		defer mu.Unlock()
		handled[e.ID]++
		distinct <- len(handled)
	}
	joined, began := make(chan bool), make(chan bool, 10*all)
	var join sync.Once
	first := f.consumer(t, func(_ context.Context, e event.Event) error {
		count(e)
		began <- true
		select {
		case <-joined:
		case <-time.After(150 * time.Millisecond): // all of one partition would take longer than the group waits
		}
		return nil
	})
	first.workTime = 100 * time.Millisecond
	stopFirst := run(t, first)
	receive(t, began, "the first event")
	second := f.consumer(t, func(_ context.Context, e event.Event) error {
		count(e)
		join.Do(func() { close(joined) })
		return nil
	})
	stopSecond := run(t, second)
	for receive(t, distinct, "all events") < all {
	}
	eventually(t, "the last commit", func() bool { return f.uncommitted(t) == 0 })
	stopFirst()
	stopSecond()
	twice := 0
	for _, n := range handled {
		twice += n - 1
	}
	if twice > 6 { // a commit may be lost in a rebalance: a record or two of each partition
		t.Errorf("%d handler calls too many for %d events", twice, all)
	}
}

// TestStopCommitsWhatIsDone ends a consumer within a poll: what it handled is committed, the rest comes to the next instance.
func TestStopCommitsWhatIsDone(t *testing.T) {
	f := newFixture(t)
	var want []int
	for n := range 10 {
		f.publish(t, placed(t, "o-1", n, ""))
		if n > 2 {
			want = append(want, n)
		}
	}
	third := make(chan bool, 1)
	stop := f.consume(t, func(ctx context.Context, e event.Event) error {
		n, err := number(e)
		if n == 2 {
			third <- true
			<-ctx.Done()
		}
		return err
	})
	receive(t, third, "the third event")
	stop()
	var got []int
	last := make(chan bool, 1)
	stop = f.consume(t, func(_ context.Context, e event.Event) error {
		n, err := number(e)
		if got = append(got, n); n == 9 {
			last <- true
		}
		return err
	})
	receive(t, last, "the last event")
	stop()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events of the next instance (-want +got):\n%s", diff)
	}
}

// TestLostOffset: a group that cannot go on where it was begins at the start of the log, and says so.
func TestLostOffset(t *testing.T) {
	const n = 12 // events, all of one subject
	for _, tt := range []struct {
		name      string
		committed int64 // of the group; below 0: none
		start     int64 // of the log
		want      int   // events that come
		lost      float64
	}{
		{"a new group and a whole log", -1, 0, n, 0},
		{"a new group and a log without its start", -1, 5, n - 5, 1},
		{"the offset is in the log", 7, 5, n - 7, 0},
		{"the offset is the log's start", 5, 5, n - 5, 0},
		{"the offset is before the log", 3, 5, n - 5, 1},
		{"the offset is behind the log", 1000, 5, n - 5, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			for i := range n {
				f.publish(t, placed(t, "o-1", i, ""))
			}
			c := raw(t, f)
			part := f.read(t, event.TopicOrder, n)[0].Partition
			if tt.committed >= 0 {
				commit(t, raw(t, f, kgo.MaxVersions(kversion.V3_5_0())), part, tt.committed)
			}
			cut(t, c, part, tt.start)
			var got atomic.Int32
			last := make(chan bool, 2)
			consumer := f.consumer(t, func(_ context.Context, e event.Event) error {
				i, err := number(e)
				if got.Add(1); i == n-1 {
					last <- true
				}
				return err
			})
			stop := run(t, consumer)
			receive(t, last, "the last event")
			stop()
			if int(got.Load()) != tt.want {
				t.Errorf("%d events came, want %d", got.Load(), tt.want)
			}
			if lost := testutil.ToFloat64(consumer.lost.WithLabelValues(event.TopicOrder)); lost != tt.lost {
				t.Errorf("%v offsets counted as lost, want %v", lost, tt.lost)
			}
			if lines := f.lines.with(t, "event.action", "kafka.offset-lost"); len(lines) != int(tt.lost) {
				t.Errorf("log lines %v", lines)
			}
		})
	}
}

// uncommitted is how many events of the order topic the group matching has not committed.
func (f *fixture) uncommitted(t *testing.T) (n int64) {
	t.Helper()
	c := raw(t, f, kgo.MaxVersions(kversion.V3_5_0())) // newer ones want ids of topics
	ends := kmsg.NewPtrListOffsetsRequest()
	et := kmsg.NewListOffsetsRequestTopic()
	et.Topic = event.TopicOrder
	fetch := kmsg.NewPtrOffsetFetchRequest()
	fetch.Group = "matching"
	ft := kmsg.NewOffsetFetchRequestTopic()
	ft.Topic = event.TopicOrder
	for p := range int32(3) {
		ep := kmsg.NewListOffsetsRequestTopicPartition()
		ep.Partition, ep.Timestamp = p, -1
		et.Partitions = append(et.Partitions, ep)
		ft.Partitions = append(ft.Partitions, p)
	}
	ends.Topics, fetch.Topics = append(ends.Topics, et), append(fetch.Topics, ft)
	e, err := ends.RequestWith(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	o, err := fetch.RequestWith(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range e.Topics[0].Partitions {
		n += p.Offset
	}
	for _, p := range o.Topics[0].Partitions {
		n -= max(p.Offset, 0)
	}
	return n
}

// commit sets the offset of the group matching, which has no members.
func commit(t *testing.T, c *kgo.Client, partition int32, offset int64) {
	t.Helper()
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation = "matching", -1
	rt := kmsg.NewOffsetCommitRequestTopic()
	rt.Topic = event.TopicOrder
	rp := kmsg.NewOffsetCommitRequestTopicPartition()
	rp.Partition, rp.Offset = partition, offset
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(t.Context(), c)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// cut moves the start of the log.
func cut(t *testing.T, c *kgo.Client, partition int32, start int64) {
	t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 30_000
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rt.Topic = event.TopicOrder
	rp := kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Partition, rp.Offset = partition, start
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(t.Context(), c)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// alter sets a configuration of a topic.
func alter(t *testing.T, c *kgo.Client, topic, name, value string) {
	t.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	r.Configs = append(r.Configs, kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: name, Op: kmsg.IncrementalAlterConfigOpSet, Value: &value})
	req.Resources = append(req.Resources, r)
	res, err := req.RequestWith(t.Context(), c)
	if err == nil {
		err = kerr.ErrorForCode(res.Resources[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestDeadLetterWhileKafkaIsAway: an attempt to write a letter ends, so that the consumer gives a sign of life and tells what it waits for.
func TestDeadLetterWhileKafkaIsAway(t *testing.T) {
	f := newFixture(t)
	if f.server == nil {
		t.Skip("the Kafka of others is not stopped")
	}
	f.publish(t, placed(t, "o-1", 1, ""))
	var once sync.Once
	f.consume(t, func(context.Context, event.Event) error {
		once.Do(func() { f.stop(t) })
		return Permanent(errors.New("it never works"))
	})
	eventually(t, "the end of the first attempt", func() bool {
		for _, line := range f.lines.with(t, "event.action", "event.consumed") {
			if line["log.level"] == "warn" {
				return true
			}
		}
		return false
	})
	f.start(t, f.brokers[0])
}
