// Package mongodb owns the connection of a service to its one database, kreislauf_<service>, and the client spans of its commands.
//
// Invariants: every write is acknowledged with its journal (w: majority, j: true), so a document that was confirmed survives kill -9
// and power loss; an operation ends within its context's deadline, or within Timeout without one, also when the server hangs; no
// statement or document ends up in a span. Only this package, internal/outbox and the services' store.go use the driver.
package mongodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"kreislauf/internal/problem"
	"kreislauf/internal/telemetry"
)

// Timeout ends an operation whose context has no deadline: of consumers and relays, which then try again. A request has its own, shorter
// one.
const Timeout = 2 * time.Second

// Database is one service's database. Safe for concurrent use.
type Database struct {
	*mongo.Database
	client *mongo.Client
}

// Name is the name of a service's database.
func Name(service string) string { return "kreislauf_" + service }

// Open connects lazily; a server that is away shows in Ping and as Unavailable in requests.
func Open(uri, service, instance string, tracer *telemetry.Tracer) (*Database, error) {
	journal := true
	wc := writeconcern.Majority()
	wc.Journal = &journal
	opts := options.Client().ApplyURI(uri).SetAppName(instance).SetWriteConcern(wc).SetMonitor(monitor(tracer)).SetTimeout(Timeout).
		SetServerSelectionTimeout(2 * time.Second).SetConnectTimeout(2 * time.Second).SetMaxPoolSize(32).
		SetBSONOptions(&options.BSONOptions{UseLocalTimeZone: false, NilSliceAsEmpty: true})
	client, err := mongo.Connect(opts)
	if err != nil {
		return nil, fmt.Errorf("open MongoDB: %w", err)
	}
	return &Database{Database: client.Database(Name(service)), client: client}, nil
}

// Ping is the readiness check.
func (d *Database) Ping(ctx context.Context) error { return d.client.Ping(ctx, nil) }

// Close ends the connections within ctx.
func (d *Database) Close(ctx context.Context) error { return d.client.Disconnect(ctx) }

// EnsureIndex creates an index if it is missing; all instances may do so at once.
func EnsureIndex(ctx context.Context, coll *mongo.Collection, name string, keys bson.D, opts *options.IndexOptionsBuilder) error {
	if opts == nil {
		opts = options.Index()
	}
	if _, err := coll.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: keys, Options: opts.SetName(name)}); err != nil {
		return fmt.Errorf("create index %s on %s: %w", name, coll.Name(), err)
	}
	return nil
}

// Problem turns a driver error into what a caller may see: Unavailable when the server cannot be reached, does not answer in time (then
// nobody knows whether a write was done) or answers that it cannot write (disk full, shutting down), else an internal error. Not-found and
// duplicates are the store's to interpret.
func Problem(op string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s: %w", op, err)
	if mongo.IsNetworkError(err) || mongo.IsTimeout(err) || errors.Is(err, context.DeadlineExceeded) || unwritable(err) {
		return problem.Wrap(problem.Unavailable, err,
			"The store does not answer right now; try again in a moment, with the same Idempotency-Key.")
	}
	return err
}

// unwritable knows the codes of a server that refuses writes for now: OutOfDiskSpace, ShutdownInProgress, InterruptedAtShutdown.
func unwritable(err error) bool {
	se, ok := errors.AsType[mongo.ServerError](err)
	return ok && (se.HasErrorCode(14031) || se.HasErrorCode(91) || se.HasErrorCode(11600))
}
