package order

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/authz"
	"kreislauf/internal/repository"
)

type store struct {
	*repository.Repository[Order, *Order]
}

func (s store) ensureIndexes(ctx context.Context) error {
	return errors.Join(
		s.ensureOfficeIndexes(ctx),
		s.Index("user_placed", bson.D{{Key: "user_id", Value: 1}, {Key: "placed_at", Value: -1}}, nil)(ctx),
		s.Index("company_placed", bson.D{{Key: "company_id", Value: 1}, {Key: "placed_at", Value: -1}}, options.Index().SetSparse(true))(ctx),
		s.Index("partner_date", bson.D{{Key: "partner_id", Value: 1}, {Key: "date", Value: 1}}, options.Index().SetSparse(true))(ctx),
	)
}

// newest lists the orders of a customer or its company, newest first.
func (s store) newest(ctx context.Context, c authz.Caller, limit int64) ([]Order, error) {
	own := bson.D{{Key: "user_id", Value: c.UserID}}
	if c.CompanyID != "" {
		own = bson.D{{Key: "$or", Value: bson.A{own, bson.D{{Key: "company_id", Value: c.CompanyID}}}}}
	}
	return s.Find(ctx, own, bson.D{{Key: "placed_at", Value: -1}}, limit)
}

// jobs lists a partner's orders in one of some states, by the day of placing; with a driver or a day only those.
func (s store) jobs(ctx context.Context, partnerID, driverID, date string, states []State, limit int64) ([]Order, error) {
	filter := bson.D{{Key: "partner_id", Value: partnerID}, {Key: "state", Value: bson.D{{Key: "$in", Value: states}}}}
	if driverID != "" {
		filter = append(filter, bson.E{Key: "driver_id", Value: driverID})
	}
	if date != "" {
		filter = append(filter, bson.E{Key: "date", Value: date})
	}
	return s.Find(ctx, filter, bson.D{{Key: "date", Value: 1}, {Key: "_id", Value: 1}}, limit)
}
