package mongodb

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/problem"
)

// Collection holds documents of one shape, whose _id is a string. It is all that a service sees of its database: there is no way to the
// driver from it. Errors are those of Problem. Safe for concurrent use.
type Collection[T any] struct {
	coll *mongo.Collection
	noun string // what one document is, for errors: "order"
}

// Open gives a collection by its name; noun is what one of its documents is.
func OpenCollection[T any](db *Database, name, noun string) Collection[T] {
	return Collection[T]{db.Collection(name), noun}
}

// Index makes a step that creates an index if it is missing; opts may be nil.
func (c Collection[T]) Index(name string, keys bson.D, opts *options.IndexOptionsBuilder) func(context.Context) error {
	return func(ctx context.Context) error { return EnsureIndex(ctx, c.coll, name, keys, opts) }
}

// Insert stores a new document. duplicate says that its _id, or another unique member, is there already; then nothing is stored.
func (c Collection[T]) Insert(ctx context.Context, doc T) (duplicate bool, err error) {
	_, err = c.coll.InsertOne(ctx, doc)
	if mongo.IsDuplicateKeyError(err) {
		return true, nil
	}
	return false, Problem("insert "+c.noun, err)
}

// Put stores a document in place of the one with the same id, if there is one.
func (c Collection[T]) Put(ctx context.Context, id string, doc T) error {
	_, err := c.coll.ReplaceOne(ctx, bson.D{{Key: "_id", Value: id}}, doc, options.Replace().SetUpsert(true))
	return Problem("store "+c.noun+" "+id, err)
}

// PutNewer is Put for a copy of what another service owns: it stores the document unless one with the same id is there whose member
// "version" is as high or higher. version must be that of doc. So the highest version stays, in whatever order and however often copies
// come, at the same moment too; stored says whether this one was it.
func (c Collection[T]) PutNewer(ctx context.Context, id string, version int64, doc T) (stored bool, err error) {
	older := bson.D{{Key: "_id", Value: id}, {Key: "version", Value: bson.D{{Key: "$lt", Value: version}}}}
	res, err := c.coll.ReplaceOne(ctx, older, doc, options.Replace().SetUpsert(true))
	if mongo.IsDuplicateKeyError(err) { // it is there: as new, newer, or inserted at this very moment and perhaps older
		res, err = c.coll.ReplaceOne(ctx, older, doc)
	}
	if err != nil {
		return false, Problem("store "+c.noun+" "+id, err)
	}
	return res.MatchedCount+res.UpsertedCount > 0, nil
}

// Delete takes a document away; one that is not there is no error. It is not for aggregates whose events may wait.
func (c Collection[T]) Delete(ctx context.Context, id string) error {
	_, err := c.coll.DeleteOne(ctx, bson.D{{Key: "_id", Value: id}})
	return Problem("delete "+c.noun+" "+id, err)
}

// Get reads a document; without one it is a problem of the kind NotFound.
func (c Collection[T]) Get(ctx context.Context, id string) (T, error) {
	doc, found, err := c.First(ctx, bson.D{{Key: "_id", Value: id}})
	if err == nil && !found {
		err = problem.New(problem.NotFound, "There is no %s %s.", c.noun, id)
	}
	return doc, err
}

// First reads one document that the filter finds; found is false without one.
func (c Collection[T]) First(ctx context.Context, filter bson.D) (doc T, found bool, err error) {
	err = c.coll.FindOne(ctx, filter).Decode(&doc)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return doc, false, nil
	}
	return doc, err == nil, Problem("read "+c.noun, err)
}

// Find lists what the filter finds, in the order of sort (nil: as stored), at most limit (0: all).
func (c Collection[T]) Find(ctx context.Context, filter, sort bson.D, limit int64) ([]T, error) {
	opts := options.Find().SetLimit(limit)
	if sort != nil {
		opts.SetSort(sort)
	}
	cur, err := c.coll.Find(ctx, filter, opts)
	if err != nil {
		return nil, Problem("list "+c.noun, err)
	}
	var list []T
	return list, Problem("list "+c.noun, cur.All(ctx, &list))
}

// Each reads the whole collection, one document after the other, in no order that anybody may count on. It ends at the first error, of the
// database or of do.
func (c Collection[T]) Each(ctx context.Context, do func(T) error) error {
	cur, err := c.coll.Find(ctx, bson.D{})
	if err != nil {
		return Problem("read all of "+c.noun, err)
	}
	defer func() { _ = cur.Close(context.WithoutCancel(ctx)) }() // all was read, or an error is told
	for cur.Next(ctx) {
		var doc T
		if err := cur.Decode(&doc); err != nil {
			return fmt.Errorf("read %s: %w", c.noun, err)
		}
		if err := do(doc); err != nil {
			return err
		}
	}
	return Problem("read all of "+c.noun, cur.Err())
}

// Sums adds up integer fields of what the filter finds, by their paths ("balance.bank"); a document without the field counts nothing.
func (c Collection[T]) Sums(ctx context.Context, filter bson.D, paths ...string) (map[string]int64, error) {
	group := bson.D{{Key: "_id", Value: nil}}
	for i, p := range paths {
		group = append(group, bson.E{Key: fmt.Sprint("s", i), Value: bson.D{{Key: "$sum", Value: "$" + p}}}) // a name must have no dot
	}
	cur, err := c.coll.Aggregate(ctx, bson.A{bson.D{{Key: "$match", Value: filter}}, bson.D{{Key: "$group", Value: group}}})
	if err != nil {
		return nil, Problem("add up "+c.noun, err)
	}
	var rows []bson.D
	if err := cur.All(ctx, &rows); err != nil {
		return nil, Problem("add up "+c.noun, err)
	}
	sums := map[string]int64{}
	for _, row := range rows { // none when nothing was found, else one
		for i, p := range paths {
			switch n := row[i+1].Value.(type) {
			case int32:
				sums[p] = int64(n)
			case int64:
				sums[p] = n
			default:
				return nil, fmt.Errorf("add up %s: %s is %v, no integer", c.noun, p, n)
			}
		}
	}
	return sums, nil
}
