package main

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// arrivals are the intended starts of visits, counted from the beginning: evenly spaced, or those of a Poisson process.
func arrivals(rate float64, during time.Duration, poisson bool, seed uint64) []time.Duration {
	second := func(at float64) time.Duration { return time.Duration(at * float64(time.Second)) }
	var list []time.Duration
	if !poisson {
		for i := range int(math.Round(rate * during.Seconds())) {
			list = append(list, second(float64(i)/rate))
		}
		return list
	}
	r := rand.New(rand.NewPCG(seed, 0))
	for at := r.ExpFloat64() / rate; second(at) < during; at += r.ExpFloat64() / rate {
		list = append(list, second(at))
	}
	return list
}

// open starts visit i at its time, whatever became of those before, and waits for all.
func open(ctx context.Context, at []time.Duration, visit func(i int, due time.Time)) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i, d := range at {
		due := began.Add(d)
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		wg.Go(func() { visit(i, due) })
	}
	return nil
}

// closed makes n visits by a number of customers who each start the next one after the answer to the last.
func closed(ctx context.Context, n, customers int, visit func(i int, due time.Time)) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range customers {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				visit(i, time.Now())
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
