package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/logship"
	"kreislauf/logship/config"
)

// profile ships a backlog with a logship in this process and writes a CPU profile of it.
func profile(args []string) error {
	fs := flag.NewFlagSet("profile", flag.ContinueOnError)
	b := &bench{seed: 1, log: io.Discard}
	out := fs.String("cpu", "cpu.out", "file for the profile")
	heap := fs.String("heap", "", "file for a profile of allocations")
	n := fs.Int("n", 1_000_000, "lines")
	input := fs.String("input", "nginx", "nginx, short, service or different")
	fs.StringVar(&b.geoDir, "geo", defaultGeo(), "folder of the geo databases")
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	b.binary = os.Args[0] // nothing is run
	if err := b.open(); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	defer b.stopSink()
	root := filepath.Join(b.dir, "logs")
	if err := b.profiled(root, *input, *n); err != nil {
		return err
	}
	if err := b.shipProfiled(root, *out, *n); err != nil {
		return err
	}
	if *heap == "" {
		return nil
	}
	f, err := os.Create(*heap)
	if err != nil {
		return fmt.Errorf("make profile: %w", err)
	}
	defer f.Close()
	return pprof.Lookup("allocs").WriteTo(f, 0)
}

// profiled makes the input.
func (b *bench) profiled(root, input string, n int) (err error) {
	switch input {
	case "nginx":
		_, err = b.nginxFile(root, n)
	case "short":
		_, err = b.shortFile(root, n)
	case "service":
		_, err = b.serviceFile(root, n)
	case "different":
		err = different(filepath.Join(root, "local", "kreislauf", "nginx", "access.log"), b.reqs, n, b.seed)
	default:
		err = fmt.Errorf("there is no input %q", input)
	}
	return err
}

func (b *bench) shipProfiled(root, out string, n int) error {
	f, err := os.Create(out)
	if err != nil {
		return fmt.Errorf("make profile: %w", err)
	}
	defer f.Close()
	target := config.DefaultTarget()
	target.URLs, target.CheckTemplates, target.Reconcile, target.ReportInterval = []string{b.sinkURL}, false, 0, 0
	c := config.Default()
	c.UserAgent = false
	c.Instance, c.StateDir, c.Inputs = "logship-1", config.Path(filepath.Join(b.dir, "state")), config.Tree(root)
	c.Geo.CityDir, c.Targets = config.Path(b.geoDir), []config.Target{target}
	s, err := logship.New(logship.Options{Config: *c, Logger: zerolog.Nop()})
	if err != nil {
		return fmt.Errorf("make shipper: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := pprof.StartCPUProfile(f); err != nil {
		return fmt.Errorf("start profile: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for {
		t, err := b.totals()
		if err != nil {
			return err
		}
		if t.Events >= int64(n) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	pprof.StopCPUProfile()
	cancel()
	return <-done
}
