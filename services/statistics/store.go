package statistics

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/mongodb"
	"kreislauf/internal/outbox"
)

// keepSeconds is how long a posted event is remembered to recognise its repetition; by then it is in Kafka and in the event stream.
const keepSeconds = 7 * 24 * 3600

// recorded is one posted event.
type recorded struct {
	ID         string    `bson:"_id"`
	Version    int64     `bson:"version"`
	Type       string    `bson:"type"`
	At         time.Time `bson:"at"`
	outbox.Box `bson:",inline"`
}

type store struct{ events *mongo.Collection }

func openStore(db *mongodb.Database) store { return store{db.Collection("events")} }

func (s store) ensureIndexes(ctx context.Context) error {
	return mongodb.EnsureIndex(ctx, s.events, "at", bson.D{{Key: "at", Value: 1}}, options.Index().SetExpireAfterSeconds(keepSeconds))
}

// insert stores a posted event; replayed says that its id is known.
func (s store) insert(ctx context.Context, v recorded) (replayed bool, err error) {
	_, err = s.events.InsertOne(ctx, v)
	if mongo.IsDuplicateKeyError(err) {
		return true, nil
	}
	return false, mongodb.Problem("record event", err)
}
