package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/mattn/go-isatty"

	"kreislauf/elk/trace"
)

func runTrace(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("trace", flag.ContinueOnError)
	var f elasticFlags
	f.register(fs)
	width := fs.Int("width", 140, "columns")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return errors.New("usage: kreislauf trace [flags] <trace id | order id | request id>")
	}
	client, err := f.living(ctx)
	if err != nil {
		return err
	}
	story, err := settledStory(ctx, client, fs.Arg(0), f.env)
	if err != nil {
		return err
	}
	return story.WriteText(os.Stdout, *width, isatty.IsTerminal(os.Stdout.Fd()))
}

// settledStory fetches a story. One that is still growing, or not there yet, is asked for again for up to settle: lines need a
// moment from the file to the search.
func settledStory(ctx context.Context, client *esapi.API, ref, env string) (trace.Story, error) {
	const settle, pause = 5 * time.Second, 300 * time.Millisecond
	var last trace.Story
	for deadline := time.Now().Add(settle); ; {
		id, err := trace.Resolve(ctx, client, ref)
		if err != nil && (!errors.Is(err, trace.ErrNotFound) || time.Now().After(deadline)) {
			return trace.Story{}, err
		}
		if err == nil {
			story, err := trace.Fetch(ctx, client, id, env)
			if err != nil {
				return trace.Story{}, err
			}
			size := story.Spans + story.Lines + story.Events
			if size > 0 && size == last.Spans+last.Lines+last.Events || time.Now().After(deadline) {
				return story, nil
			}
			last = story
		}
		select {
		case <-ctx.Done():
			return trace.Story{}, ctx.Err()
		case <-time.After(pause):
		}
	}
}
