package kafka

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// bytesOf shows nil and empty apart.
func bytesOf(b []byte) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprintf("%q", b)
}

func show(r *kgo.Record) string {
	var headers []string
	for _, h := range r.Headers {
		headers = append(headers, fmt.Sprintf("%q:%s", h.Key, bytesOf(h.Value)))
	}
	return fmt.Sprintf("offset %d key %s value %s headers [%s] time %d type %d", r.Offset, bytesOf(r.Key), bytesOf(r.Value), strings.Join(headers, " "),
		r.Timestamp.UnixMilli(), r.Attrs.TimestampType())
}

// records writes what a record can be, and reads it back.
func records(k *talk) {
	topic := k.mustCreate(1)
	at := time.UnixMilli(1763835810123)
	list := []*kgo.Record{
		{Key: []byte("k"), Value: []byte("v")},
		{Value: []byte("no key")},
		{Key: []byte("tombstone")},
		{Key: []byte{}, Value: []byte{}},
		{Key: []byte("headers"), Value: []byte("v"), Headers: []kgo.RecordHeader{{Key: "traceparent", Value: []byte("00-a-b-01")}, {Key: "traceparent", Value: []byte("twice")}, {Key: "null"}, {Key: "empty", Value: []byte{}}, {Key: "", Value: []byte("no name")}}},
		{Key: []byte{0, 255, 10}, Value: []byte("größer \x00 als\n")},
	}
	names := []string{"plain", "no key", "no value", "empty", "headers", "binary"}
	c := k.client()
	for i, r := range list {
		r.Topic, r.Timestamp = topic, at.Add(time.Duration(i)*time.Second)
		k.produce(c, r)
	}
	for i, r := range k.read(topic, len(list)) {
		k.say(names[i], "%s", show(r))
	}
	for i, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
		c := k.client(kgo.ProducerBatchCompression(codec))
		k.produce(c, &kgo.Record{Topic: topic, Timestamp: at, Value: bytes.Repeat([]byte("compress "), 200)})
		r := k.read(topic, len(list)+i+1)[len(list)+i]
		k.say("codec "+[]string{"none", "gzip", "snappy", "lz4", "zstd"}[i], "%d bytes, stored with codec %d", len(r.Value), r.Attrs.CompressionType())
	}
	appended := "contract.records.appended"
	created := k.create(appended, 1, 1, "message.timestamp.type", "LogAppendTime")
	k.say("log append time: create", "%s", created)
	if created != "ok" {
		return
	}
	began := time.Now().Add(-time.Second)
	k.produce(c, &kgo.Record{Topic: appended, Timestamp: at, Value: []byte("x")})
	r := k.read(appended, 1)[0]
	k.say("log append time", "type %d, the broker's time %t", r.Attrs.TimestampType(), r.Timestamp.After(began))
}

// order writes many keys at once and finds each in order.
func order(k *talk) {
	topic := k.mustCreate(3)
	c := k.client(kgo.ProducerLinger(time.Millisecond), kgo.MaxBufferedRecords(200))
	const keys, each = 12, 100
	var mu sync.Mutex
	failed := 0
	for n := range each {
		for key := range keys {
			c.Produce(k.ctx(), &kgo.Record{Topic: topic, Key: fmt.Append(nil, "o-", key), Value: fmt.Append(nil, n)}, func(_ *kgo.Record, err error) {
				if err != nil {
					mu.Lock()
					failed++
					mu.Unlock()
				}
			})
		}
	}
	if err := c.Flush(k.ctx()); err != nil {
		k.Fatal(err)
	}
	next, offsets, perKey := map[string]int{}, map[int32]int64{}, map[string]map[int32]bool{}
	disorder, gaps := 0, 0
	for _, r := range k.read(topic, keys*each) {
		key := string(r.Key)
		if string(r.Value) != fmt.Sprint(next[key]) {
			disorder++
		}
		next[key]++
		if r.Offset != offsets[r.Partition] {
			gaps++
		}
		offsets[r.Partition] = r.Offset + 1
		if perKey[key] == nil {
			perKey[key] = map[int32]bool{}
		}
		perKey[key][r.Partition] = true
	}
	spread := 0
	for _, p := range perKey {
		spread = max(spread, len(p))
	}
	k.say("failed", "%d", failed)
	k.say("records out of order in their key", "%d", disorder)
	k.say("gaps in the offsets", "%d", gaps)
	k.say("partitions of one key", "%d", spread)
	k.say("ends of the partitions", "%d %d %d", offsets[0], offsets[1], offsets[2])
}

