package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kreislauf/internal/broker/deadletter"
	"kreislauf/internal/broker/offsets"
	"kreislauf/internal/event"
)

// Span is a part of a topic that was read.
type Span struct {
	Ends   map[int32]int64 // of each partition: the offset after the last record that was there when the reading began
	Cut    bool            // whether the topic has lost its oldest events; of a compacted one these are told of by newer ones, so it is not
	Oldest time.Time       // when the first record was written; zero without one
}

// History gives the events that a topic has for a consumer, those of a subject in order: from the starts of its partitions, or from
// the offsets that after gives, up to its end. It belongs to no group, so nobody's place changes. What cannot be read as an event is
// left out, as are replays of dead letters for other consumers. It ends at the first error of each.
func History(ctx context.Context, brokers []string, topic event.Topic, consumer string, after map[int32]int64, each func(event.Event) error) (Span, error) {
	ask, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RetryBackoffFn(backoff))
	if err != nil {
		return Span{}, fmt.Errorf("open Kafka client: %w", err)
	}
	defer ask.Close()
	starts, ends, err := offsets.Of(ctx, ask, topic.Name)
	if err != nil {
		return Span{}, err
	}
	span := Span{Ends: ends}
	from, open := map[int32]kgo.Offset{}, map[int32]int64{}
	for p, end := range ends {
		if starts[p] > 0 && !topic.Keep.Compact {
			span.Cut = true
		}
		if first := max(starts[p], after[p]); first < end {
			from[p], open[p] = kgo.NewOffset().At(first), end
		}
	}
	if len(open) == 0 {
		return span, nil
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic.Name: from}),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return span, fmt.Errorf("open Kafka client: %w", err)
	}
	defer c.Close()
	for len(open) > 0 {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return span, fmt.Errorf("read %s: %w", topic.Name, err)
		}
		for _, r := range fetches.Records() {
			end, wanted := open[r.Partition]
			if r.Offset+1 >= end { // the last record of a partition is never compacted away
				delete(open, r.Partition)
			}
			if !wanted || r.Offset >= end || deadletter.ForOther(r.Headers, consumer) {
				continue
			}
			if span.Oldest.IsZero() || r.Timestamp.Before(span.Oldest) {
				span.Oldest = r.Timestamp
			}
			e, err := event.Parse(r.Value)
			if err != nil {
				continue
			}
			if err := each(e); err != nil {
				return span, err
			}
		}
	}
	return span, nil
}
