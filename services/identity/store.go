package identity

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/mongodb"
)

type store struct{ users *mongo.Collection }

func openStore(db *mongodb.Database) store { return store{db.Collection("users")} }

func (s store) ensureIndexes(ctx context.Context) error {
	return mongodb.EnsureIndex(ctx, s.users, "email", bson.D{{Key: "email", Value: 1}}, options.Index().SetUnique(true))
}

// insert stores a new account; taken says that the e-mail has one.
func (s store) insert(ctx context.Context, u User) (taken bool, err error) {
	_, err = s.users.InsertOne(ctx, u)
	if mongo.IsDuplicateKeyError(err) {
		return true, nil
	}
	return false, mongodb.Problem("insert user", err)
}

// byEmail finds an account; found is false without one.
func (s store) byEmail(ctx context.Context, email string) (u User, found bool, err error) {
	err = s.users.FindOne(ctx, bson.D{{Key: "email", Value: email}}).Decode(&u)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return User{}, false, nil
	}
	return u, err == nil, mongodb.Problem("read user", err)
}
