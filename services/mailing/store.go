package mailing

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/internal/repository"
)

type store struct {
	*repository.Repository[Mail, *Mail]
}

func (s store) ensureIndexes(ctx context.Context) error {
	return errors.Join(
		s.Index("order", bson.D{{Key: "order_id", Value: 1}}, nil)(ctx),
		s.Index("state_tried", bson.D{{Key: "state", Value: 1}, {Key: "tried_at", Value: 1}}, nil)(ctx),
	)
}

// ofOrder lists the mails about an order, in the order of what they tell of.
func (s store) ofOrder(ctx context.Context, orderID string, limit int64) ([]Mail, error) {
	return s.Find(ctx, bson.D{{Key: "order_id", Value: orderID}}, bson.D{{Key: "event.time", Value: 1}}, limit)
}

// inState lists mails in a state, those first that were tried first.
func (s store) inState(ctx context.Context, state State, limit int64) ([]Mail, error) {
	return s.Find(ctx, bson.D{{Key: "state", Value: state}}, bson.D{{Key: "tried_at", Value: 1}}, limit)
}
