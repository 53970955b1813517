package kafka

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// restart stops the broker between produce and consume; clients carry on by themselves.
func restart(k *talk) {
	topic := k.mustCreate(1, "retention.bytes", "16777216")
	producer := k.client()
	k.produce(producer, numbered(topic, "k", 0, 10)...)
	group := []kgo.Opt{
		kgo.ConsumerGroup(topic), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(),
		kgo.HeartbeatInterval(200 * time.Millisecond),
	}
	read := func(c *kgo.Client, n int) string {
		var list []*kgo.Record
		for len(list) < n {
			fetches := c.PollRecords(k.ctx(), n-len(list))
			list = append(list, fetches.Records()...) // errors of the restart pass
			if err := k.Context().Err(); err != nil {
				k.Fatal(err)
			}
		}
		if err := c.CommitRecords(k.ctx(), list...); err != nil {
			k.Fatal(err)
		}
		return values(list)
	}
	stays := k.client(group...)
	k.say("before", "%s", read(stays, 4))
	id, epoch := k.producerID()
	raw := encode(batch(id, epoch, 0, "a", "b"))
	k.say("raw batch before", "%s", k.send(topic, 0, -1, raw))
	k.broker.restart(k.T)
	k.produce(producer, numbered(topic, "k", 10, 13)...)
	k.say("raw batch again after", "%s", k.send(topic, 0, -1, raw))
	k.say("the consumer that stayed", "%s", read(stays, 5))
	stays.CloseAllowingRebalance()
	k.broker.restart(k.T)
	k.say("a new consumer", "%s", read(k.client(group...), 6))
	k.say("configuration", "%s", k.describe(topic, "retention.bytes"))
	k.say("end", "%s", k.listOffset(topic, 0, latest))
	k.say("group", "%s", strings.Split(k.describeGroup(topic), " ")[0])
}

// compaction keeps the newest record of each key.
func compaction(k *talk) {
	topic := k.mustCreate(1, "cleanup.policy", "compact", "segment.ms", "200", "min.cleanable.dirty.ratio", "0", "delete.retention.ms", "0", "max.compaction.lag.ms", "400")
	c := k.client()
	for n := range 20 {
		for key := range 5 {
			k.produce(c, &kgo.Record{Topic: topic, Key: fmt.Append(nil, "k", key), Value: fmt.Append(nil, n)})
		}
	}
	k.produce(c, &kgo.Record{Topic: topic, Key: []byte("k4")}) // a tombstone
	// A new segment begins with the first record after segment.ms; the active one is not compacted.
	count := 0
	var all []*kgo.Record
	until(k.T, "old records are gone", func() bool {
		time.Sleep(250 * time.Millisecond)
		k.produce(c, &kgo.Record{Topic: topic, Key: []byte("roll"), Value: fmt.Append(nil, count)})
		count++
		all = k.upTo(topic)
		old := 0
		for _, r := range all {
			if string(r.Key) != "roll" {
				old++
			}
		}
		return old <= 4
	})
	var kept []string
	rising := true
	for i, r := range all {
		rising = rising && (i == 0 || r.Offset > all[i-1].Offset)
		if string(r.Key) != "roll" {
			kept = append(kept, fmt.Sprintf("%s=%s@%d", r.Key, r.Value, r.Offset))
		}
	}
	slices.Sort(kept)
	k.say("kept", "%s", strings.Join(kept, " "))
	k.say("offsets rise", "%t", rising)
	k.say("end is unchanged", "%t", k.listOffset(topic, 0, latest) == fmt.Sprintf("ok offset %d time -1", 101+count))
	k.say("produce without a key", "%s", codeOf(c.ProduceSync(k.ctx(), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr()))
}

// upTo reads a topic of one partition from its start to its end as it is now.
func (k *talk) upTo(topic string) (list []*kgo.Record) {
	k.Helper()
	var end int64
	if _, err := fmt.Sscanf(k.listOffset(topic, 0, latest), "ok offset %d", &end); err != nil {
		k.Fatal(err)
	}
	c := k.client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer c.Close()
	for len(list) == 0 || list[len(list)-1].Offset < end-1 {
		fetches := c.PollFetches(k.ctx())
		if err := fetches.Err(); err != nil {
			k.Fatal(err)
		}
		list = append(list, fetches.Records()...)
	}
	return list
}

// retention removes the oldest segments when a partition is too large.
func retention(k *talk) {
	const mb = 1 << 20
	topic := k.mustCreate(1, "retention.bytes", fmt.Sprint(2*mb), "segment.bytes", fmt.Sprint(mb))
	c := k.client(kgo.ProducerBatchCompression(kgo.NoCompression()))
	const size, n = 64 << 10, 96 // 6 MB
	for i := range n {
		k.produce(c, &kgo.Record{Topic: topic, Value: append(fmt.Appendf(nil, "%d ", i), make([]byte, size)...)})
	}
	first := func() (offset int64) {
		if _, err := fmt.Sscanf(k.listOffset(topic, 0, earliest), "ok offset %d", &offset); err != nil {
			k.Fatal(err)
		}
		return offset
	}
	kept := func() int64 { return (n - first()) * size }
	until(k.T, "the oldest are gone", func() bool { // and nothing more goes: the retention may have looked last while records still came
		before := first()
		time.Sleep(time.Second)
		return kept() <= 3*mb && first() == before
	})
	start := first()
	k.say("what is kept", "at least retention.bytes %t, less than a segment more %t", kept() >= 2*mb, kept() <= 3*mb)
	list := k.upTo(topic)
	k.say("reading from the start", "begins at the first kept %t, is complete %t, is the right one %t", list[0].Offset == start, int64(len(list)) == n-start, strings.HasPrefix(string(list[0].Value), fmt.Sprint(start, " ")))
	k.say("end", "%s", k.listOffset(topic, 0, latest))
	k.say("fetch of what is gone", "%s", k.fetchError(topic, 0, kgo.NewOffset().At(0)))
	k.say("fetch of what is gone, with a reset", "%t", k.read(topic, 1)[0].Offset == start)
}
