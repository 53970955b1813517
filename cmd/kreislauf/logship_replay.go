package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"kreislauf/internal/local"
	"kreislauf/logship"
	"kreislauf/logship/config"
)

// replayDeadLetters sends again what a target had refused.
func replayDeadLetters(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("logship replay", flag.ContinueOnError)
	file := fs.String("config", "", "configuration file of logship")
	data := fs.String("data", local.DataFolder(), "data folder of the running platform, when -config is not given")
	target := fs.String("target", "", "name of the target; the only or first one when empty")
	dry := fs.Bool("dry-run", false, "only say what there is and why it was refused")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return errors.New("usage: kreislauf logship replay [-config file | -data folder] [-target name] [-dry-run]")
	}
	c, err := replayConfig(*file, *data)
	if err != nil {
		return err
	}
	if *target == "" {
		*target = c.Targets[0].Name
	}
	said := ""
	report, err := logship.Replay(ctx, c, *target, *dry, func(what, detail string) {
		if what != said {
			fmt.Fprintf(os.Stderr, "%s: %s\n", what, detail)
		}
		said = what
	})
	fmt.Printf("target %s: %d documents read, %d delivered, %d were there already, %d refused again, %d damaged lines\n",
		*target, report.Read, report.Delivered, report.Duplicates, report.Refused, report.Damaged)
	for _, reason := range slices.Sorted(maps.Keys(report.Reasons)) {
		fmt.Printf("%8d  %s\n", report.Reasons[reason], reason)
	}
	return err
}

// replayConfig reads the configuration file, or makes the part of it that a replay into the running platform needs.
func replayConfig(file, data string) (*config.Config, error) {
	if file != "" {
		c, err := config.Read(file)
		if err != nil {
			return nil, fmt.Errorf("the configuration has mistakes:\n%w", err)
		}
		return c, nil
	}
	r, err := local.FindRunning(data)
	if err != nil {
		return nil, err
	}
	t := config.DefaultTarget()
	t.URLs = []string{r.Elastic}
	t.Username, t.Password = os.Getenv("KREISLAUF_ELASTICSEARCH_USERNAME"), config.Secret(os.Getenv("KREISLAUF_ELASTICSEARCH_PASSWORD"))
	t.APIKey = config.Secret(os.Getenv("KREISLAUF_ELASTICSEARCH_API_KEY"))
	return &config.Config{StateDir: config.Path(filepath.Join(data, "logship")), Targets: []config.Target{t}}, nil
}
