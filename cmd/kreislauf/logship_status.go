package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"kreislauf/internal/local"
	"kreislauf/logship"
	"kreislauf/logship/config"
)

// showShipping prints how far a running logship is: once, or with -watch again and again in the same place of a terminal.
func showShipping(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("logship status", flag.ContinueOnError)
	addr := fs.String("addr", "", "host:port of a running logship")
	file := fs.String("config", "", "its configuration file, for the key http")
	data := fs.String("data", local.DataFolder(), "data folder of the running platform, when neither -addr nor -config is given")
	watch := fs.Bool("watch", false, "draw it again and again in the same place, until Ctrl-C")
	every := fs.Duration("every", time.Second, "with -watch: time between two pictures")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 || *every <= 0 {
		return errors.New("usage: kreislauf logship status [-addr host:port | -config file | -data folder] [-watch] [-every 1s]")
	}
	at, err := shippingAddress(*addr, *file, *data)
	if err != nil {
		return err
	}
	if !*watch {
		st, err := fetchStatus(ctx, at)
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(logship.Table(st, logship.Status{}, 0))
		return err
	}
	return watchShipping(ctx, os.Stdout, at, *every)
}

// shippingAddress finds the listener of a running logship.
func shippingAddress(addr, file, data string) (string, error) {
	switch {
	case addr != "" && file != "":
		return "", errors.New("-addr and -config exclude each other")
	case addr != "":
		return addr, nil
	case file != "":
		c, err := config.Read(file)
		if err != nil {
			return "", fmt.Errorf("the configuration has mistakes:\n%w", err)
		}
		if c.HTTP == "" {
			return "", fmt.Errorf("%s has no key http, so logship has no listener; set for example http: 127.0.0.1:9600", file)
		}
		return c.HTTP, nil
	}
	r, err := local.FindRunning(data)
	if err != nil {
		return "", err
	}
	if r.Logship == "" {
		return "", fmt.Errorf("run.json in %s does not say where logship listens; give -addr", data)
	}
	return r.Logship, nil
}

func fetchStatus(ctx context.Context, addr string) (logship.Status, error) {
	var st logship.Status
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/status", nil)
	if err != nil {
		return st, fmt.Errorf("ask logship: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return st, fmt.Errorf("ask logship: %w; is it running?", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return st, fmt.Errorf("ask logship: %s answers %s; is that its listener?", addr, res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(&st); err != nil {
		return st, fmt.Errorf("read status of logship: %w", err)
	}
	return st, nil
}

// watchShipping draws the table again and again until ctx ends.
func watchShipping(ctx context.Context, out io.Writer, addr string, every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var last logship.Status
	var lastAt time.Time
	for {
		now := time.Now()
		st, err := fetchStatus(ctx, addr)
		if ctx.Err() != nil {
			return nil
		}
		picture := []byte(fmt.Sprintf("%v\n", err))
		if err == nil {
			picture = logship.Table(st, last, now.Sub(lastAt))
			last, lastAt = st, now
		}
		// Home, every line cleared to its end, the rest of the screen cleared.
		picture = bytes.ReplaceAll(picture, []byte("\n"), []byte("\x1b[K\n"))
		if _, err := fmt.Fprintf(out, "\x1b[H%s\x1b[J", picture); err != nil {
			return fmt.Errorf("print status: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
