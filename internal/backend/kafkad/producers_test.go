package kafkad

import (
	"hash/crc32"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// encoded is a batch of one record of a producer.
func encoded(producer int64, seq int32) []byte {
	r := kmsg.Record{Key: []byte("o-1"), Value: []byte("v")}
	r.Length = int32(len(r.AppendTo(nil)) - 1)
	b := kmsg.RecordBatch{PartitionLeaderEpoch: -1, Magic: 2, ProducerID: producer, FirstSequence: seq, NumRecords: 1, Records: r.AppendTo(nil)}
	b.Length = int32(batchHead - 12 + len(b.Records))
	b.CRC = int32(crc32.Checksum(b.AppendTo(nil)[21:], castagnoli))
	return b.AppendTo(nil)
}

// send produces a batch as a client does whose answer was lost, and returns its offset.
func send(t *testing.T, addr string, batch []byte) int64 {
	t.Helper()
	c, ctx := client(t, addr, kgo.MaxVersions(kversion.V2_8_0())) // before topics had ids
	defer c.Close()
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, 1_000
	rt, rp := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	rt.Topic, rp.Records = topic, batch
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(ctx, c)
	if err != nil || res.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatalf("produce: %v %+v", err, res)
	}
	return res.Topics[0].Partitions[0].BaseOffset
}

// TestRepeatedBatchIsKnownAfterKill sends batches again to a broker that was killed after it stored them. A copy of the folder of a
// running broker is what a kill leaves.
func TestRepeatedBatchIsKnownAfterKill(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	createTopic(t, s.Addr())
	c, ctx := client(t, s.Addr())
	producer, _, err := c.ProducerID(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for seq := range int32(3) {
		got = append(got, send(t, s.Addr(), encoded(producer, seq)))
	}
	stop(t, s) // leaves a file about three batches
	s = open(t, dir)
	for seq := range int32(6) { // three that were there, three new ones
		got = append(got, send(t, s.Addr(), encoded(producer, seq)))
	}
	killed := t.TempDir()
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	s = open(t, killed)
	defer stop(t, s)
	for seq := int32(3); seq < 8; seq++ {
		got = append(got, send(t, s.Addr(), encoded(producer, seq)))
	}
	if diff := cmp.Diff([]int64{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5, 6, 7}, got); diff != "" {
		t.Errorf("offsets (-want +got):\n%s", diff)
	}
}

func FuzzTakeBatch(f *testing.F) {
	whole := encoded(7, 3)
	f.Add(whole)
	f.Add(append(append([]byte{}, whole...), whole...))
	f.Add(whole[:len(whole)-1])
	f.Fuzz(func(t *testing.T, p []byte) {
		b, rest, ok := takeBatch(p)
		if ok && (len(p)-len(rest) < batchHead || b.records < 1) {
			t.Errorf("%+v of %d bytes, %d left", b, len(p), len(rest))
		}
		if !ok && rest != nil {
			t.Errorf("a rest of %d bytes without a batch", len(rest))
		}
	})
}
