// Command quick is the check to run while working: what is wrong with a change in most cases, in less than a minute when the build
// cache is warm. It looks at format and vet, and runs the tests that say what was forgotten, the tests of changed packages and
// those of the packages that import them. It names what it leaves out; `make check` runs everything.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	base := flag.String("base", "", "compare with this commit instead of the merge base with origin/main or main")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, *base); err != nil {
		fmt.Fprintln(os.Stderr, "quick: FAILED:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, base string) error {
	began := time.Now()
	base, files, err := changes(ctx, base)
	if err != nil {
		return err
	}
	list, err := packages(ctx)
	if err != nil {
		return err
	}
	p := plan(list, files)
	fmt.Printf("quick: %d files changed since %s, in %d packages\n", len(files), base, len(p.changed))
	var failed []error
	for _, s := range p.steps() {
		start := time.Now()
		err := s.run(ctx)
		fmt.Printf("%s: %s after %.1f s\n", s.name, outcome(err), time.Since(start).Seconds())
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", s.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	for _, s := range p.skipped {
		fmt.Println("not run:", s)
	}
	fmt.Printf("quick: %.0f s; make check runs everything\n", time.Since(began).Seconds())
	return errors.Join(failed...)
}

func outcome(err error) string {
	if err != nil {
		return "FAILED"
	}
	return "ok"
}

// step is one command; it does not run without arguments. Output that is not wanted fails it.
type step struct {
	name    string
	command []string
	args    []string
	silent  bool // what it prints is what is wrong
}

func (s step) run(ctx context.Context) error {
	if len(s.args) == 0 {
		return nil
	}
	cmd := exec.CommandContext(ctx, s.command[0], slices.Concat(s.command[1:], s.args)...)
	out, err := cmd.CombinedOutput()
	os.Stdout.Write(out)
	if err == nil && s.silent && len(out) > 0 {
		return errors.New("see above; go tool gofumpt -w mends it")
	}
	return err
}

// steps puts first what fails fastest. The tests are one command, so that packages are compiled and tested side by side.
func (p planned) steps() []step {
	return []step{
		{"format", []string{"go", "tool", "gofumpt", "-l"}, p.goFiles, true},
		{"vet", []string{"go", "vet"}, p.changed, false},
		{"tests", []string{"go", "test"}, slices.Concat(rules(), p.tested), false},
	}
}

// git gives the lines that a git command prints.
func git(ctx context.Context, args ...string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.Fields(string(out)), nil
}

// changes lists the files that differ from base, with those that git does not know yet. Without a base it is the merge base with
// origin/main, or with main where there is no such remote.
func changes(ctx context.Context, base string) (string, []string, error) {
	for _, main := range []string{"origin/main", "main", "HEAD"} {
		if base != "" {
			break
		}
		if commit, err := git(ctx, "merge-base", "HEAD", main); err == nil {
			base = commit[0][:12]
		}
	}
	tracked, err := git(ctx, "diff", "--name-only", base)
	if err != nil {
		return base, nil, err
	}
	fresh, err := git(ctx, "ls-files", "--others", "--exclude-standard")
	return base, append(tracked, fresh...), err
}
