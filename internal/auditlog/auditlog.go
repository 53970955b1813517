// Package auditlog owns the collection audit in a service's database: all audit entries of the service, which are added and read
// and never changed or removed.
//
// Invariants: an entry in the audit.Trail of a stored document comes into the collection, once, whatever process dies when: it leaves
// the document only after it is in the collection, and its id keeps a repetition out. Documents with a Trail are aggregates: a string
// _id, and a version that every change increments.
//
// Not guaranteed: that an entry can be found at once; the collector looks every second. Whoever may write to the database can forge
// entries.
package auditlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/audit"
	"kreislauf/internal/health"
	"kreislauf/internal/mongodb"
)

const (
	collectEvery = time.Second
	batch        = 100
)

// Log is the collection. Safe for concurrent use.
type Log struct {
	db      *mongodb.Database
	entries *mongo.Collection
	sources []string
}

// New makes the log of a service; sources are its collections whose documents have a Trail. Call EnsureIndexes once and Run for as long
// as the service lives.
func New(db *mongodb.Database, sources ...string) *Log {
	return &Log{db: db, entries: db.Collection("audit"), sources: sources}
}

// EnsureIndexes creates what queries and the collector use.
func (l *Log) EnsureIndexes(ctx context.Context) error {
	errs := []error{
		mongodb.EnsureIndex(ctx, l.entries, "subject", bson.D{{Key: "subject", Value: 1}, {Key: "at", Value: -1}}, nil),
		mongodb.EnsureIndex(ctx, l.entries, "actor", bson.D{{Key: "actor.user_id", Value: 1}, {Key: "at", Value: -1}}, nil),
	}
	for _, s := range l.sources {
		waiting := options.Index().SetSparse(true)
		errs = append(errs, mongodb.EnsureIndex(ctx, l.db.Collection(s), "audit_at", bson.D{{Key: "audit_at", Value: 1}}, waiting))
	}
	return errors.Join(errs...)
}

// Append adds an entry that goes with no change of a document, for example a look at protected data or an export. It comes before what it
// tells of: what cannot be written down does not happen. An entry with an id that is there already changes nothing.
func (l *Log) Append(ctx context.Context, e audit.Entry) error {
	e, err := e.Complete()
	if err != nil {
		return err
	}
	return l.insert(ctx, e)
}

func (l *Log) insert(ctx context.Context, e audit.Entry) error {
	if _, err := l.entries.InsertOne(ctx, e); err != nil && !mongo.IsDuplicateKeyError(err) {
		return mongodb.Problem("store audit entry", err)
	}
	return nil
}

// BySubject lists what was done to a subject ("order/o-1"), newest first.
func (l *Log) BySubject(ctx context.Context, subject string, limit int64) ([]audit.Entry, error) {
	return l.find(ctx, "subject", subject, limit)
}

// ByActor lists what a user did, newest first.
func (l *Log) ByActor(ctx context.Context, userID string, limit int64) ([]audit.Entry, error) {
	return l.find(ctx, "actor.user_id", userID, limit)
}

func (l *Log) find(ctx context.Context, member, value string, limit int64) ([]audit.Entry, error) {
	cur, err := l.entries.Find(ctx, bson.D{{Key: member, Value: value}},
		options.Find().SetSort(bson.D{{Key: "at", Value: -1}}).SetLimit(limit))
	if err != nil {
		return nil, mongodb.Problem("list audit entries", err)
	}
	var list []audit.Entry
	return list, mongodb.Problem("list audit entries", cur.All(ctx, &list))
}

// Run collects until ctx ends. All instances may run it at once.
func (l *Log) Run(ctx context.Context, log zerolog.Logger) error {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	failing := false
	for {
		health.Tick(ctx)
		_, err := l.Collect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !failing { // one line for each time that it begins to fail
			log.Warn().Err(err).Str("event.action", "audit.collect").Msg("collect audit entries; trying again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Collect moves what waits in the documents now, at most a batch from each collection, and returns how many documents it has emptied.
// One document that fails does not hold up the next.
func (l *Log) Collect(ctx context.Context) (emptied int, err error) {
	var errs []error
	for _, source := range l.sources {
		n, err := l.collectFrom(ctx, l.db.Collection(source))
		emptied += n
		if err != nil {
			errs = append(errs, fmt.Errorf("collect audit entries of %s: %w", source, err))
		}
	}
	return emptied, errors.Join(errs...)
}

func (l *Log) collectFrom(ctx context.Context, coll *mongo.Collection) (emptied int, err error) {
	cur, err := coll.Find(ctx, bson.D{{Key: "audit_at", Value: bson.D{{Key: "$gte", Value: time.Unix(0, 0)}}}},
		options.Find().SetSort(bson.D{{Key: "audit_at", Value: 1}}).SetLimit(batch).
			SetProjection(bson.D{{Key: "version", Value: 1}, {Key: "audit", Value: 1}}))
	if err != nil {
		return 0, err
	}
	var docs []bson.Raw
	if err := cur.All(ctx, &docs); err != nil {
		return 0, err
	}
	var errs []error
	for _, raw := range docs {
		health.Tick(ctx)
		n, err := l.empty(ctx, coll, raw)
		emptied += n
		if err != nil {
			errs = append(errs, fmt.Errorf("document %s: %w", raw.Lookup("_id"), err))
		}
	}
	return emptied, errors.Join(errs...)
}

// empty moves the entries of one document.
func (l *Log) empty(ctx context.Context, coll *mongo.Collection, raw bson.Raw) (emptied int, err error) {
	var doc struct {
		ID      string        `bson:"_id"`
		Version int64         `bson:"version"`
		Audit   []audit.Entry `bson:"audit"`
	}
	if err := bson.Unmarshal(raw, &doc); err != nil {
		return 0, err
	}
	for _, e := range doc.Audit {
		if err := l.insert(ctx, e); err != nil {
			return 0, err
		}
	}
	// Only what was read is taken out: a document that has changed since keeps its entries until the next look. The version stays,
	// because nothing has changed that anybody decides about.
	res, err := coll.UpdateOne(ctx, bson.D{{Key: "_id", Value: doc.ID}, {Key: "version", Value: doc.Version}},
		bson.D{{Key: "$unset", Value: bson.D{{Key: "audit", Value: ""}, {Key: "audit_at", Value: ""}}}})
	if err != nil {
		return 0, err
	}
	return int(res.ModifiedCount), nil
}
