package embedded

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kreislauf/internal/broker/offsets"
	"kreislauf/internal/event"
	"kreislauf/internal/mongodb"
)

// RecordSetting names a folder. Tests that run with it leave there what their platform wrote, for test/contract/events.
const RecordSetting = "CONTRACT_EVENTS"

// Recorded is what one test's platform wrote.
type Recorded struct {
	Types  []string                 `json:"types"` // of events, all that there are
	Events []RecordedEvent          `json:"events"`
	Orders map[string]StoredAsBytes `json:"orders"` // by id, as they were in the end
}

// RecordedEvent is one event as it was in Kafka.
type RecordedEvent struct {
	Topic string          `json:"topic"`
	Event json.RawMessage `json:"event"`
}

// StoredAsBytes is a document as the database has it.
type StoredAsBytes []byte

// UnmarshalBSON takes a document as it is.
func (s *StoredAsBytes) UnmarshalBSON(b []byte) error { *s = append((*s)[:0], b...); return nil }

// MarshalBSON gives it back.
func (s StoredAsBytes) MarshalBSON() ([]byte, error) { return s, nil }

// record has a test leave its events behind, when its services have ended and its backends have not. A backend that the test itself took
// away has nothing to tell.
func (b *Backends) record(t testing.TB, dir string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r := Recorded{Orders: map[string]StoredAsBytes{}}
	for _, topic := range event.Topics() {
		if topic.Name == event.TopicDeadLetter {
			continue
		}
		for _, p := range topic.Payloads {
			r.Types = append(r.Types, p.Type())
		}
		if err := b.readTopic(ctx, topic.Name, func(value []byte) { r.Events = append(r.Events, RecordedEvent{topic.Name, value}) }); err != nil {
			t.Logf("nothing is recorded of %s: %v", topic.Name, err)
		}
	}
	db, err := mongodb.Open(b.serviceURIs["order"], "order", "record", tracer(t))
	if err != nil {
		t.Error(err)
		return
	}
	defer stop(t, db.Close)
	orders, err := mongodb.OpenCollection[StoredAsBytes](db, "orders", "order").Find(ctx, nil, nil, 0)
	ids, again := mongodb.OpenCollection[struct {
		ID string `bson:"_id"`
	}](db, "orders", "order").Find(ctx, nil, nil, 0)
	if err != nil || again != nil || len(ids) != len(orders) {
		t.Logf("no orders are recorded: %v", err)
	} else {
		for i, o := range orders {
			r.Orders[ids[i].ID] = o
		}
	}
	text, err := json.Marshal(r)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, event.NewID("r")+".json"), text, 0o600)
	}
	if err != nil {
		t.Error(err)
	}
}

// readTopic gives the records of a topic up to its end.
func (b *Backends) readTopic(ctx context.Context, topic string, each func(value []byte)) error {
	ask, err := kgo.NewClient(kgo.SeedBrokers(b.Kafka))
	if err != nil {
		return err
	}
	defer ask.Close()
	starts, ends, err := offsets.Of(ctx, ask, topic)
	if err != nil {
		return err
	}
	from, open := map[int32]kgo.Offset{}, map[int32]int64{}
	for p, start := range starts {
		if start < ends[p] {
			from[p], open[p] = kgo.NewOffset().At(start), ends[p]
		}
	}
	if len(open) == 0 {
		return nil
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(b.Kafka), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		return err
	}
	defer c.Close()
	for len(open) > 0 {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			each(r.Value)
			if r.Offset+1 >= open[r.Partition] {
				delete(open, r.Partition)
			}
		})
	}
	return nil
}
