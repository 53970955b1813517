package main

import (
	"context"
	"flag"
	"os"
	"time"

	"kreislauf/elk/alerter"
	"kreislauf/internal/process"
	"kreislauf/services"
)

// serviceCommands are one command a service: an instance of it, set up by its environment.
func serviceCommands() []command {
	var list []command
	for _, s := range services.All() {
		list = append(list, command{s.Name, "one instance of the service " + s.Name, fromEnvironment(s.Name, s.Run), nil})
	}
	return list
}

// runAlerter watches the KPI rules.
func runAlerter(ctx context.Context, args []string) error {
	return fromEnvironment("alerter", alerter.Run)(ctx, args)
}

// settled is when a process has touched what only its start needs.
const settled = 10 * time.Second

// fromEnvironment makes a command without flags of a process that reads its settings from the environment.
func fromEnvironment(name string, run func(context.Context, process.Lookup) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		if err := flag.NewFlagSet(name, flag.ContinueOnError).Parse(args); err != nil {
			return err
		}
		defer time.AfterFunc(settled, func() { _ = releaseProgram() }).Stop() // pages that stay do no harm
		return run(ctx, os.LookupEnv)
	}
}
