package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/mongod"
	"kreislauf/test/asked"
)

// TestMain makes the test binary a `kreislauf mongod` when it is called like one, so that the drills need no other binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "mongod" {
		if err := serve(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(asked.By(m, "drills").Run())
}

func serve(args []string) error {
	fs := flag.NewFlagSet("mongod", flag.ContinueOnError)
	dir, addr := fs.String("data", "", ""), fs.String("addr", "", "")
	if err := fs.Parse(args); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := mongod.New(mongod.Options{Dir: *dir, Addr: *addr, Logger: zerolog.New(os.Stderr), Asked: asked.Recorder()})
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		return err
	}
	<-ctx.Done()
	return s.Stop(context.WithoutCancel(ctx))
}

// TestDrills runs the drills of mongod that are quick; `make drills-backends` runs all of them, with more rounds.
func TestDrills(t *testing.T) {
	quick := map[string]bool{"kill-mongod": true, "size-limit": true, "bad-bytes": true, "increments": true, "claims": true, "versions": true}
	for _, d := range drills() {
		if !quick[d.name] {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			result, err := d.run(ctx, &env{bin: os.Args[0], dir: t.TempDir(), rounds: 1})
			if err != nil {
				t.Fatal(err)
			}
			t.Log(result)
		})
	}
}
