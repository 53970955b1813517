package broker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"kreislauf/internal/broker/offsets"
	"kreislauf/internal/event"
)

// Lag is a partition of which a consumer has not handled everything.
type Lag struct {
	Consumer  string // the service
	Topic     string
	Partition int32
	Behind    int64     // events
	Since     time.Time // when the oldest of them was written

	from int64 // its offset
}

// Lags compares, for each consumer of the table, how far it has come with the ends of the topics. What is handled and not committed yet
// counts as not handled. A topic that is missing is an error.
func Lags(ctx context.Context, brokers []string) ([]Lag, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RetryBackoffFn(backoff), kgo.MaxVersions(kversion.V3_5_0())) // newer ones want ids of topics
	if err != nil {
		return nil, fmt.Errorf("open Kafka client: %w", err)
	}
	defer c.Close()
	consumed := map[string][]string{} // consumer -> topics
	ends, starts := map[string]map[int32]int64{}, map[string]map[int32]int64{}
	for _, t := range event.Topics() {
		for _, consumer := range t.Consumers {
			consumed[consumer] = append(consumed[consumer], t.Name)
		}
		// The ends come before what is committed: what a consumer commits meanwhile can only make it less behind.
		if starts[t.Name], ends[t.Name], err = offsets.Of(ctx, c, t.Name); err != nil {
			return nil, err
		}
	}
	var list []Lag
	for consumer, topics := range consumed {
		done, err := committed(ctx, c, consumer, topics, ends)
		if err != nil {
			return nil, err
		}
		for _, topic := range topics {
			for p, end := range ends[topic] {
				if from := max(done[lane{topic, p}], starts[topic][p]); from < end {
					list = append(list, Lag{Consumer: consumer, Topic: topic, Partition: p, Behind: end - from, from: from})
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b Lag) int {
		return cmp.Or(cmp.Compare(a.Consumer, b.Consumer), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return list, dateLags(ctx, brokers, list)
}

// dateLags fills in when the oldest record was written that a consumer has not handled.
func dateLags(ctx context.Context, brokers []string, list []Lag) error {
	if len(list) == 0 {
		return nil
	}
	first := map[lane]int64{}
	for _, l := range list {
		at := lane{l.Topic, l.Partition}
		if f, ok := first[at]; !ok || l.from < f {
			first[at] = l.from
		}
	}
	from := map[string]map[int32]kgo.Offset{}
	for at, offset := range first {
		if from[at.topic] == nil {
			from[at.topic] = map[int32]kgo.Offset{}
		}
		from[at.topic][at.partition] = kgo.NewOffset().At(offset)
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumePartitions(from), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return fmt.Errorf("open Kafka client: %w", err)
	}
	defer c.Close()
	for open := len(list); open > 0; {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read what was not handled: %w", err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			for i := range list {
				// A record may be gone: the topic keeps only the newest of a subject, or not for as long. Then the next one counts.
				if l := &list[i]; l.Since.IsZero() && l.Topic == r.Topic && l.Partition == r.Partition && r.Offset >= l.from {
					l.Since = r.Timestamp
					open--
				}
			}
		})
	}
	return nil
}

// committed asks how far a consumer has come; what it has never come to is -1.
func committed(ctx context.Context, c *kgo.Client, consumer string, topics []string, ends map[string]map[int32]int64) (map[lane]int64, error) {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = consumer
	for _, topic := range topics {
		ft := kmsg.NewOffsetFetchRequestTopic()
		ft.Topic = topic
		for p := range ends[topic] {
			ft.Partitions = append(ft.Partitions, p)
		}
		req.Topics = append(req.Topics, ft)
	}
	res, err := req.RequestWith(ctx, c)
	if err == nil {
		err = kerr.ErrorForCode(res.ErrorCode)
	}
	if err != nil {
		return nil, fmt.Errorf("ask how far %s has come: %w", consumer, err)
	}
	done := map[lane]int64{}
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, fmt.Errorf("ask how far %s has come in %s: %w", consumer, t.Topic, err)
			}
			done[lane{t.Topic, p.Partition}] = p.Offset
		}
	}
	return done, nil
}
