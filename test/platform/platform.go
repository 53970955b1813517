// Package platform runs the whole platform as its users do, `kreislauf up` of a given binary on free ports, and measures its processes:
// for the smoke test, the drills and the measurements, of today's build or of an older one.
//
// Invariants: a Platform owns its process and its data folder, no other; Stop ends the first and leaves the second. What is known of a
// running platform comes from run.json and from /proc.
package platform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"kreislauf/internal/local"
)

// Options of Start.
type Options struct {
	Bin     string    // the binary
	Web     string    // the built web app
	Dir     string    // data folder
	Compact bool      // with -compact
	Real    bool      // with -real
	Out     io.Writer // of its output; nil = nowhere
}

// Platform is a running `kreislauf up`.
type Platform struct {
	Bin   string
	Dir   string
	Began time.Time // when it was started
	cmd   *exec.Cmd
	done  chan error // gets the end of the process
}

// Start runs `kreislauf up`. When ctx ends, the platform is asked to end.
func Start(ctx context.Context, o Options) (*Platform, error) {
	args := []string{"up", "-data", o.Dir, "-free-ports", "-web", o.Web}
	if o.Real {
		args = append(args, "-real")
	}
	if o.Compact {
		args = append(args, "-compact")
	}
	cmd := exec.CommandContext(ctx, o.Bin, args...)
	cmd.Stdout, cmd.Stderr = o.Out, o.Out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	p := &Platform{Bin: o.Bin, Dir: o.Dir, cmd: cmd, Began: time.Now(), done: make(chan error, 1)}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Bin, err)
	}
	go func() { p.done <- cmd.Wait() }()
	return p, nil
}

// AwaitUp waits until everything is ready.
func (p *Platform) AwaitUp(ctx context.Context) (local.Running, error) {
	for {
		if info, err := p.Info(); err == nil {
			return info, nil
		}
		select {
		case err := <-p.done:
			p.done <- err // for Stop
			return local.Running{}, fmt.Errorf("the platform ended: %w", errors.Join(err, errors.New("it was not up yet")))
		case <-ctx.Done():
			return local.Running{}, errors.New("the platform did not come up in time")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Info reads run.json, which is there as long as everything is up.
func (p *Platform) Info() (local.Running, error) { return local.FindRunning(p.Dir) }

// Stop asks the platform to end and waits for it.
func (p *Platform) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the platform: %w", err)
	}
	select {
	case err := <-p.done:
		return err
	case <-time.After(time.Minute):
		return errors.New("the platform did not stop within a minute")
	}
}