// batch encodes records as a producer does.
func batch(producer int64, epoch int16, sequence int32, values ...string) kmsg.RecordBatch {
	b := kmsg.RecordBatch{
		Magic: 2, PartitionLeaderEpoch: -1, ProducerID: producer, ProducerEpoch: epoch, FirstSequence: sequence,
		LastOffsetDelta: int32(len(values) - 1), NumRecords: int32(len(values)), FirstTimestamp: time.Now().UnixMilli(), MaxTimestamp: time.Now().UnixMilli(),
	}
	for i, v := range values {
		r := kmsg.Record{OffsetDelta: int32(i), Value: []byte(v)}
		r.Length = int32(len(r.AppendTo(nil)) - 1) // the length itself took one byte, being zero
		b.Records = r.AppendTo(b.Records)
	}
	return b
}

// encode sets length and checksum.
func encode(b kmsg.RecordBatch) []byte {
	b.Length = int32(len(b.AppendTo(nil)) - 12)
	raw := b.AppendTo(nil)
	b.CRC = int32(crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b.AppendTo(nil)
}

// send produces raw bytes to a partition and returns code and base offset.
func (k *talk) send(topic string, partition int32, acks int16, raw []byte) string {
	k.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = acks, 10_000
	req.SetVersion(9)
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Partition, rp.Records = partition, raw
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic, rt.Partitions = topic, []kmsg.ProduceRequestTopicPartition{rp}
	req.Topics = append(req.Topics, rt)
	c := k.client(kgo.MaxVersions(maxProduce9()))
	res, err := c.Broker(k.brokerID(c)).Request(k.ctx(), req)
	if err != nil {
		return "connection: " + codeOf(err)
	}
	p := res.(*kmsg.ProduceResponse).Topics[0].Partitions[0]
	if p.ErrorCode != 0 {
		return code(p.ErrorCode)
	}
	return fmt.Sprintf("ok at %d", p.BaseOffset)
}

func (k *talk) brokerID(c *kgo.Client) int {
	k.Helper()
	res, err := kmsg.NewPtrMetadataRequest().RequestWith(k.ctx(), c)
	if err != nil {
		k.Fatal(err)
	}
	return int(res.Brokers[0].NodeID)
}

func produceErrors(k *talk) {
	topic := k.mustCreate(1, "max.message.bytes", "1000")
	c := k.client(kgo.UnknownTopicRetries(0), kgo.RecordRetries(1), kgo.ProducerBatchCompression(kgo.NoCompression()))
	k.say("unknown topic", "%s", codeOf(c.ProduceSync(k.ctx(), &kgo.Record{Topic: "contract.nobody", Value: []byte("x")}).FirstErr()))
	k.say("topic of no name", "%s", codeOf(c.ProduceSync(k.ctx(), &kgo.Record{Topic: "a b", Value: []byte("x")}).FirstErr()))
	k.say("too large a record", "%s", codeOf(c.ProduceSync(k.ctx(), &kgo.Record{Topic: topic, Value: make([]byte, 2000)}).FirstErr()))
	ok := batch(-1, -1, -1, "a", "b")
	k.say("raw batch", "%s", k.send(topic, 0, -1, encode(ok)))
	k.say("raw batch again", "%s", k.send(topic, 0, 1, encode(ok)))
	k.say("unknown partition", "%s", k.send(topic, 7, -1, encode(ok)))
	k.say("negative partition", "%s", k.send(topic, -1, -1, encode(ok)))
	k.say("raw batch to an unknown topic", "%s", k.send("contract.nobody", 0, -1, encode(ok)))
	k.say("acks that do not exist", "%s", k.send(topic, 0, 5, encode(ok)))
	broken := encode(ok)
	broken[len(broken)-1] ^= 1
	k.say("wrong checksum", "%s", k.send(topic, 0, -1, broken))
	k.say("cut batch", "%s", k.send(topic, 0, -1, encode(ok)[:40]))
	old := ok
	old.Magic = 3
	k.say("magic 3", "%s", k.send(topic, 0, -1, encode(old)))
	fewer := ok
	fewer.NumRecords = 3
	k.say("number of records that is not true", "%s", k.send(topic, 0, -1, encode(fewer)))
	k.say("no records", "%s", k.send(topic, 0, -1, encode(kmsg.RecordBatch{Magic: 2, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, LastOffsetDelta: -1})))
	k.say("two batches at once", "%s", k.send(topic, 0, -1, slices.Concat(encode(ok), encode(ok))))
	k.say("what was kept", "%s", values(k.read(topic, 4)))
}

func values(list []*kgo.Record) string {
	var out []string
	for _, r := range list {
		out = append(out, fmt.Sprintf("%d:%s", r.Offset, r.Value))
	}
	return strings.Join(out, " ")
}

// producerID asks for an identity as an idempotent producer does.
func (k *talk) producerID() (id int64, epoch int16) {
	k.Helper()
	res, err := kmsg.NewPtrInitProducerIDRequest().RequestWith(k.ctx(), k.client())
	if err != nil || res.ErrorCode != 0 {
		k.Fatal(err, res)
	}
	return res.ProducerID, res.ProducerEpoch
}

// idempotence repeats and reorders what an idempotent producer sends.
func idempotence(k *talk) {
	topic := k.mustCreate(1)
	id, epoch := k.producerID()
	other, _ := k.producerID()
	k.say("identity", "epoch %d, ids differ %t", epoch, id != other)
	raw := func(id int64, epoch int16, sequence int32, values ...string) []byte {
		return encode(batch(id, epoch, sequence, values...))
	}
	first := raw(id, epoch, 0, "a", "b")
	for _, s := range []struct {
		name string
		raw  []byte
	}{
		{"first", first},
		{"the same again", first},
		{"next", raw(id, epoch, 2, "c")},
		{"one before the last again", first},
		{"part of what was sent", raw(id, epoch, 1, "b")},
		{"a gap", raw(id, epoch, 5, "f")},
		{"next after the gap", raw(id, epoch, 3, "d")},
		{"newer epoch", raw(id, epoch+1, 0, "e")},
		{"older epoch", raw(id, epoch, 4, "f")},
		{"newer epoch not at its start", raw(id, epoch+2, 7, "f")},
		{"unknown producer at its start", raw(987654321, 0, 0, "g")},
		{"unknown producer in its middle", raw(987654322, 0, 5, "h")},
	} {
		k.say(s.name, "%s", k.send(topic, 0, -1, s.raw))
	}
	k.say("what was kept", "%s", values(k.read(topic, 6)))
	// Four more batches push the first out of the five that a broker remembers.
	for i := range int32(6) {
		if got := k.send(topic, 0, -1, raw(other, 0, i, "m")); !strings.HasPrefix(got, "ok") {
			k.Fatal(got)
		}
	}
	k.say("a repetition that is too old", "%s", strings.Fields(k.send(topic, 0, -1, raw(other, 0, 0, "m")))[0])
	k.say("a repetition that is remembered", "%s", strings.Fields(k.send(topic, 0, -1, raw(other, 0, 2, "m")))[0])
}
