package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"kreislauf/internal/local"
	"kreislauf/internal/local/supervise"
	up "kreislauf/test/platform"
)

// platform is a running `kreislauf up`.
type platform struct {
	*up.Platform
	info local.Running // as it was at the start
}

func (p *platform) component(name string) (supervise.Status, error) {
	now, err := p.Info()
	if err != nil {
		return supervise.Status{}, err
	}
	for _, c := range now.Components {
		if c.Name == name {
			return c, nil
		}
	}
	return supervise.Status{}, fmt.Errorf("there is no %s in run.json", name)
}

// workers lists nginx's worker processes.
func (p *platform) workers() ([]int, error) {
	c, err := p.component("nginx")
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", c.PID, c.PID))
	if err != nil {
		return nil, fmt.Errorf("list nginx's workers: %w", err)
	}
	var list []int
	for _, f := range strings.Fields(string(b)) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			return nil, fmt.Errorf("list nginx's workers: %w", err)
		}
		title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && strings.HasPrefix(string(title), "nginx: worker process") && !strings.Contains(string(title), "shutting down") {
			list = append(list, pid)
		}
	}
	return list, nil
}

// sockets counts a process's sockets: of two workers, the one with more serves more customers.
func sockets(pid int) int {
	n := 0
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid)) // the pattern is well formed
	for _, f := range files {
		if to, err := os.Readlink(f); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// balanced says whether nginx's configuration still lists an address.
func (p *platform) balanced(addr string) (bool, error) {
	b, err := os.ReadFile(filepath.Join(p.Dir, "nginx", "nginx.conf"))
	return strings.Contains(string(b), "server "+addr+" "), err
}

// gone says whether a process has ended.
func gone(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(b), ") Z ")
}

// until waits for a condition that comes true by itself.
func until(ctx context.Context, within time.Duration, what string, ok func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var last error
	for {
		yes, err := ok()
		if yes {
			return nil
		}
		last = err
		select {
		case <-ctx.Done():
			return fmt.Errorf("not in %v: %s (last error: %v)", within, what, last)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
