package deadletter

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"kreislauf/internal/broker/offsets"
	"kreislauf/internal/event"
)

// Errors that Show and Replay wrap.
var (
	ErrNoLetter        = errors.New("there is no such dead letter")
	ErrAlreadyReplayed = errors.New("it was replayed before")
	ErrGone            = errors.New("the letter was cut, and its original record is gone")
)

// Client reads and replays letters.
type Client struct {
	brokers []string
	kafka   *kgo.Client // asks, and writes as any producer does
}

// Open connects lazily.
func Open(brokers []string) (*Client, error) {
	// A record that just fits may grow by the headers of its replay.
	k, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerBatchMaxBytes(1<<20))
	if err != nil {
		return nil, fmt.Errorf("open Kafka client: %w", err)
	}
	return &Client{brokers: brokers, kafka: k}, nil
}

// Close ends the connections.
func (c *Client) Close() { c.kafka.Close() }

// List gives the letters that f wants, newest first.
func (c *Client) List(ctx context.Context, f Filter) ([]Letter, error) {
	all, err := c.all(ctx)
	if err != nil {
		return nil, err
	}
	letters := slices.DeleteFunc(all, func(l Letter) bool { return !f.wants(l) })
	newestFirst(letters)
	return letters, nil
}

// all reads the whole topic, whose size its retention bounds.
func (c *Client) all(ctx context.Context) ([]Letter, error) {
	bounds, err := c.bounds(ctx, event.TopicDeadLetter)
	if err != nil {
		return nil, err
	}
	var letters []Letter
	replayed := map[Position]*kgo.Record{} // the newest mark of each letter
	err = c.read(ctx, event.TopicDeadLetter, bounds, func(r *kgo.Record) {
		l, mark, ok := parse(r)
		switch {
		case ok && mark != nil:
			replayed[*mark] = r
		case ok:
			letters = append(letters, l)
		}
	})
	for i, l := range letters {
		if mark := replayed[l.ID]; mark != nil {
			letters[i].Replayed = mark.Timestamp
		}
	}
	return letters, err
}

// Show gives one letter.
func (c *Client) Show(ctx context.Context, id Position) (Letter, error) {
	all, err := c.all(ctx)
	if err != nil {
		return Letter{}, err
	}
	i := slices.IndexFunc(all, func(l Letter) bool { return l.ID == id })
	if i < 0 {
		return Letter{}, fmt.Errorf("dead letter %s: %w", id, ErrNoLetter)
	}
	return all[i], nil
}

// Replay publishes the record of a letter to its topic again, for the letter's consumer alone, and marks the letter. One that was
// replayed is refused unless again is set. A cut letter's record is read from its topic. A dry run checks all of that and writes nothing.
func (c *Client) Replay(ctx context.Context, id Position, again, dryRun bool) (Letter, error) {
	l, err := c.Show(ctx, id)
	if err != nil {
		return l, err
	}
	if !l.Replayed.IsZero() && !again {
		return l, fmt.Errorf("dead letter %s: %w, at %s", id, ErrAlreadyReplayed, l.Replayed.UTC().Format("2006-01-02T15:04:05Z"))
	}
	r := &kgo.Record{Topic: l.Topic, Key: l.Key, Value: l.Value}
	for _, h := range l.Headers {
		r.Headers = append(r.Headers, kgo.RecordHeader(h))
	}
	if l.Cut {
		o, err := c.original(ctx, l)
		if err != nil {
			return l, fmt.Errorf("dead letter %s: %w", id, err)
		}
		r.Key, r.Value, r.Headers = o.Key, o.Value, o.Headers
	}
	r.Headers = slices.DeleteFunc(r.Headers, func(h kgo.RecordHeader) bool { // of an earlier replay
		return h.Key == headerReplayFor || h.Key == headerReplayOf
	})
	r.Headers = append(r.Headers, kgo.RecordHeader{Key: headerReplayFor, Value: []byte(l.Consumer)},
		kgo.RecordHeader{Key: headerReplayOf, Value: []byte(id.String())})
	if dryRun {
		return l, nil
	}
	if err := c.kafka.ProduceSync(ctx, r).FirstErr(); err != nil {
		return l, fmt.Errorf("replay dead letter %s to %s: %w", id, l.Topic, err)
	}
	return l, c.mark(ctx, id)
}

// mark writes down that a letter was replayed.
func (c *Client) mark(ctx context.Context, id Position) error {
	k, err := kgo.NewClient(kgo.SeedBrokers(c.brokers...), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return fmt.Errorf("open Kafka client: %w", err)
	}
	defer k.Close()
	mark := &kgo.Record{
		Topic: event.TopicDeadLetter, Partition: id.Partition,
		Headers: []kgo.RecordHeader{{Key: headerReplayed, Value: []byte(id.String())}},
	}
	if err := k.ProduceSync(ctx, mark).FirstErr(); err != nil {
		return fmt.Errorf("mark dead letter %s, which was replayed: %w", id, err)
	}
	return nil
}

// original reads the record of a cut letter from its topic.
func (c *Client) original(ctx context.Context, l Letter) (*kgo.Record, error) {
	bounds, err := c.bounds(ctx, l.Topic)
	if err != nil {
		return nil, err
	}
	at := l.Position
	if b, ok := bounds[at.Partition]; !ok || at.Offset < b.start || at.Offset >= b.end {
		return nil, fmt.Errorf("%w: %s no longer has position %s", ErrGone, l.Topic, at)
	}
	var found *kgo.Record
	err = c.read(ctx, l.Topic, map[int32]bound{at.Partition: {at.Offset, at.Offset + 1}}, func(r *kgo.Record) { found = r })
	if err != nil {
		return nil, err
	}
	if found == nil || hash(found.Value) != l.SHA256 {
		return nil, fmt.Errorf("%w: position %s of %s has another record now", ErrGone, at, l.Topic)
	}
	return found, nil
}

// bound is the part of a partition from its first offset up to, but not with, its end.
type bound struct{ start, end int64 }

// bounds asks which records the partitions of a topic have.
func (c *Client) bounds(ctx context.Context, topic string) (map[int32]bound, error) {
	starts, ends, err := offsets.Of(ctx, c.kafka, topic)
	if err != nil {
		return nil, err
	}
	bounds := map[int32]bound{}
	for p, start := range starts {
		bounds[p] = bound{start, ends[p]}
	}
	return bounds, nil
}

// read gives the records of a part of a topic. Records that retention takes meanwhile are left out.
func (c *Client) read(ctx context.Context, topic string, part map[int32]bound, each func(*kgo.Record)) error {
	from, open := map[int32]kgo.Offset{}, map[int32]int64{}
	for p, b := range part {
		if b.start < b.end {
			from[p], open[p] = kgo.NewOffset().At(b.start), b.end
		}
	}
	if len(open) == 0 {
		return nil
	}
	k, err := kgo.NewClient(kgo.SeedBrokers(c.brokers...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return fmt.Errorf("open Kafka client: %w", err)
	}
	defer k.Close()
	for len(open) > 0 {
		fetches := k.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read %s: %w", topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			end, ok := open[r.Partition]
			if ok && r.Offset < end {
				each(r)
			}
			if ok && r.Offset >= end-1 {
				delete(open, r.Partition)
			}
		})
	}
	return nil
}
