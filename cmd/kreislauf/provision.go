package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"kreislauf/elk/provision"
	"kreislauf/internal/logging"
)

func runProvision(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("provision", flag.ContinueOnError)
	var f elasticFlags
	f.register(fs)
	wait := fs.Duration("wait", time.Minute, "how long to wait for the server")
	if err := fs.Parse(args); err != nil {
		return err
	}
	client, err := f.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *wait)
	defer cancel()
	report, err := provision.Run(ctx, client, provision.Options{Logger: logging.Console(os.Stderr)})
	if err != nil {
		return err
	}
	fmt.Printf("%s %s at %s\n", report.Server.Distribution, report.Server.Version, f.url)
	for _, p := range report.Put {
		fmt.Println("put", p)
	}
	for _, l := range report.LeftOut {
		fmt.Println("left out:", l)
	}
	return nil
}
