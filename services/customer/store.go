package customer

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/authz"
	"kreislauf/internal/repository"
)

// ownedBy finds what belongs to a customer or its company. What a member made for the company stays the company's when the member leaves.
func ownedBy(c authz.Caller) bson.D {
	own := bson.D{{Key: "user_id", Value: c.UserID}, {Key: "company_id", Value: bson.D{{Key: "$exists", Value: false}}}}
	if c.CompanyID == "" {
		return own
	}
	return bson.D{{Key: "$or", Value: bson.A{own, bson.D{{Key: "company_id", Value: c.CompanyID}}}}}
}

type sites struct {
	*repository.Repository[Site, *Site]
}

func (s sites) ensureIndexes(ctx context.Context) error {
	return errors.Join(
		s.Index("user", bson.D{{Key: "user_id", Value: 1}}, nil)(ctx),
		s.Index("company", bson.D{{Key: "company_id", Value: 1}}, options.Index().SetSparse(true))(ctx),
	)
}

// of lists the sites of a customer or its company by name.
func (s sites) of(ctx context.Context, c authz.Caller) ([]Site, error) {
	filter := append(bson.D{{Key: "deleted", Value: bson.D{{Key: "$ne", Value: true}}}}, ownedBy(c)...)
	return s.Find(ctx, filter, bson.D{{Key: "name", Value: 1}, {Key: "_id", Value: 1}}, maxSites)
}

type drafts struct {
	*repository.Repository[Draft, *Draft]
}

func (s drafts) ensureIndexes(ctx context.Context) error {
	return s.Index("user_changed", bson.D{{Key: "user_id", Value: 1}, {Key: "changed_at", Value: -1}}, nil)(ctx)
}

// of lists a user's drafts, newest first.
func (s drafts) of(ctx context.Context, userID string) ([]Draft, error) {
	return s.Find(ctx, bson.D{{Key: "user_id", Value: userID}}, bson.D{{Key: "changed_at", Value: -1}}, maxDrafts)
}

type standings struct {
	*repository.Repository[Standing, *Standing]
}

func (s standings) ensureIndexes(ctx context.Context) error {
	return errors.Join(
		s.Index("user", bson.D{{Key: "user_id", Value: 1}}, nil)(ctx),
		s.Index("company", bson.D{{Key: "company_id", Value: 1}}, options.Index().SetSparse(true))(ctx),
		s.Index("site", bson.D{{Key: "site_id", Value: 1}}, nil)(ctx),
	)
}

// of lists the standing orders of a customer or its company, newest first.
func (s standings) of(ctx context.Context, c authz.Caller, limit int64) ([]Standing, error) {
	return s.Find(ctx, ownedBy(c), bson.D{{Key: "made_at", Value: -1}}, limit)
}

// at lists the standing orders of a site.
func (s standings) at(ctx context.Context, siteID string) ([]Standing, error) {
	return s.Find(ctx, bson.D{{Key: "site_id", Value: siteID}}, nil, 0)
}
