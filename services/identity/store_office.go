package identity

import (
	"context"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/words"
)

// ensureOfficeIndexes creates what the back office searches by.
func (s store) ensureOfficeIndexes(ctx context.Context) error {
	return s.Index("words", bson.D{{Key: "words", Value: 1}}, options.Index().SetSparse(true))(ctx)
}

// search finds accounts by id, by the beginning of their e-mail address, or by words of their name.
func (s store) search(ctx context.Context, typed string, limit int64) ([]User, error) {
	if u, found, err := s.First(ctx, bson.D{{Key: "_id", Value: typed}}); err != nil || found {
		return []User{u}, err
	}
	email := strings.ToLower(typed)
	within := bson.D{{Key: "$gte", Value: email}, {Key: "$lt", Value: words.After(email)}}
	list, err := s.Find(ctx, bson.D{{Key: "email", Value: within}}, bson.D{{Key: "email", Value: 1}}, limit)
	if err != nil || strings.Contains(typed, "@") {
		return list, err
	}
	all := bson.A{}
	for _, w := range words.Of(typed) {
		all = append(all, bson.D{{Key: "words", Value: w}})
	}
	if len(all) == 0 || int64(len(list)) == limit {
		return list, nil
	}
	named, err := s.Find(ctx, bson.D{{Key: "$and", Value: all}}, bson.D{{Key: "created_at", Value: -1}}, limit)
	seen := map[string]bool{}
	for _, u := range list {
		seen[u.ID] = true
	}
	for _, u := range named {
		if !seen[u.ID] && int64(len(list)) < limit {
			list = append(list, u)
		}
	}
	return list, err
}
