package order

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/mongodb"
	"kreislauf/internal/outbox"
	"kreislauf/internal/problem"
)

// errStale says that another instance changed the order first: read again.
var errStale = errors.New("the order was changed meanwhile")

type store struct{ orders *mongo.Collection }

func openStore(db *mongodb.Database) store { return store{db.Collection("orders")} }

func (s store) ensureIndexes(ctx context.Context) error {
	return mongodb.EnsureIndex(ctx, s.orders, "user_placed", bson.D{{Key: "user_id", Value: 1}, {Key: "placed_at", Value: -1}}, nil)
}

// insert stores a new order. If its id exists, it answers the stored one and replayed.
func (s store) insert(ctx context.Context, o Order) (_ Order, replayed bool, err error) {
	_, err = s.orders.InsertOne(ctx, o)
	if mongo.IsDuplicateKeyError(err) {
		first, err := s.get(ctx, o.ID)
		return first, true, err
	}
	return o, false, mongodb.Problem("insert order", err)
}

func (s store) get(ctx context.Context, id string) (Order, error) {
	var o Order
	err := s.orders.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&o)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return Order{}, problem.New(problem.NotFound, "There is no order %s.", id)
	}
	return o, mongodb.Problem("read order", err)
}

// newest lists a customer's orders, newest first.
func (s store) newest(ctx context.Context, userID string, limit int64) ([]Order, error) {
	cur, err := s.orders.Find(ctx, bson.D{{Key: "user_id", Value: userID}},
		options.Find().SetSort(bson.D{{Key: "placed_at", Value: -1}}).SetLimit(limit))
	if err != nil {
		return nil, mongodb.Problem("list orders", err)
	}
	var list []Order
	return list, mongodb.Problem("list orders", cur.All(ctx, &list))
}

// apply writes a transition if the order is still as it was read.
func (s store) apply(ctx context.Context, o Order, t transition) error {
	set := bson.D{{Key: "state", Value: t.to}}
	if t.partnerID != "" {
		set = append(set, bson.E{Key: "partner_id", Value: t.partnerID})
	}
	u := outbox.Update(set, bson.D{{Key: "history", Value: Step{t.to, t.at}}}, t.at, t.events...)
	res, err := s.orders.UpdateOne(ctx, bson.D{{Key: "_id", Value: o.ID}, {Key: "version", Value: o.Version}}, u)
	if err != nil {
		return mongodb.Problem("change order to "+string(t.to), err)
	}
	if res.MatchedCount == 0 {
		return errStale
	}
	return nil
}
