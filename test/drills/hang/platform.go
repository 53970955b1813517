package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kreislauf/internal/local"
	"kreislauf/internal/local/supervise"
)

// platform is a running `kreislauf up`.
type platform struct {
	dir  string
	cmd  *exec.Cmd
	done chan error // gets the end of the process
	info local.Running
}

func start(ctx context.Context, bin, web, dir string) (*platform, error) {
	console, err := os.Create(filepath.Join(dir, "up.txt"))
	if err != nil {
		return nil, err
	}
	defer console.Close() // the process has its own descriptor
	cmd := exec.CommandContext(ctx, bin, "up", "-data", dir, "-free-ports", "-web", web)
	cmd.Stdout, cmd.Stderr = console, console
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for the drill, which stops the platform in order
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	p := &platform{dir: dir, cmd: cmd, done: make(chan error, 1)}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", bin, err)
	}
	go func() { p.done <- cmd.Wait() }()
	return p, nil
}

func (p *platform) awaitUp(ctx context.Context) error {
	return until(ctx, time.Minute, "the platform is up", func() (bool, error) {
		select {
		case err := <-p.done:
			p.done <- err
			return false, fmt.Errorf("the platform ended: %w; its output is in %s", err, filepath.Join(p.dir, "up.txt"))
		default:
			return p.read() == nil, nil
		}
	})
}

func (p *platform) read() error {
	b, err := os.ReadFile(filepath.Join(p.dir, "run.json"))
	if err != nil {
		return err
	}
	return json.Unmarshal(b, &p.info)
}

func (p *platform) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the platform: %w", err)
	}
	return <-p.done
}

func (p *platform) component(name string) (supervise.Status, error) {
	if err := p.read(); err != nil {
		return supervise.Status{}, err
	}
	for _, c := range p.info.Components {
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

// balanced says whether nginx's configuration still lists an address.
func (p *platform) balanced(addr string) (bool, error) {
	b, err := os.ReadFile(filepath.Join(p.dir, "nginx", "nginx.conf"))
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
