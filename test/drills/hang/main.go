// Command hang stops processes of a running platform as a debugger would (SIGSTOP): they keep their connections and answer nothing.
// Customers order all the while. Each drill stops one kind of process and demands what docs/architecture.md promises:
//
//   - no request takes longer than 2 s because of it, and what fails is a 503 with Retry-After, or a connection that ended;
//   - of a service with several instances, and of what ordering does not need, no request fails at all;
//   - an instance gets no requests after 5 s and is replaced after 15 s; a backend is replaced after 5 s;
//   - every acknowledged order is there once, is matched, and its event is one document;
//   - Elasticsearch has the document of the event process.hung, and a rule alerts on it.
//
// It ends with "drill-hang: N passed, M failed" and exits with 1 when one failed. -only names drills, -list lists them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	up "kreislauf/test/platform"
)

// What is promised.
const (
	longestRequest  = 2 * time.Second
	outWithin       = 5 * time.Second
	replacedWithin  = 15 * time.Second
	backendReplaced = 5 * time.Second
)

// target is what a drill stops.
type target struct {
	name     string // of a component; "nginx-worker" is a process below nginx
	fails    failures
	replaced time.Duration
}

// failures says which failed requests a drill allows.
type failures int

const (
	nothing     failures = iota // nobody notices
	unavailable                 // 503 with Retry-After
	connections                 // connections to what was killed end without an answer
)

func targets() []target {
	return []target{
		{"identity-1", nothing, replacedWithin},
		{"pricing-2", nothing, replacedWithin},
		{"order-2", nothing, replacedWithin},
		{"matching-1", nothing, replacedWithin},
		{"statistics-1", unavailable, replacedWithin}, // there is one
		{"nginx-worker", connections, replacedWithin},
		{"nginx", connections, replacedWithin},
		{"redis", unavailable, backendReplaced},
		{"mongodb", unavailable, backendReplaced},
		{"kafka", nothing, backendReplaced},
		{"elasticsearch", nothing, backendReplaced},
		{"logship-1", nothing, backendReplaced},
		{"alerter-1", nothing, backendReplaced},
	}
}

// continued is the drill in which nobody replaces the stopped instance, and it is continued later.
const continued = "continued"

func main() {
	bin := flag.String("bin", "bin/kreislauf", "the binary")
	web := flag.String("web", "web/dist", "the built web app")
	only := flag.String("only", "", "names of drills, separated by commas")
	list := flag.Bool("list", false, "list the drills")
	flag.Parse()
	names := []string{continued}
	for _, t := range targets() {
		names = append(names, t.name)
	}
	if *list {
		fmt.Println(strings.Join(names, "\n"))
		return
	}
	chosen := names
	if *only != "" {
		chosen = strings.Split(*only, ",")
		for _, n := range chosen {
			if !slices.Contains(names, n) {
				fmt.Fprintf(os.Stderr, "drill-hang: there is no drill %q; -list lists them\n", n)
				os.Exit(2)
			}
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *bin, *web, chosen); err != nil {
		fmt.Fprintln(os.Stderr, "drill-hang:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin, web string, chosen []string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "kreislauf-hang-")
	if err != nil {
		return err
	}
	console, err := os.Create(filepath.Join(dir, "up.txt"))
	if err != nil {
		return err
	}
	defer console.Close()
	running, err := up.Start(ctx, up.Options{Bin: bin, Web: web, Dir: dir, Out: console})
	if err != nil {
		return err
	}
	p := &platform{Platform: running}
	passed, failed := 0, 0
	defer func() {
		err = errors.Join(err, p.Stop())
		if err != nil || failed > 0 {
			fmt.Println("drill-hang: data and logs are kept in", dir)
		} else {
			err = os.RemoveAll(dir)
		}
		fmt.Printf("drill-hang: %d passed, %d failed\n", passed, failed)
		if err == nil && failed > 0 {
			err = errors.New("not all passed")
		}
	}()
	if p.info, err = p.AwaitUp(ctx); err != nil {
		return err
	}
	var orders []string // acknowledged ones of all drills
	count := func(name string, r result, err error) {
		orders = append(orders, r.orders...)
		if err != nil {
			failed++
			fmt.Printf("FAIL %-14s %v\n     %-14s %s\n", name, err, "", r)
			return
		}
		passed++
		fmt.Printf("ok   %-14s %s\n", name, r)
	}
	for _, t := range targets() {
		if slices.Contains(chosen, t.name) {
			r, err := p.drill(ctx, t)
			count(t.name, r, err)
		}
	}
	if slices.Contains(chosen, continued) {
		r, err := p.drillContinued(ctx)
		count(continued, r, err)
	}
	count("events", result{note: fmt.Sprintf("%d orders, one document order.placed each", len(orders))}, p.awaitEvents(ctx, orders))
	err = until(ctx, 2*time.Minute, "the rule process-hung fires", func() (bool, error) {
		n, err := p.count(ctx, "alerts-kreislauf-"+p.info.Env, map[string]any{"rule.name": "process-hung"})
		return n > 0, err
	})
	count("alert", result{note: "the rule process-hung has fired"}, err)
	return nil
}
