package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"time"

	"kreislauf/elk"
	"kreislauf/elk/funnel"
)

func runFunnel(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("funnel", flag.ContinueOnError)
	var f elasticFlags
	f.register(fs)
	last := fs.Duration("last", 24*time.Hour, "how far back to look")
	if len(args) > 0 && isHelp(args[0]) || len(args) == 2 && isHelp(args[1]) {
		return fs.Parse([]string{"-h"})
	}
	if len(args) < 2 || args[0] != "run" {
		return errors.New("usage: kreislauf funnel run <name> [flags]; there is: orders")
	}
	if err := fs.Parse(args[2:]); err != nil {
		return err
	}
	def, err := funnel.Load(elk.Files(), args[1])
	if err != nil {
		return err
	}
	client, err := f.living(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	res, err := funnel.Run(ctx, client, def, f.env, now.Add(-*last), now)
	if err != nil {
		return err
	}
	return res.WriteText(os.Stdout)
}
