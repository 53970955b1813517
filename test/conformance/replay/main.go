// Command replay runs the conformance suite on a server, or records its answers.
//
//	go run ./test/conformance/replay                 on an engine of its own
//	CONFORMANCE_URL=http://… go run …/replay         on that server
//	CONFORMANCE_URL=http://… go run …/replay -record writes the golden files from OpenSearch
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/engine"
	"kreislauf/test/conformance"
)

func main() {
	record := flag.String("record", "", "write the answers of CONFORMANCE_URL below this folder, test/conformance/testdata")
	flag.Parse()
	if err := run(context.Background(), os.Getenv("CONFORMANCE_URL"), *record); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url, record string) error {
	isEngine := url == ""
	if record != "" && isEngine {
		return fmt.Errorf("set CONFORMANCE_URL to the address of the server to record")
	}
	if isEngine {
		dir, err := os.MkdirTemp("", "conformance")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		srv, err := engine.New(engine.Options{Dir: dir, Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
		if err != nil {
			return err
		}
		if err := srv.Start(); err != nil {
			return err
		}
		defer func() { _ = srv.Stop(ctx) }()
		url = "http://" + srv.Addr()
	}
	s, err := conformance.Connect(ctx, url)
	if err != nil {
		return err
	}
	if record != "" {
		n, err := conformance.Record(ctx, s, record)
		fmt.Printf("recorded %d answers of %s\n", n, url)
		return err
	}
	r, err := conformance.Replay(ctx, s, isEngine)
	if err != nil {
		return err
	}
	for _, f := range r.Failures {
		fmt.Printf("FAIL %s: %s\n%s\n", f.File, f.Case, f.Problem)
	}
	fmt.Printf("%d of the passed answers are listed differences\n", r.Different)
	fmt.Printf("conformance: %d passed, %d failed\n", r.Passed, len(r.Failures))
	if len(r.Failures) > 0 {
		return fmt.Errorf("%d cases failed", len(r.Failures))
	}
	return nil
}
