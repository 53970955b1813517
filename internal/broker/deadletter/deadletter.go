// Package deadletter owns the dead-letter topic: what a letter looks like, how long ones are cut, and reading, showing and replaying
// letters. docs/format/dead-letters.md is the format.
//
// Invariants: a letter says why which consumer could not handle which record, and where that record stands. A letter that the broker
// takes only in part says so, and how long its value was; it is never replayed from the part. That a letter was replayed is a record of
// its own in the letter's partition, so it stays for as long as the letter does.
//
// It does not guarantee that a record is replayed once: two replays at the same time both see an open letter, and one that dies before
// its mark leaves the letter open. Handlers are idempotent.
package deadletter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"kreislauf/internal/event"
)

// Headers of a letter, in the order in which it begins with them; the headers of the original record follow. Those of the cut are
// there only when something was cut.
const (
	headerReason    = "reason"
	headerConsumer  = "consumer"
	headerTopic     = "topic"
	headerCutLength = "original-length"
	headerCutHash   = "original-sha256"
	headerPosition  = "position" // the last of the letter's own
)

// Headers beside those of letters.
const (
	headerReplayed  = "replayed"   // of a mark: the position of the letter that was replayed
	headerReplayFor = "replay-for" // of a replayed record: the consumer that it is for
	headerReplayOf  = "replay-of"  // of a replayed record: the position of its letter
)

// maxReason bounds the reason in a letter, in bytes.
const maxReason = 1 << 10

// Reason is the text of an error, cut to what a letter takes.
func Reason(err error) string { return cutText(err.Error(), maxReason) }

func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-3], "") + "…"
}

// Write puts the letter about a record that the consumer could not handle into the dead-letter topic. What is too large for the topic
// is cut: first to 64 KiB, then to 1 KiB.
func Write(ctx context.Context, client *kgo.Client, r *kgo.Record, consumer string, reason error) error {
	var err error
	for _, limit := range []int{len(r.Key) + len(r.Value) + size(r.Headers), 64 << 10, 1 << 10} {
		err = client.ProduceSync(ctx, compose(r, consumer, reason, limit)).FirstErr()
		if !errors.Is(err, kerr.MessageTooLarge) && !errors.Is(err, kerr.RecordListTooLarge) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("write dead letter: %w", err)
	}
	return nil
}

func size(headers []kgo.RecordHeader) (n int) {
	for _, h := range headers {
		n += len(h.Key) + len(h.Value)
	}
	return n
}

// compose makes the letter. Of key, value and headers at most limit bytes each are kept; headers whole or not at all.
func compose(r *kgo.Record, consumer string, reason error, limit int) *kgo.Record {
	d := &kgo.Record{Topic: event.TopicDeadLetter, Key: r.Key[:min(len(r.Key), limit)], Value: r.Value[:min(len(r.Value), limit)]}
	headers, room := []kgo.RecordHeader{}, limit
	for _, h := range r.Headers {
		if room -= len(h.Key) + len(h.Value); room < 0 {
			break
		}
		headers = append(headers, h)
	}
	d.Headers = []kgo.RecordHeader{
		{Key: headerReason, Value: []byte(Reason(reason))},
		{Key: headerConsumer, Value: []byte(consumer)},
		{Key: headerTopic, Value: []byte(r.Topic)},
	}
	if len(d.Key) < len(r.Key) || len(d.Value) < len(r.Value) || len(headers) < len(r.Headers) {
		d.Headers = append(d.Headers, kgo.RecordHeader{Key: headerCutLength, Value: strconv.AppendInt(nil, int64(len(r.Value)), 10)},
			kgo.RecordHeader{Key: headerCutHash, Value: []byte(hash(r.Value))})
	}
	d.Headers = append(d.Headers, kgo.RecordHeader{Key: headerPosition, Value: []byte(Position{r.Partition, r.Offset}.String())})
	d.Headers = append(d.Headers, headers...)
	return d
}

func hash(value []byte) string {
	sum := sha256.Sum256(value)
	return hex.EncodeToString(sum[:])
}

// ForOther says that a record was replayed for another consumer than this one, which must skip it.
func ForOther(headers []kgo.RecordHeader, consumer string) bool {
	for _, h := range headers {
		if h.Key == headerReplayFor {
			return string(h.Value) != consumer
		}
	}
	return false
}

// Position is where a record stands in its topic. A letter's position in the dead-letter topic is its id.
type Position struct {
	Partition int32
	Offset    int64
}

// String gives "partition:offset".
func (p Position) String() string { return fmt.Sprintf("%d:%d", p.Partition, p.Offset) }

// ParsePosition reads what String gives.
func ParsePosition(s string) (Position, error) {
	partition, offset, ok := strings.Cut(s, ":")
	p, err := strconv.ParseUint(partition, 10, 31)
	o, err2 := strconv.ParseUint(offset, 10, 63)
	if !ok || err != nil || err2 != nil {
		return Position{}, fmt.Errorf("%q is no position; it is partition:offset, for example 1:17", s)
	}
	return Position{int32(p), int64(o)}, nil
}
