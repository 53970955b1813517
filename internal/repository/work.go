package repository

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.opentelemetry.io/otel/codes"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
	"kreislauf/internal/health"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/problem"
)

// workBatch is how many aggregates one look finds at most.
const workBatch = 100

// Work is timed work on the aggregates of a repository: what an aggregate wants to have decided at a time that it has planned with
// aggregate.Root.Due, whoever is running then.
//
// Every instance looks; an aggregate's work is decided once, because it is a Change that moves the time, and the slower instance finds it
// moved. It is as durable as the aggregate: whatever process dies, another one does it. It may be late, by Every and by the time for which
// nobody ran, and never early.
type Work[P any] struct {
	Name  string                                // for lines and spans: "offer time-out"
	Every time.Duration                         // between two looks, when the last one left nothing
	Meta  func(context.Context) event.Meta      // process.Meta; At is the time that it is
	Do    func(m event.Meta, doc P) (err error) // pure; it must move or end Due, and may emit events
	// Then, unless nil, acts on what Do decided, after that was stored: it sends, calls, writes files. It keeps its result by a Change, and
	// ends long before health.Stalled. It is not called when the process dies before it, so Do plans a time by which somebody looks again;
	// doc.Version tells whether anybody has since. Its error is logged; only Due brings another try.
	Then func(ctx context.Context, doc P) error
}

// retryAfter is how long work waits whose decision failed.
const retryAfter = time.Minute

// IndexWork creates the index that finds due aggregates.
func (r *Repository[T, P]) IndexWork(ctx context.Context) error {
	return mongodb.EnsureIndex(ctx, r.coll, "due_at", bson.D{{Key: "due_at", Value: 1}}, options.Index().SetSparse(true))
}

// RunWork does the work until ctx ends.
func (r *Repository[T, P]) RunWork(ctx context.Context, w Work[P]) error {
	tick := time.NewTicker(w.Every)
	defer tick.Stop()
	failing := false
	for {
		health.Tick(ctx)
		n, err := r.workDue(ctx, w)
		if err != nil && ctx.Err() == nil && !failing { // one line for each time that it begins to fail
			r.log.Warn().Err(err).Str("event.action", "work.failed").Str("work", w.Name).Msg("look for due work; trying again")
		}
		failing = err != nil
		if n == workBatch && ctx.Err() == nil {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// workDue does what is due, at most a batch, and returns how many aggregates it found. One that fails, because its document cannot be read,
// does not hold up the next; the answer is the first error then.
func (r *Repository[T, P]) workDue(ctx context.Context, w Work[P]) (int, error) {
	now := w.Meta(ctx).At
	cur, err := r.coll.Find(ctx, bson.D{{Key: "due_at", Value: bson.D{{Key: "$lte", Value: now}}}},
		options.Find().SetSort(bson.D{{Key: "due_at", Value: 1}}).SetLimit(workBatch).SetProjection(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return 0, fmt.Errorf("find due work: %w", err)
	}
	var due []struct {
		ID string `bson:"_id"`
	}
	if err := cur.All(ctx, &due); err != nil {
		return 0, fmt.Errorf("read due work: %w", err)
	}
	for _, d := range due {
		health.Tick(ctx)
		e := r.workOn(ctx, w, d.ID)
		if problem.KindOf(e) == problem.Unavailable || ctx.Err() != nil {
			return 0, e // of the others as well
		}
		err = cmp.Or(err, e)
	}
	if err != nil {
		return 0, err
	}
	return len(due), nil
}

// workOn does the work of one aggregate, unless another instance has done it by now. Work that cannot be decided is put off, so that it
// stands in nobody's way.
func (r *Repository[T, P]) workOn(ctx context.Context, w Work[P], id string) error {
	ctx, span := r.tracer.Start(ctx, "work "+w.Name)
	defer span.End()
	start, m := time.Now(), w.Meta(ctx)
	isDue := func(root *aggregate.Root) bool { return root.DueAt != nil && !root.DueAt.After(m.At) }
	var refused error
	decided, changed, err := r.Change(ctx, id, func(doc P) error {
		refused = nil
		if root := doc.Aggregate(); isDue(root) {
			if refused = w.Do(m, doc); refused == nil && isDue(root) {
				refused = errors.New("it is still due")
			}
		}
		return refused
	})
	sc := span.SpanContext()
	line := func(e *zerolog.Event) *zerolog.Event {
		return e.Stringer("trace.id", sc.TraceID()).Stringer("span.id", sc.SpanID()).Str("work", w.Name).Str("subject", id).
			Int64("event.duration", time.Since(start).Nanoseconds())
	}
	switch {
	case refused != nil:
		span.SetStatus(codes.Error, refused.Error())
		line(r.log.Error()).Err(refused).Str("event.action", "work.put-off").Msg("do " + w.Name + "; trying again in " + retryAfter.String())
		_, _, err = r.Change(ctx, id, func(doc P) error {
			if isDue(doc.Aggregate()) {
				doc.Aggregate().Due(m.At.Add(retryAfter))
			}
			return nil
		})
	case changed && w.Then != nil:
		if err := w.Then(ctx, &decided); err != nil && ctx.Err() == nil {
			span.SetStatus(codes.Error, err.Error())
			line(r.log.Error()).Err(err).Str("event.action", "work.unfinished").Msg("act on " + w.Name + "; its due time brings another try")
		}
	case changed:
		line(r.log.Info()).Str("event.action", "work.done").Msg("did " + w.Name)
	}
	return err
}
