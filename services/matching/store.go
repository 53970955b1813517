package matching

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/internal/mongodb"
	"kreislauf/internal/repository"
)

type partners struct{ mongodb.Collection[Partner] }

// put keeps the newest state of a partner; an older one, or the same again, changes nothing.
func (s partners) put(ctx context.Context, p Partner) error {
	_, err := s.PutNewer(ctx, p.ID, p.Version, p)
	return err
}

func (s partners) all(ctx context.Context) ([]Partner, error) { return s.Find(ctx, bson.D{}, nil, 0) }

type matches struct {
	*repository.Repository[Match, *Match]
}

func (s matches) ensureIndexes(ctx context.Context) error {
	return s.Index("partner_state", bson.D{{Key: "partner_id", Value: 1}, {Key: "state", Value: 1}, {Key: "offered_at", Value: 1}}, nil)(ctx)
}

// offers lists a partner's open offers, oldest first.
func (s matches) offers(ctx context.Context, partnerID string, limit int64) ([]Match, error) {
	return s.Find(ctx, bson.D{{Key: "partner_id", Value: partnerID}, {Key: "state", Value: Offered}}, bson.D{{Key: "offered_at", Value: 1}}, limit)
}
