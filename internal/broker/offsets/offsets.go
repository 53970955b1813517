// Package offsets asks a Kafka cluster which records a topic has.
//
// Not guaranteed: that they are still there a moment later; a topic loses its oldest records at any time.
package offsets

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Of asks for the first offset of each partition of a topic, and for the one that its next record will get. A topic that is missing is
// an error.
func Of(ctx context.Context, c *kgo.Client, topic string) (starts, ends map[int32]int64, err error) {
	ask := kmsg.NewPtrMetadataRequest()
	mt := kmsg.NewMetadataRequestTopic()
	mt.Topic = kmsg.StringPtr(topic)
	ask.Topics = append(ask.Topics, mt)
	meta, err := ask.RequestWith(ctx, c)
	if err == nil {
		err = kerr.ErrorForCode(meta.Topics[0].ErrorCode)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find %s: %w", topic, err)
	}
	list := func(timestamp int64) (map[int32]int64, error) {
		req := kmsg.NewPtrListOffsetsRequest()
		lt := kmsg.NewListOffsetsRequestTopic()
		lt.Topic = topic
		for _, p := range meta.Topics[0].Partitions {
			lp := kmsg.NewListOffsetsRequestTopicPartition()
			lp.Partition, lp.Timestamp = p.Partition, timestamp
			lt.Partitions = append(lt.Partitions, lp)
		}
		req.Topics = append(req.Topics, lt)
		res, err := req.RequestWith(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("list offsets of %s: %w", topic, err)
		}
		m := map[int32]int64{}
		for _, t := range res.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return nil, fmt.Errorf("list offsets of %s, partition %d: %w", topic, p.Partition, err)
				}
				m[p.Partition] = p.Offset
			}
		}
		return m, nil
	}
	if starts, err = list(-2); err != nil {
		return nil, nil, err
	}
	ends, err = list(-1)
	return starts, ends, err
}
