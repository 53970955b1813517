package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"kreislauf/internal/local"
	"kreislauf/services/identity"
)

// runDemo prints links to sign in as the demo people.
func runDemo(_ context.Context, args []string) error {
	fs := flag.NewFlagSet("demo", flag.ContinueOnError)
	data := fs.String("data", local.DataFolder(), "data folder of the platform")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return errors.New("demo takes flags only; see -h")
	}
	running, err := local.FindRunning(*data)
	if err != nil {
		return err
	}
	if running.Env != identity.DemoEnv {
		return fmt.Errorf("there are no demo people in the environment %s, only in %s", running.Env, identity.DemoEnv)
	}
	return local.WriteDemo(os.Stdout, *data, running.Env, running.Entry)
}
