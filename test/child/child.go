// Package child runs the backends of the kreislauf binary as processes of their own, for drills and measurements: started on a free port,
// killed, started again at the same address.
package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a backend as its own process.
type Process struct {
	Addr    string
	Started time.Duration // from the start until it accepted connections
	Argv    []string
	Log     string // file that its output is appended to
	cmd     *exec.Cmd
}

// Backend describes `kreislauf <name>` on a free port, not yet started.
func Backend(bin, name, dir string) (*Process, error) {
	addr, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	return &Process{Addr: addr, Argv: []string{bin, name, "-data", dir, "-addr", addr}, Log: filepath.Clean(dir) + ".log"}, nil
}

// FreeAddr is an address on loopback that nobody listens on.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// Start runs the process and waits until it accepts connections. The process ends with ctx.
func (p *Process) Start(ctx context.Context) error {
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer log.Close() // the process has its own descriptor
	p.cmd = exec.CommandContext(ctx, p.Argv[0], p.Argv[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Argv[0], err)
	}
	for {
		conn, err := net.DialTimeout("tcp", p.Addr, time.Second)
		if err == nil {
			p.Started = time.Since(began)
			return conn.Close()
		}
		if time.Since(began) > time.Minute || ctx.Err() != nil {
			return errors.Join(fmt.Errorf("%s did not listen on %s (its output is in %s): %w", p.Argv[0], p.Addr, p.Log, err), p.Stop(syscall.SIGKILL))
		}
		time.Sleep(time.Millisecond)
	}
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Stop ends the process with a signal and waits for it.
func (p *Process) Stop(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("signal: %w", err)
	}
	if err := p.cmd.Wait(); err != nil && sig != syscall.SIGKILL {
		return fmt.Errorf("%s: %w", p.Argv[0], err)
	}
	return nil
}

// Memory is the resident set of the process and the part of it that is not mapped from files, in MB.
func (p *Process) Memory() (resident, own float64, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", p.PID()))
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
