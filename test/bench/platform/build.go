package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// build is one binary under measurement.
type build struct {
	Name   string      `json:"name"` // short commit; with + when the worktree had changes
	Commit string      `json:"commit"`
	Rounds [][]measure `json:"rounds"`
	bin    string
}

func git(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
	}
	return strings.TrimSpace(string(out)), nil
}

// describeToday names the build of the worktree.
func describeToday(ctx context.Context, bin string) (build, error) {
	path, err := filepath.Abs(bin)
	if err != nil {
		return build{}, err
	}
	if _, err := os.Stat(path); err != nil {
		return build{}, fmt.Errorf("find the build: %w; `make build` makes it", err)
	}
	commit, err := git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return build{}, err
	}
	changed, err := git(ctx, "status", "--porcelain", "--untracked-files=no")
	if err != nil {
		return build{}, err
	}
	name := commit[:7]
	if changed != "" {
		name += "+"
	}
	return build{Name: name, Commit: commit, bin: path}, nil
}

// buildBase builds a commit in a worktree of its own, which is removed again; remove deletes the binary.
func buildBase(ctx context.Context, rev string) (b build, remove func(), err error) {
	commit, err := git(ctx, "rev-parse", "--verify", rev+"^{commit}")
	if err != nil {
		return b, nil, err
	}
	dir, err := os.MkdirTemp("", "kreislauf-base-")
	if err != nil {
		return b, nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) } // a temporary folder that stays does no harm
	defer func() {
		if err != nil {
			remove()
		}
	}()
	tree := filepath.Join(dir, "tree")
	if _, err := git(ctx, "worktree", "add", "--detach", tree, commit); err != nil {
		return b, nil, err
	}
	defer func() {
		if _, rerr := git(context.WithoutCancel(ctx), "worktree", "remove", "--force", tree); rerr != nil && err == nil {
			err = rerr
		}
	}()
	fmt.Fprintf(os.Stderr, "building %s\n", commit[:7])
	b = build{Name: commit[:7], Commit: commit, bin: filepath.Join(dir, "kreislauf")}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", b.bin, "./cmd/kreislauf")
	cmd.Dir = tree
	if out, err := cmd.CombinedOutput(); err != nil {
		return b, nil, fmt.Errorf("build %s: %w: %s", b.Name, err, out)
	}
	return b, remove, nil
}
