package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kreislauf/internal/authz"
	"kreislauf/internal/load"
	"kreislauf/internal/local"
	"kreislauf/services/identity"
)

func runLoad(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	data := fs.String("data", local.DataFolder(), "data folder of the running platform")
	entry := fs.String("entry", "", "URL of the entry; default: the running platform's")
	rate := fs.Float64("rate", 0, "visits a second, 2 when not given; with -replay requests a second, 200 when not given")
	duration := fs.Duration("for", 0, "how long; 0 = until Ctrl-C")
	onlyOrders := fs.Bool("only-orders", false, "customers alone: nobody works on the orders, as in earlier versions")
	pace := fs.Duration("pace", 2*time.Second, "usual time between two steps of the work on an order")
	customers := fs.Int("customers", 20, "accounts that order")
	seed := fs.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the traffic")
	inFlight := fs.Int("max-in-flight", 256, "visits at once; more are counted as skipped")
	replay := fs.String("replay", "", "access log to send again instead: in combined format or of this platform's nginx, also gzipped")
	speed := fs.Float64("speed", 0, "with -replay: 1 = as recorded, 10 = ten times as fast, 0 = by -rate")
	limit := fs.Int("limit", 0, "with -replay: at most so many lines")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *rate < 0 || *pace < 100*time.Millisecond {
		return errors.New("-rate must not be negative, and -pace is 100ms at least")
	}
	elsewhere := *entry != ""
	if !elsewhere {
		r, err := local.FindRunning(*data)
		if err != nil {
			return err
		}
		*entry = r.Entry
	}
	if *replay != "" {
		if err := checkReadable(*replay, *data); err != nil {
			return err
		}
		s, err := load.Replay(ctx, load.ReplayOptions{Entry: *entry, File: *replay, Speed: *speed, Rate: *rate, Limit: *limit, MaxInFlight: *inFlight, Out: os.Stdout})
		if err != nil && s.Sent+s.Skipped == 0 { // zeros say nothing
			return err
		}
		return errors.Join(s.WriteText(os.Stdout), err)
	}
	o := load.Options{
		Entry: *entry, Rate: *rate, Duration: *duration, Customers: *customers, Seed: *seed, MaxInFlight: *inFlight, Pace: *pace, Out: os.Stdout,
	}
	switch {
	case *onlyOrders:
	case elsewhere:
		fmt.Println("customers only: partners and back office need invitations, which only the data folder of the running platform can sign (leave -entry out)")
	default:
		key, err := inviteKey(*data)
		if err != nil {
			return err
		}
		o.Invite = func(role authz.Role, partnerID string) (string, error) {
			return identity.SealInvite(key, identity.Invite{Role: role, PartnerID: partnerID, Until: time.Now().AddDate(0, 0, 1).UTC()})
		}
	}
	s, err := load.Run(ctx, o)
	if err != nil && s.Visits+s.Skipped == 0 {
		return err
	}
	return errors.Join(s.WriteText(os.Stdout), err)
}

// checkReadable opens an access log, and says where the platform's own is when there is none.
func checkReadable(path, data string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		own := filepath.Join(data, "logs", "local", "kreislauf", "nginx", "access.log")
		if r, err := local.FindRunning(data); err == nil {
			own = filepath.Join(data, "logs", r.Env, r.Customer, "nginx", "access.log")
		}
		return fmt.Errorf("there is no file %s; name an access log with -replay, for example the platform's own: %s", path, own)
	}
	if err != nil {
		return fmt.Errorf("read access log: %w", err)
	}
	return f.Close()
}
