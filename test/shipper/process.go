package shipper

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Options say what a logship does. Binary, StateDir, at least one URL, and LogDir or Inputs are required.
type Options struct {
	// Binary is kreislauf.
	Binary string
	// LogDir is the root of the tree <env>/<customer>/<service>/*.log, StateDir holds checkpoints and dead letters.
	LogDir, StateDir string
	// PodsDir is the folder of container logs as of Kubernetes, or is empty.
	PodsDir string
	// Inputs are further inputs, each as one line of YAML.
	Inputs []string
	// Stdin is what the process reads, or nil.
	Stdin io.Reader
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
	path, err := o.configure()
	if err != nil {
		return nil, err
	}
	return startCommand([]string{o.Binary, "logship", "-config", path}, o.Env, o.Stdin, o.Log)
}

// StartCommand runs any shipper as a child that is killed when this process dies.
func StartCommand(args, env []string, log io.Writer) (*Process, error) {
	return startCommand(args, env, nil, log)
}

func startCommand(args, env []string, stdin io.Reader, log io.Writer) (*Process, error) {
	p := &Process{cmd: exec.Command(args[0], args[1:]...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin, log, log
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

// configure writes the configuration file of the options beside the state folder and returns its path. logship's
// reports about itself are off: they would be documents among those that are counted.
func (o *Options) configure() (string, error) {
	var out strings.Builder
	fmt.Fprintf(&out, "instance: logship-1\nstate_dir: %q\nuser_agent: %v\ninputs:\n", o.StateDir, o.UserAgent)
	for _, in := range o.Inputs {
		fmt.Fprintf(&out, "  - %s\n", in)
	}
	for _, in := range [][2]string{{"nginx_access", "*/*/nginx/access.log"}, {"service", "*/*/*/*.log"}} {
		if o.LogDir == "" {
			break
		}
		fmt.Fprintf(&out, "  - {type: %s, folders: <env>/<customer>/<service>, paths: [%q]}\n", in[0], filepath.Join(o.LogDir, in[1]))
	}
	if o.PodsDir != "" {
		fmt.Fprintf(&out, "  - {type: container, paths: [%q]}\n", filepath.Join(o.PodsDir, "*/*/*.log"))
	}
	if o.GeoDir != "" {
		fmt.Fprintf(&out, "geo: {city_dir: %q}\n", o.GeoDir)
	}
	out.WriteString("targets:\n")
	for i, url := range o.URLs {
		fmt.Fprintf(&out, "  - {name: target-%d, urls: [%q], gzip: %d, check_templates: false, reconcile: 0s, report_interval: 0s}\n", i+1, url, o.Gzip)
	}
	path := o.StateDir + ".yaml"
	if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	return path, nil
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
