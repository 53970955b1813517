package main

import (
	"context"
	"flag"
	"os"

	"kreislauf/internal/process"
	"kreislauf/services/identity"
	"kreislauf/services/matching"
	"kreislauf/services/order"
	"kreislauf/services/pricing"
	"kreislauf/services/statistics"
)

// Availability classes: how many instances of a service run.
const (
	uncritical = 1
	normal     = 2
	critical   = 3
)

type service struct {
	name      string
	instances int // its availability class
	open      func(context.Context, process.Lookup) (*process.Process, error)
}

func services() []service {
	return []service{
		{"identity", normal, identity.New},
		{"pricing", normal, pricing.New},
		{"order", critical, order.New},
		{"matching", normal, matching.New},
		{"statistics", uncritical, statistics.New},
	}
}

func (s service) command(ctx context.Context, args []string) error {
	if err := noArguments(s.name, args); err != nil {
		return err
	}
	return s.run(ctx, os.LookupEnv)
}

// run opens and runs one instance until ctx ends.
func (s service) run(ctx context.Context, lookup process.Lookup) error {
	p, err := s.open(ctx, lookup)
	if err != nil {
		return err
	}
	return p.Run(ctx)
}

// noArguments parses the flags of a command that is configured by its environment only.
func noArguments(name string, args []string) error {
	return flag.NewFlagSet(name, flag.ContinueOnError).Parse(args)
}
