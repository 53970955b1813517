package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"time"

	"kreislauf/internal/load"
	"kreislauf/internal/local"
)

func runLoad(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	data := fs.String("data", local.DataFolder(), "data folder of the running platform")
	entry := fs.String("entry", "", "URL of the entry; default: the running platform's")
	rate := fs.Float64("rate", 0, "visits a second, 2 when not given; with -replay requests a second, 200 when not given")
	duration := fs.Duration("for", 0, "how long; 0 = until Ctrl-C")
	customers := fs.Int("customers", 20, "accounts that order")
	seed := fs.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the traffic")
	inFlight := fs.Int("max-in-flight", 256, "visits at once; more are counted as skipped")
	replay := fs.String("replay", "", "access log in combined format to send again instead")
	speed := fs.Float64("speed", 0, "with -replay: 1 = as recorded, 10 = ten times as fast, 0 = by -rate")
	limit := fs.Int("limit", 0, "with -replay: at most so many lines")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *entry == "" {
		r, err := local.FindRunning(*data)
		if err != nil {
			return err
		}
		*entry = r.Entry
	}
	if *rate < 0 {
		return errors.New("-rate must not be negative")
	}
	if *replay != "" {
		s, err := load.Replay(ctx, load.ReplayOptions{Entry: *entry, File: *replay, Speed: *speed, Rate: *rate, Limit: *limit, MaxInFlight: *inFlight, Out: os.Stdout})
		return errors.Join(s.WriteText(os.Stdout), err)
	}
	s, err := load.Run(ctx, load.Options{
		Entry: *entry, Rate: *rate, Duration: *duration, Customers: *customers, Seed: *seed, MaxInFlight: *inFlight, Out: os.Stdout,
	})
	return errors.Join(s.WriteText(os.Stdout), err)
}
