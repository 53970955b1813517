package matching

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/event"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/outbox"
	"kreislauf/internal/problem"
)

type store struct{ partners, matches *mongo.Collection }

func openStore(db *mongodb.Database) store {
	return store{db.Collection("partners"), db.Collection("matches")}
}

func (s store) ensureIndexes(ctx context.Context) error {
	return mongodb.EnsureIndex(ctx, s.matches, "partner_state",
		bson.D{{Key: "partner_id", Value: 1}, {Key: "state", Value: 1}, {Key: "offered_at", Value: 1}}, nil)
}

// importPartners writes the master data; importing the same file again changes nothing.
func (s store) importPartners(ctx context.Context, partners []Partner) error {
	for _, p := range partners {
		if _, err := s.partners.ReplaceOne(ctx, bson.D{{Key: "_id", Value: p.ID}}, p, options.Replace().SetUpsert(true)); err != nil {
			return mongodb.Problem("import partner "+p.ID, err)
		}
	}
	return nil
}

func (s store) allPartners(ctx context.Context) ([]Partner, error) {
	cur, err := s.partners.Find(ctx, bson.D{})
	if err != nil {
		return nil, mongodb.Problem("read partners", err)
	}
	var list []Partner
	return list, mongodb.Problem("read partners", cur.All(ctx, &list))
}

// insert stores a new match; the order's second delivery finds the first one and changes nothing.
func (s store) insert(ctx context.Context, m Match) error {
	if _, err := s.matches.InsertOne(ctx, m); err != nil && !mongo.IsDuplicateKeyError(err) {
		return mongodb.Problem("insert match", err)
	}
	return nil
}

// offers lists a partner's open offers, oldest first.
func (s store) offers(ctx context.Context, partnerID string, limit int64) ([]Match, error) {
	cur, err := s.matches.Find(ctx, bson.D{{Key: "partner_id", Value: partnerID}, {Key: "state", Value: Offered}},
		options.Find().SetSort(bson.D{{Key: "offered_at", Value: 1}}).SetLimit(limit))
	if err != nil {
		return nil, mongodb.Problem("list offers", err)
	}
	var list []Match
	return list, mongodb.Problem("list offers", cur.All(ctx, &list))
}

// get reads a partner's match; another partner's does not exist for it.
func (s store) get(ctx context.Context, id, partnerID string) (Match, error) {
	var m Match
	err := s.matches.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&m)
	if errors.Is(err, mongo.ErrNoDocuments) || (err == nil && m.PartnerID != partnerID) {
		return Match{}, problem.New(problem.NotFound, "There is no offer %s for you.", id)
	}
	return m, mongodb.Problem("read match", err)
}

// accept moves an offered match to accepted in one write; won is false when somebody else changed it first.
func (s store) accept(ctx context.Context, m Match, now time.Time, e event.Event) (won bool, err error) {
	res, err := s.matches.UpdateOne(ctx,
		bson.D{{Key: "_id", Value: m.ID}, {Key: "version", Value: m.Version}, {Key: "state", Value: Offered}},
		outbox.Update(bson.D{{Key: "state", Value: Accepted}}, nil, now, e))
	if err != nil {
		return false, mongodb.Problem("accept match", err)
	}
	return res.MatchedCount == 1, nil
}
