package shipper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Options say what a logship does. Binary, LogDir, StateDir and at least one URL are required.
type Options struct {
	// Binary is kreislauf.
	Binary string
	// LogDir is the root of the tree <env>/<customer>/<service>/*.log, StateDir holds checkpoints and dead letters.
	LogDir, StateDir string
	// URLs are the targets, each with everything.
	URLs []string
	// GeoDir holds the geo databases, or is empty.
	GeoDir string
	// Gzip is the level of compression, 0 for none.
	Gzip int
	// UserAgent says that user agents are parsed.
	UserAgent bool
	// Env is the environment of the process beside what the options say, such as GODEBUG=….
	Env []string
	// FileLimit is the largest file that the process may write (RLIMIT_FSIZE) in bytes; 0: no limit.
	FileLimit int64
	// Log gets what the process says. It may be nil.
	Log io.Writer
}

// Process is a running logship.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start runs a logship.
func Start(o Options) (*Process, error) {
	args, env, err := o.command()
	if err != nil {
		return nil, err
	}
	return StartCommand(args, append(env, o.Env...), o.Log)
}

// StartCommand runs any shipper as a child that is killed when this process dies.
func StartCommand(args, env []string, log io.Writer) (*Process, error) {
	p := &Process{cmd: exec.Command(args[0], args[1:]...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(args[0]), err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// command renders the command line and the environment of the options.
func (o *Options) command() (args, env []string, err error) {
	if len(o.URLs) != 1 || o.Gzip != 0 || o.UserAgent {
		return nil, nil, errors.New("this kreislauf has one target, no gzip and no user agents")
	}
	args = []string{o.Binary, "logship"}
	if o.FileLimit > 0 {
		args = append([]string{"prlimit", "--fsize=" + strconv.FormatInt(o.FileLimit, 10)}, args...)
	}
	return args, []string{
		"KREISLAUF_SHIP_DIR=" + o.LogDir, "KREISLAUF_LOGSHIP_STATE_DIR=" + o.StateDir, "KREISLAUF_GEO_DIR=" + o.GeoDir,
		"KREISLAUF_ELASTICSEARCH_URL=" + o.URLs[0], "KREISLAUF_INSTANCE=logship-1", "KREISLAUF_LOG_DIR=",
	}, nil
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the process with SIGKILL and waits for it.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
}

// Stop asks the process to end with SIGTERM and waits; after limit it is killed, which is an error.
func (p *Process) Stop(limit time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.done:
		return p.err
	case <-time.After(limit):
		p.Kill()
		return fmt.Errorf("the shipper did not end within %v of SIGTERM", limit)
	}
}

// CPU is the user and system time the process has used; it must have ended.
func (p *Process) CPU() (user, system time.Duration) {
	return p.cmd.ProcessState.UserTime(), p.cmd.ProcessState.SystemTime()
}
