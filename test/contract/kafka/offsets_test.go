package kafka

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// maxProduce9 keeps the driver at a version of Produce that names topics.
func maxProduce9() *kversion.Versions {
	v := kversion.Stable()
	v.SetMaxKeyVersion(0, 9)
	return v
}

// listOffset asks for one offset; negative times have meanings of their own.
func (k *talk) listOffset(topic string, partition int32, at int64) string {
	k.Helper()
	req := kmsg.NewPtrListOffsetsRequest()
	rp := kmsg.NewListOffsetsRequestTopicPartition()
	rp.Partition, rp.Timestamp = partition, at
	rt := kmsg.NewListOffsetsRequestTopic()
	rt.Topic, rt.Partitions = topic, []kmsg.ListOffsetsRequestTopicPartition{rp}
	req.Topics = append(req.Topics, rt)
	c := k.client()
	res, err := c.Broker(k.brokerID(c)).Request(k.ctx(), req)
	if err != nil {
		k.Fatal(err)
	}
	p := res.(*kmsg.ListOffsetsResponse).Topics[0].Partitions[0]
	if p.ErrorCode != 0 {
		return code(p.ErrorCode)
	}
	return fmt.Sprintf("ok offset %d time %d", p.Offset, p.Timestamp)
}

// Meanings of negative times.
const (
	latest, earliest, newestTime = -1, -2, -3
)

func listOffsets(k *talk) {
	topic := k.mustCreate(1)
	k.say("earliest of nothing", "%s", k.listOffset(topic, 0, earliest))
	k.say("latest of nothing", "%s", k.listOffset(topic, 0, latest))
	k.say("newest time of nothing", "%s", k.listOffset(topic, 0, newestTime))
	k.say("at a time of nothing", "%s", k.listOffset(topic, 0, 1000))
	const base = int64(1763835810000)
	c := k.client()
	for _, offset := range []int64{0, 1000, 2000, 5000, 3000} { // the last one is older than the one before
		k.produce(c, &kgo.Record{Topic: topic, Timestamp: time.UnixMilli(base + offset), Value: []byte("x")})
	}
	k.say("earliest", "%s", k.listOffset(topic, 0, earliest))
	k.say("latest", "%s", k.listOffset(topic, 0, latest))
	k.say("newest time", "%s", k.listOffset(topic, 0, newestTime))
	for _, at := range []int64{-10_000, 0, 1, 1000, 2500, 3000, 5000, 5001} {
		k.say(fmt.Sprintf("at %+d ms", at), "%s", k.listOffset(topic, 0, base+at))
	}
	k.say("unknown partition", "%s", k.listOffset(topic, 9, latest))
	k.say("unknown topic", "%s", k.listOffset("contract.nobody", 0, latest))
	remove := func(partition int32, before int64) string {
		req := kmsg.NewPtrDeleteRecordsRequest()
		req.TimeoutMillis = 10_000
		rp := kmsg.NewDeleteRecordsRequestTopicPartition()
		rp.Partition, rp.Offset = partition, before
		rt := kmsg.NewDeleteRecordsRequestTopic()
		rt.Topic, rt.Partitions = topic, []kmsg.DeleteRecordsRequestTopicPartition{rp}
		req.Topics = append(req.Topics, rt)
		res, err := c.Broker(k.brokerID(c)).Request(k.ctx(), req)
		if err != nil {
			k.Fatal(err)
		}
		p := res.(*kmsg.DeleteRecordsResponse).Topics[0].Partitions[0]
		if p.ErrorCode != 0 {
			return code(p.ErrorCode)
		}
		return fmt.Sprintf("ok low watermark %d", p.LowWatermark)
	}
	k.say("delete records before 2", "%s", remove(0, 2))
	k.say("earliest after the deletion", "%s", k.listOffset(topic, 0, earliest))
	k.say("read after the deletion", "%s", values(k.read(topic, 3)))
	k.say("delete beyond the end", "%s", remove(0, 99))
	k.say("delete of an unknown partition", "%s", remove(9, 1))
	k.say("delete all", "%s", remove(0, -1))
	k.say("earliest of what was deleted", "%s", k.listOffset(topic, 0, earliest))
}

// fetchError polls without any reset and returns the first error.
func (k *talk) fetchError(topic string, partition int32, offset kgo.Offset) string {
	k.Helper()
	c := k.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: offset}}), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.UnknownTopicRetries(0), kgo.KeepRetryableFetchErrors())
	for {
		fetches := c.PollFetches(k.ctx())
		if err := fetches.Err(); err != nil {
			return codeOf(err)
		}
		if n := fetches.NumRecords(); n > 0 {
			return fmt.Sprintf("%d records from %d", n, fetches.Records()[0].Offset)
		}
	}
}

func fetchErrors(k *talk) {
	topic := k.mustCreate(1)
	c := k.client()
	k.produce(c, numbered(topic, "k", 0, 5)...)
	k.say("from the middle", "%s", k.fetchError(topic, 0, kgo.NewOffset().At(3)))
	k.say("beyond the end", "%s", k.fetchError(topic, 0, kgo.NewOffset().At(50)))
	raw := func(topic string, partition int32, offset int64) string {
		req := kmsg.NewPtrFetchRequest()
		req.SetVersion(12)
		req.MaxWaitMillis, req.MinBytes, req.MaxBytes = 100, 1, 1<<20
		rp := kmsg.NewFetchRequestTopicPartition()
		rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = partition, offset, 1<<20
		rt := kmsg.NewFetchRequestTopic()
		rt.Topic, rt.Partitions = topic, []kmsg.FetchRequestTopicPartition{rp}
		req.Topics = append(req.Topics, rt)
		v := kversion.Stable()
		v.SetMaxKeyVersion(1, 12)
		c := k.client(kgo.MaxVersions(v))
		res, err := c.Broker(k.brokerID(c)).Request(k.ctx(), req)
		if err != nil {
			k.Fatal(err)
		}
		f := res.(*kmsg.FetchResponse)
		if len(f.Topics) == 0 || len(f.Topics[0].Partitions) == 0 {
			return code(f.ErrorCode) + ", no partition"
		}
		p := f.Topics[0].Partitions[0]
		if p.ErrorCode != 0 {
			return code(p.ErrorCode)
		}
		return fmt.Sprintf("ok high watermark %d log start %d stable %d, bytes %t", p.HighWatermark, p.LogStartOffset, p.LastStableOffset, len(p.RecordBatches) > 0)
	}
	k.say("raw from the start", "%s", raw(topic, 0, 0))
	k.say("raw at the end", "%s", raw(topic, 0, 5))
	k.say("raw beyond the end", "%s", raw(topic, 0, 6))
	k.say("raw before the start", "%s", raw(topic, 0, -5))
	k.say("raw unknown partition", "%s", raw(topic, 9, 0))
	k.say("raw unknown topic", "%s", raw("contract.nobody", 0, 0))
}
