package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/logship"
	"kreislauf/logship/config"
)

// TestMain lets the test binary be the logship of the drills.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "logship" {
		os.Exit(ship())
	}
	os.Exit(m.Run())
}

func ship() int {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	c, err := config.Read(os.Args[len(os.Args)-1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if os.Args[2] == "replay" {
		report, err := logship.Replay(ctx, c, c.Targets[0].Name, false, func(what, detail string) { fmt.Fprintln(os.Stderr, what, detail) })
		fmt.Println("documents:", report.Delivered, "delivered", err)
		return 0
	}
	s, err := logship.New(logship.Options{Config: *c, Logger: zerolog.New(os.Stderr)})
	if err == nil {
		err = s.Run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestDrills runs some drills with a tenth of the events; `make drills` runs all of them against the real program.
func TestDrills(t *testing.T) {
	chosen, err := choose("kill-backlog,item-429,item-400,request-400,bad-lines,conflicts,foreign-times,copytruncate,deleted,checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range chosen {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			out := run(s, options{binary: os.Args[0], dir: t.TempDir(), outage: time.Second, scale: 10, log: os.Stderr})
			if out.err != nil {
				t.Errorf("%v (%s)", out.err, out.note)
			}
			if out.expected == 0 || out.lost != 0 || out.visible != 0 {
				t.Errorf("%d expected, %d lost, %d visible twice", out.expected, out.lost, out.visible)
			}
		})
	}
}

// TestADrillCanFail shows that a lost and a doubled event are seen.
func TestADrillCanFail(t *testing.T) {
	s := scenario{"broken", "one event lost, one shown twice", func(d *drill) error {
		if err := d.shipped(100); err != nil {
			return err
		}
		d.target.set(func(s *sink) {
			s.numbers[7]++
			delete(s.numbers, 8)
		})
		return nil
	}}
	out := run(s, options{binary: os.Args[0], dir: t.TempDir(), scale: 10, log: os.Stderr})
	if out.lost != 1 || out.visible != 1 || out.err == nil {
		t.Errorf("%d lost, %d visible twice, error %v", out.lost, out.visible, out.err)
	}
}
