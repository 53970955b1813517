package disposer

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
		s.Index("certificates_until", bson.D{{Key: "certificates.valid_until", Value: 1}}, nil)(ctx),
	)
}

// name gives partners of earlier versions the words by which they are found.
func (s store) name(ctx context.Context) error {
	list, err := s.byID(ctx, maxListed)
	if err != nil {
		return err
	}
	for _, p := range list {
		if len(p.Words) > 0 {
			continue
		}
		if _, _, err := s.Change(ctx, p.ID, func(p *Partner) error { p.Words = p.findable(p.Master); return nil }); err != nil {
			return err
		}
	}
	return nil
}

// search finds partners by the beginning of their id, or by words of name, address, e-mail address and tax id.
func (s store) search(ctx context.Context, typed string, limit int64) ([]Partner, error) {
	within := bson.D{{Key: "$gte", Value: typed}, {Key: "$lt", Value: words.After(typed)}}
	list, err := s.Find(ctx, bson.D{{Key: "_id", Value: within}}, bson.D{{Key: "_id", Value: 1}}, limit)
	if err != nil || len(list) > 0 {
		return list, err
	}
	all := bson.A{}
	for _, w := range words.Of(typed) {
		all = append(all, bson.D{{Key: "words", Value: w}})
	}
	if len(all) == 0 {
		return nil, nil
	}
	return s.Find(ctx, bson.D{{Key: "$and", Value: all}}, bson.D{{Key: "_id", Value: 1}}, limit)
}

// expiring lists active partners of which a certificate ends, or has ended, before a day.
func (s store) expiring(ctx context.Context, before string, limit int64) ([]Partner, error) {
	ends := bson.D{{Key: "$gt", Value: ""}, {Key: "$lt", Value: before}}
	return s.Find(ctx, bson.D{
		{Key: "certificates", Value: bson.D{{Key: "$elemMatch", Value: bson.D{{Key: "valid_until", Value: ends}}}}}, {Key: "active", Value: true},
	}, bson.D{{Key: "_id", Value: 1}}, limit)
}
