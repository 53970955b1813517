package matching

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// ending lists open offers that end before a time, the next first.
func (s matches) ending(ctx context.Context, before time.Time, limit int64) ([]Match, error) {
	due := bson.E{Key: "due_at", Value: bson.D{{Key: "$lt", Value: before}}}
	return s.Find(ctx, bson.D{due, {Key: "state", Value: Offered}}, bson.D{{Key: "due_at", Value: 1}}, limit)
}
