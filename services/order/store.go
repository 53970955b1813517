package order

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/internal/repository"
)

type store struct {
	*repository.Repository[Order, *Order]
}

func (s store) ensureIndexes(ctx context.Context) error {
	return s.Index("user_placed", bson.D{{Key: "user_id", Value: 1}, {Key: "placed_at", Value: -1}}, nil)(ctx)
}

// newest lists a customer's orders, newest first.
func (s store) newest(ctx context.Context, userID string, limit int64) ([]Order, error) {
	return s.Find(ctx, bson.D{{Key: "user_id", Value: userID}}, bson.D{{Key: "placed_at", Value: -1}}, limit)
}
