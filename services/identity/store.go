package identity

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/repository"
)

type store struct {
	*repository.Repository[User, *User]
}

func (s store) ensureIndexes(ctx context.Context) error {
	return errors.Join(
		s.Index("email", bson.D{{Key: "email", Value: 1}}, options.Index().SetUnique(true))(ctx),
		s.Index("company", bson.D{{Key: "company_id", Value: 1}}, options.Index().SetSparse(true))(ctx),
		s.Index("reset", bson.D{{Key: "reset.hash", Value: 1}}, options.Index().SetSparse(true))(ctx),
	)
}

// expire has notices removed after a day: they hold addresses.
func expire(ctx context.Context, notices *repository.Repository[Notice, *Notice]) error {
	return notices.Index("at", bson.D{{Key: "at", Value: 1}}, options.Index().SetExpireAfterSeconds(24*60*60))(ctx)
}

// byEmail finds an account; found is false without one.
func (s store) byEmail(ctx context.Context, email string) (u User, found bool, err error) {
	return s.First(ctx, bson.D{{Key: "email", Value: email}})
}

// byReset finds the account that a link resets; found is false without one.
func (s store) byReset(ctx context.Context, hash string) (u User, found bool, err error) {
	return s.First(ctx, bson.D{{Key: "reset.hash", Value: hash}})
}

// members lists who orders for a company, the oldest account first.
func (s store) members(ctx context.Context, companyID string, limit int64) ([]User, error) {
	return s.Find(ctx, bson.D{{Key: "company_id", Value: companyID}}, bson.D{{Key: "created_at", Value: 1}}, limit)
}
