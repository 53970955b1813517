package order

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/words"
)

// ensureOfficeIndexes creates what the back office searches by.
func (s store) ensureOfficeIndexes(ctx context.Context) error {
	return errors.Join(
		s.Index("words", bson.D{{Key: "words", Value: 1}}, options.Index().SetSparse(true))(ctx),
		s.Index("container_key", bson.D{{Key: "container_key", Value: 1}}, options.Index().SetSparse(true))(ctx),
		s.Index("state_date", bson.D{{Key: "state", Value: 1}, {Key: "date", Value: 1}}, nil)(ctx),
	)
}

// begins finds what begins with a text.
func begins(member, text string) bson.D {
	return bson.D{{Key: member, Value: bson.D{{Key: "$gte", Value: text}, {Key: "$lt", Value: words.After(text)}}}}
}

// search finds orders by the beginning of id or container number, by the customer's id, or by words of name and address; newest first.
func (s store) search(ctx context.Context, typed string, limit int64) ([]Order, error) {
	newest := bson.D{{Key: "placed_at", Value: -1}}
	if idPrefix.MatchString(typed) {
		return s.Find(ctx, begins("_id", typed), nil, limit)
	}
	if userPattern.MatchString(typed) {
		return s.Find(ctx, bson.D{{Key: "user_id", Value: typed}}, newest, limit)
	}
	key, all := words.Key(typed), bson.A{}
	for _, w := range words.Of(typed) {
		all = append(all, bson.D{{Key: "words", Value: w}})
	}
	if key == "" {
		return nil, nil
	}
	list, err := s.Find(ctx, begins("container_key", key), newest, limit)
	if err != nil {
		return nil, err
	}
	named, err := s.Find(ctx, bson.D{{Key: "$and", Value: all}}, newest, limit-int64(len(list)))
	return append(list, named...), err
}

// inState lists orders in a state whose day of placing is before a day (empty: any), the earliest first.
func (s store) inState(ctx context.Context, state State, before string, limit int64) ([]Order, error) {
	filter := bson.D{{Key: "state", Value: state}}
	if before != "" {
		filter = append(filter, bson.E{Key: "date", Value: bson.D{{Key: "$lt", Value: before}}})
	}
	return s.Find(ctx, filter, bson.D{{Key: "date", Value: 1}}, limit)
}
