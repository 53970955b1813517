package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const racers = 50

// race lets 50 goroutines do the same and returns their errors.
func race(do func(i int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, racers)
	for i := range racers {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func increments(ctx context.Context, e *env) (string, error) {
	m, err := startMongod(ctx, e)
	if err != nil {
		return "", err
	}
	defer m.close()
	const each = 40
	c := m.client.Database("drill").Collection("counter")
	upsert := options.UpdateOne().SetUpsert(true)
	err = race(func(int) error {
		for range each {
			if _, err := c.UpdateOne(ctx, bson.D{{Key: "_id", Value: "n"}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "v", Value: 1}}}}, upsert); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	var got struct{ V int }
	if err := c.FindOne(ctx, bson.D{}).Decode(&got); err != nil {
		return "", err
	}
	if got.V != racers*each {
		return "", fmt.Errorf("%d increments made %d", racers*each, got.V)
	}
	return fmt.Sprintf("%d increments by %d clients made %d", racers*each, racers, got.V), m.Stop(syscall.SIGTERM)
}

func claims(ctx context.Context, e *env) (string, error) {
	m, err := startMongod(ctx, e)
	if err != nil {
		return "", err
	}
	defer m.close()
	const jobs = 500
	c := m.client.Database("drill").Collection("jobs")
	docs := make([]bson.D, jobs)
	for i := range docs {
		docs[i] = bson.D{{Key: "_id", Value: i}, {Key: "state", Value: "new"}, {Key: "at", Value: jobs - i}}
	}
	if _, err := c.InsertMany(ctx, docs); err != nil {
		return "", err
	}
	if _, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "state", Value: 1}, {Key: "at", Value: 1}}}); err != nil {
		return "", err
	}
	var claimed [jobs]atomic.Int32
	err = race(func(w int) error {
		for {
			var job struct {
				ID int `bson:"_id"`
			}
			err := c.FindOneAndUpdate(ctx, bson.D{{Key: "state", Value: "new"}}, bson.D{{Key: "$set", Value: bson.D{{Key: "state", Value: "taken"}, {Key: "by", Value: w}}}},
				options.FindOneAndUpdate().SetSort(bson.D{{Key: "at", Value: 1}})).Decode(&job)
			if errors.Is(err, mongo.ErrNoDocuments) {
				return nil
			}
			if err != nil {
				return err
			}
			claimed[job.ID].Add(1)
		}
	})
	if err != nil {
		return "", err
	}
	for i := range claimed {
		if n := claimed[i].Load(); n != 1 {
			return "", fmt.Errorf("job %d was claimed %d times", i, n)
		}
	}
	return fmt.Sprintf("%d jobs, each claimed once by one of %d workers", jobs, racers), m.Stop(syscall.SIGTERM)
}

func versions(ctx context.Context, e *env) (string, error) {
	m, err := startMongod(ctx, e)
	if err != nil {
		return "", err
	}
	defer m.close()
	const each = 40
	c := m.client.Database("drill").Collection("versions")
	if _, err := c.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}, {Key: "version", Value: 0}, {Key: "sum", Value: 0}}); err != nil {
		return "", err
	}
	var wins, misses atomic.Int64
	err = race(func(int) error {
		for range each {
			var got struct{ Version, Sum int }
			if err := c.FindOne(ctx, bson.D{{Key: "_id", Value: 1}}).Decode(&got); err != nil {
				return err
			}
			res, err := c.UpdateOne(ctx, bson.D{{Key: "_id", Value: 1}, {Key: "version", Value: got.Version}},
				bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: got.Version + 1}, {Key: "sum", Value: got.Sum + 1}}}})
			if err != nil {
				return err
			}
			wins.Add(res.ModifiedCount)
			misses.Add(1 - res.ModifiedCount)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	var got struct{ Version, Sum int64 }
	if err := c.FindOne(ctx, bson.D{}).Decode(&got); err != nil {
		return "", err
	}
	if got.Version != wins.Load() || got.Sum != wins.Load() || wins.Load() == 0 || misses.Load() == 0 {
		return "", fmt.Errorf("%d writers won, %d missed, version %d, sum %d", wins.Load(), misses.Load(), got.Version, got.Sum)
	}
	return fmt.Sprintf("version %d after %d wins and %d misses", got.Version, wins.Load(), misses.Load()), m.Stop(syscall.SIGTERM)
}
