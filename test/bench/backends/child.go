package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// child is a backend as its own process.
type child struct {
	cmd   *exec.Cmd
	addr  string
	start time.Duration // until it accepted connections
}

// launch runs `kreislauf <name>` on a free port and waits until it accepts connections.
func launch(ctx context.Context, bin, name, dir string) (*child, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	c := &child{addr: l.Addr().String()}
	if err := l.Close(); err != nil {
		return nil, err
	}
	c.cmd = exec.CommandContext(ctx, bin, name, "-data", dir, "-addr", c.addr)
	c.cmd.Stderr = os.Stderr
	began := time.Now()
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	for {
		conn, err := net.DialTimeout("tcp", c.addr, time.Second)
		if err == nil {
			c.start = time.Since(began)
			return c, conn.Close()
		}
		if time.Since(began) > time.Minute || ctx.Err() != nil {
			return nil, errors.Join(fmt.Errorf("%s did not listen on %s: %w", name, c.addr, err), c.stop(syscall.SIGKILL))
		}
		time.Sleep(time.Millisecond)
	}
}

// stop ends the process and waits for it.
func (c *child) stop(sig syscall.Signal) error {
	if err := c.cmd.Process.Signal(sig); err != nil {
		return err
	}
	if err := c.cmd.Wait(); err != nil && sig != syscall.SIGKILL {
		return err
	}
	return nil
}

// memory is the resident set of the process and the part of it that is not the mapped file, in MB.
func (c *child) memory() (resident, own float64, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
		if err != nil {
			continue
		}
		switch name {
		case "VmRSS":
			resident = kb / 1024
		case "RssAnon":
			own = kb / 1024
		}
	}
	return resident, own, nil
}
