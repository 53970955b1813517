package statistics

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/repository"
)

// keepSeconds is how long a posted event is remembered to recognise its repetition; by then it is in Kafka and in the event stream.
const keepSeconds = 7 * 24 * 3600

// recorded is one posted event.
type recorded struct {
	aggregate.Root `bson:",inline"`
	Type           string    `bson:"type"`
	At             time.Time `bson:"at"`
}

type store struct {
	*repository.Repository[recorded, *recorded]
}

func (s store) ensureIndexes(ctx context.Context) error {
	return s.Index("at", bson.D{{Key: "at", Value: 1}}, options.Index().SetExpireAfterSeconds(keepSeconds))(ctx)
}
