package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/rs/zerolog"

	settings "kreislauf/internal/config"
	"kreislauf/internal/logging"
	"kreislauf/internal/run"
	"kreislauf/logship"
	"kreislauf/logship/config"
	"kreislauf/logship/platform"
)

// runLogship ships as a configuration file says, or as the environment does.
func runLogship(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "status":
			return showShipping(ctx, args[1:])
		case "replay":
			return replayDeadLetters(ctx, args[1:])
		case "init":
			return proposeInput(args[1:])
		}
	}
	fs := flag.NewFlagSet("logship", flag.ContinueOnError)
	file := fs.String("config", "", "configuration file; without one the environment variables count")
	check := fs.Bool("check", false, "only check the configuration file")
	if err := fs.Parse(args); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 0:
		return fmt.Errorf("unexpected argument %q; there are also the commands logship status, logship replay and logship init", fs.Arg(0))
	case *file == "" && *check:
		return errors.New("-check needs -config")
	case *file == "":
		limitProcs(config.Default())
		return platform.Run(ctx, os.LookupEnv)
	}
	c, err := config.Read(*file)
	if err != nil {
		return fmt.Errorf("the configuration has mistakes:\n%w", err)
	}
	if *check {
		fmt.Printf("%s: no mistakes, %d inputs, %d targets\n", *file, len(c.Inputs), len(c.Targets))
		return nil
	}
	return shipStandalone(ctx, c)
}

// gcPercent keeps the memory of the standalone shipper near what it holds: nearly all of that are the buffers of batches, which the
// collector does not look into, and next to nothing is allocated per line.
const gcPercent = 25

// shipStandalone runs the shipper of a configuration file until ctx ends. It logs to standard output.
func shipStandalone(ctx context.Context, c *config.Config) (err error) {
	level, err := zerolog.ParseLevel(c.Log.Level)
	if err != nil {
		return fmt.Errorf("log level: %w", err)
	}
	log := logging.New(os.Stdout, settings.Process{Service: "logship", Env: c.Env, Customer: c.Customer, Instance: c.Instance}).Level(level)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	limitProcs(c)
	log.Info().Strs("logship.configuration", c.Dump()).Msg("logship is configured")
	s, err := logship.New(logship.Options{Config: *c, Logger: log})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var stack run.Stack
	defer func() { err = errors.Join(err, stack.Stop(context.WithoutCancel(ctx))) }()
	if c.HTTP != "" {
		server := &http.Server{Addr: c.HTTP, Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second}
		stack.Go("HTTP listener", cancel, func(ctx context.Context) error {
			defer context.AfterFunc(ctx, func() { _ = server.Close() })() // nobody waits for an answer
			if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("listen on %s: %w", c.HTTP, err)
			}
			return nil
		})
	}
	if err := releaseProgram(); err != nil {
		log.Debug().Err(err).Msg("pages of the program file stay")
	}
	err = s.Run(ctx)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(err, cause)
	}
	return err
}

// limitProcs sets the number of cores that work at the same time in this process, which must be the shipper's own.
func limitProcs(c *config.Config) {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(c.MaxProcs)
	}
}
