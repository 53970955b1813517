// Package numbering owns consecutive document numbers (invoices, credit notes): collection numbers in the database of the service
// that issues them, one document a number.
//
// Guaranteed, with any number of instances at once and with kill -9 of any of them, or of the server, at any moment:
//   - The numbers of a series are 1, 2, 3, … without a gap. A number is inserted only after its predecessor was read, in one
//     single-document insert under a unique key, and is never deleted. There is no counter that could run ahead of the numbers.
//   - A number belongs to one owner for ever, and an owner has one number for ever. Asking again with the same owner gives the same
//     number, even when the caller names another series by then (a retry over New Year).
//   - No two numbers of a tenant are printed alike.
//
// An owner is the id of the document that bears the number. It must be the same in every retry, so it exists before the number:
//
//	write the document without a number -> Reserve -> write the number into the document -> Bind
//
// Whoever dies in between leaves a reservation that Open lists. Its document exists, so a reconcile can always finish it: write the
// number into the document if it is not there, then Bind. Therefore check everything that can refuse before Reserve.
//
// Not guaranteed: that numbers are given in the order of the calls of different instances, or that a document of a later date has
// a higher number. Reserve needs the indexes of EnsureIndexes; without them an owner could get two numbers.
package numbering

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/mongodb"
)

// series ends with a dash: the digits that follow cannot be taken for a part of it, so "R-1-" and "R-" never print the same number.
var seriesPattern = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{0,30}-$`)

// Number is one number and its document.
type Number struct {
	ID         string     `bson:"_id"` // tenant/text
	Tenant     string     `bson:"tenant"`
	Series     string     `bson:"series"` // what stands before the digits: "R-2026-"
	N          int64      `bson:"n"`      // from 1, without a gap in the series
	Owner      string     `bson:"owner"`  // id of the document that bears it
	ReservedAt time.Time  `bson:"reserved_at"`
	OpenSince  *time.Time `bson:"open_since,omitempty"` // absent once Bind has confirmed that the owner's document bears the number
}

// Text is the number as it is printed: "R-2026-000123"; it grows beyond six digits when it must.
func (n Number) Text() string { return fmt.Sprintf("%s%06d", n.Series, n.N) }

// Book gives the numbers of one tenant. Safe for concurrent use.
type Book struct {
	numbers *mongo.Collection
	tenant  string
}

// New makes the book of a tenant in a service's database; call EnsureIndexes before the first Reserve.
func New(db *mongodb.Database, tenant string) *Book { return &Book{db.Collection("numbers"), tenant} }

// EnsureIndexes creates the indexes on which the guarantees rest; all instances may do so at once.
func (b *Book) EnsureIndexes(ctx context.Context) error {
	unique := func() *options.IndexOptionsBuilder { return options.Index().SetUnique(true) }
	return errors.Join(
		mongodb.EnsureIndex(ctx, b.numbers, "owner", bson.D{{Key: "tenant", Value: 1}, {Key: "owner", Value: 1}}, unique()),
		mongodb.EnsureIndex(ctx, b.numbers, "series",
			bson.D{{Key: "tenant", Value: 1}, {Key: "series", Value: 1}, {Key: "n", Value: 1}}, unique()),
		mongodb.EnsureIndex(ctx, b.numbers, "open_since", bson.D{{Key: "open_since", Value: 1}}, options.Index().SetSparse(true)),
	)
}

// Reserve gives the owner its number: the one it has, or the next of the series. at is the time of the call.
// When other callers are faster it tries again; each such loss is another caller's number, so the callers as a whole always get on.
func (b *Book) Reserve(ctx context.Context, series, owner string, at time.Time) (Number, error) {
	if !seriesPattern.MatchString(series) || owner == "" {
		return Number{}, fmt.Errorf("reserve number: series %q, owner %q: a series is of A-Z, 0-9 and - and ends with -, an owner is not empty",
			series, owner)
	}
	at = at.UTC().Truncate(time.Millisecond)
	for {
		n, found, err := b.Of(ctx, owner)
		if err != nil || found {
			return n, err
		}
		last, err := b.last(ctx, series)
		if err != nil {
			return Number{}, err
		}
		n = Number{Tenant: b.tenant, Series: series, N: last + 1, Owner: owner, ReservedAt: at, OpenSince: &at}
		n.ID = b.tenant + "/" + n.Text()
		_, err = b.numbers.InsertOne(ctx, n)
		if !mongo.IsDuplicateKeyError(err) {
			return n, mongodb.Problem("reserve number", err)
		}
	}
}

// Of is the number of an owner; found is false without one.
func (b *Book) Of(ctx context.Context, owner string) (n Number, found bool, err error) {
	err = b.numbers.FindOne(ctx, bson.D{{Key: "tenant", Value: b.tenant}, {Key: "owner", Value: owner}}).Decode(&n)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return Number{}, false, nil
	}
	return n, err == nil, mongodb.Problem("read number of "+owner, err)
}

// last is the highest number of a series, 0 before the first.
func (b *Book) last(ctx context.Context, series string) (int64, error) {
	var n Number
	err := b.numbers.FindOne(ctx, bson.D{{Key: "tenant", Value: b.tenant}, {Key: "series", Value: series}},
		options.FindOne().SetSort(bson.D{{Key: "n", Value: -1}})).Decode(&n)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return 0, nil
	}
	return n.N, mongodb.Problem("read last number of "+series, err)
}

// Bind records that the owner's document bears the number: Open does not list it any more. Binding twice changes nothing.
func (b *Book) Bind(ctx context.Context, n Number) error {
	res, err := b.numbers.UpdateOne(ctx, bson.D{{Key: "_id", Value: n.ID}, {Key: "owner", Value: n.Owner}},
		bson.D{{Key: "$unset", Value: bson.D{{Key: "open_since", Value: ""}}}})
	if err != nil {
		return mongodb.Problem("bind number "+n.Text(), err)
	}
	if res.MatchedCount == 0 {
		return fmt.Errorf("bind number %s: it is not reserved for %s", n.Text(), n.Owner)
	}
	return nil
}

// Open lists reservations made before a time and not bound since, oldest first. A running caller needs some seconds between
// Reserve and Bind, so leave it some: what is older has lost its caller and is the reconcile's to finish.
func (b *Book) Open(ctx context.Context, before time.Time, limit int64) ([]Number, error) {
	old := bson.D{{Key: "$lt", Value: before}}
	cur, err := b.numbers.Find(ctx, bson.D{{Key: "tenant", Value: b.tenant}, {Key: "open_since", Value: old}},
		options.Find().SetSort(bson.D{{Key: "open_since", Value: 1}}).SetLimit(limit))
	if err != nil {
		return nil, mongodb.Problem("list open numbers", err)
	}
	var list []Number
	return list, mongodb.Problem("list open numbers", cur.All(ctx, &list))
}

// Verify reads a whole series and gives its last number; the error names the first gap.
func (b *Book) Verify(ctx context.Context, series string) (last int64, err error) {
	cur, err := b.numbers.Find(ctx, bson.D{{Key: "tenant", Value: b.tenant}, {Key: "series", Value: series}},
		options.Find().SetSort(bson.D{{Key: "n", Value: 1}}))
	if err != nil {
		return 0, mongodb.Problem("verify "+series, err)
	}
	defer cur.Close(ctx)
	for cur.Next(ctx) {
		var n Number
		if err := cur.Decode(&n); err != nil {
			return last, fmt.Errorf("verify %s: %w", series, err)
		}
		if n.N != last+1 {
			return last, fmt.Errorf("verify %s: after %d comes %d", series, last, n.N)
		}
		last = n.N
	}
	return last, mongodb.Problem("verify "+series, cur.Err())
}
