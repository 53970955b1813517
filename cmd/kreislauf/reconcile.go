package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"kreislauf/internal/local"
	"kreislauf/internal/local/reconcile"
)

const (
	exitDifferences exitStatus = 1
	exitUnreadable  exitStatus = 3
)

func runReconcile(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("reconcile", flag.ContinueOnError)
	data := fs.String("data", local.DataFolder(), "data folder of the running platform")
	wait := fs.Duration("wait", 0, "look again and again, at most so long, until all fits and nothing is under way")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 || *wait < 0 {
		return errors.New("usage: kreislauf reconcile [-wait 60s]; it ends with 0 when all agrees, 1 with differences, 3 when something could not be read")
	}
	running, err := local.FindRunning(*data)
	if err != nil {
		fmt.Fprintf(os.Stderr, "kreislauf reconcile: %v\n", err)
		return errors.Join(err, exitUnreadable)
	}
	r := reconcile.Wait(ctx, reconcile.Platform{
		Database: func(service string) (string, error) { return local.DatabaseURI(*data, running, service) }, Kafka: running.Kafka,
	}, *wait)
	if err := r.WriteText(os.Stdout); err != nil {
		return err
	}
	switch {
	case len(r.Unreadable) > 0:
		return exitUnreadable
	case len(r.Differences) > 0:
		return exitDifferences
	}
	return nil
}
