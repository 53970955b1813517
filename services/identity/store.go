package identity

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/repository"
)

type store struct {
	*repository.Repository[User, *User]
}

func (s store) ensureIndexes(ctx context.Context) error {
	return s.Index("email", bson.D{{Key: "email", Value: 1}}, options.Index().SetUnique(true))(ctx)
}

// byEmail finds an account; found is false without one.
func (s store) byEmail(ctx context.Context, email string) (u User, found bool, err error) {
	return s.First(ctx, bson.D{{Key: "email", Value: email}})
}
