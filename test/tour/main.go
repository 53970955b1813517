// Command tour walks through the tour of the README as a newcomer does: it takes the commands from the page itself, runs them in order in
// one shell against a platform of its own on free ports in a temporary folder, and fails where one does not do what is printed beneath it.
//
// Of the page's commands two things are replaced, because the platform stands elsewhere: the addresses of the entry and of Elasticsearch,
// and the data folder (.kreislauf/, and KREISLAUF_DATA for bin/kreislauf). Blocks that sleep for a minute or more are left out without -slow.
// How a block is written: see page.go. What its commands print is awaited as a patient person would: see shell.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"kreislauf/test/platform"
)

type options struct {
	bin, web, page string
	slow, keep     bool
	limit          time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin/kreislauf", "the binary; the page calls bin/kreislauf, so the tour runs in the folder above it")
	flag.StringVar(&o.web, "web", "web/dist", "the built web app")
	flag.StringVar(&o.page, "page", "README.md", "the page")
	flag.BoolVar(&o.slow, "slow", false, "also the blocks that wait for minutes")
	flag.BoolVar(&o.keep, "keep", false, "keep the data folder")
	flag.DurationVar(&o.limit, "limit", 20*time.Minute, "give up after")
	flag.Parse()
	passed, ran, err := run(o)
	if err != nil {
		fmt.Println("tour: FAILED:", err)
	}
	fmt.Printf("tour: %d of %d blocks passed\n", passed, ran)
	if err != nil {
		os.Exit(1)
	}
}

func run(o options) (passed, ran int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), o.limit)
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	text, err := os.ReadFile(o.page)
	if err != nil {
		return 0, 0, err
	}
	blocks, err := readTour(string(text))
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", o.page, err)
	}
	dir, err := os.MkdirTemp("", "kreislauf-tour-")
	if err != nil {
		return 0, 0, err
	}
	p, err := platform.Start(ctx, platform.Options{Bin: o.bin, Web: o.web, Dir: dir, Out: os.Stdout})
	if err != nil {
		return 0, 0, err
	}
	defer func() {
		if serr := p.Stop(); serr != nil {
			err = errors.Join(err, serr)
		}
		if o.keep || err != nil {
			fmt.Println("tour: data and logs are kept in", dir)
		} else {
			err = os.RemoveAll(dir)
		}
	}()
	info, err := p.AwaitUp(ctx)
	if err != nil {
		return 0, 0, err
	}
	here := strings.NewReplacer("http://127.0.0.1:8080", info.Entry, "http://127.0.0.1:19200", info.Elastic, ".kreislauf/", dir+"/")
	root := filepath.Dir(filepath.Dir(filepath.Clean(o.bin)))
	sh, err := startShell(ctx, root, append(os.Environ(), "KREISLAUF_DATA="+dir))
	if err != nil {
		return 0, 0, err
	}
	defer sh.stop()
	var failed, left []string
	for _, b := range blocks {
		if b.slow() && !o.slow {
			left = append(left, b.String())
			continue
		}
		ran++
		began := time.Now()
		if err := sh.walk(ctx, b, here); err != nil {
			failed = append(failed, b.String())
			fmt.Printf("tour: FAILED  %s\n%v\n", b, err)
			continue
		}
		passed++
		fmt.Printf("tour: passed  %s, %.1f s\n", b, time.Since(began).Seconds())
	}
	for _, b := range left {
		fmt.Printf("tour: left out  %s: it waits for minutes; ARGS=-slow runs it\n", b)
	}
	if len(failed) > 0 {
		return passed, ran, fmt.Errorf("%s does not do what it says: %s", o.page, strings.Join(failed, "; "))
	}
	return passed, ran, nil
}
