package disposer

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/internal/event"
	"kreislauf/internal/repository"
)

type store struct {
	*repository.Repository[Partner, *Partner]
}

// byID lists partners in the order of their ids.
func (s store) byID(ctx context.Context, limit int64) ([]Partner, error) {
	return s.Find(ctx, bson.D{}, bson.D{{Key: "_id", Value: 1}}, limit)
}

// importAll imports the file. It may be done again, and by several instances at once.
func (s store) importAll(ctx context.Context, list []Listed, meta event.Meta, zone *time.Location) error {
	for _, l := range list {
		p, err := imported(l, meta, zone)
		if err != nil {
			return err
		}
		there, err := s.Insert(ctx, p)
		if err == nil && there {
			_, _, err = s.Change(ctx, l.ID, func(p *Partner) error { return p.take(l.Master, meta, zone) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}
