package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// patience is how long a command is asked again until it prints what it should: an event needs a moment to its mail, a line to the search.
	patience = time.Minute
	pause    = 300 * time.Millisecond
	// longest is how long a command may take beyond what it sleeps.
	longest = 2 * time.Minute
)

// acts finds commands that change something. They run once; what only asks is repeated.
var acts = regexp.MustCompile(`(?m)(?:^|[\s(;|&])(?:post|order|kill|load|POST)\s`)

// shell is one bash for the whole tour, so that variables and functions stay.
type shell struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  chan string // of standard output and error; closed by the reader at its end
	script string      // file that the commands of a step are read from
	mark   string      // what no command prints
}

// startShell starts bash in a folder. It ends with ctx.
func startShell(ctx context.Context, dir string, env []string) (*shell, error) {
	folder, err := os.MkdirTemp("", "kreislauf-tour-shell-")
	if err != nil {
		return nil, err
	}
	s := &shell{cmd: exec.CommandContext(ctx, "bash", "--noprofile", "--norc"), lines: make(chan string), script: filepath.Join(folder, "step"), mark: rand.Text()}
	s.cmd.Dir, s.cmd.Env = dir, append(env, "TMPDIR="+folder)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.cmd.Cancel = func() error { return syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) } // with the command that runs
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.cmd.Stderr = s.cmd.Stdout
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start bash: %w", err)
	}
	go func() {
		defer close(s.lines)
		for r := bufio.NewReader(out); ; {
			line, err := r.ReadString('\n')
			if line != "" {
				s.lines <- line
			}
			if err != nil {
				return
			}
		}
	}()
	return s, nil
}

// stop ends the shell and whatever it still runs.
func (s *shell) stop() {
	_ = s.cmd.Cancel() // it may have ended
	for range s.lines {
	}
	_ = s.cmd.Wait() // killed
	_ = os.RemoveAll(filepath.Dir(s.script))
}

// walk runs the steps of a block until one fails. here replaces what is elsewhere on this platform.
func (s *shell) walk(ctx context.Context, b block, here *strings.Replacer) error {
	for _, st := range b.steps {
		if err := s.step(ctx, step{st.line, here.Replace(st.code), st.want}, longest+b.waits()); err != nil {
			return fmt.Errorf("line %d:\n%s%w", st.line, indented(st.code), err)
		}
	}
	return nil
}

// step runs commands, again and again for a while if they only ask, until they print what is wanted.
func (s *shell) step(ctx context.Context, st step, within time.Duration) error {
	var deadline time.Time // from the end of the first try
	for {
		output, status, err := s.run(ctx, st.code, within)
		if deadline.IsZero() {
			deadline = time.Now().Add(patience)
		}
		if err != nil {
			return fmt.Errorf("%w; it printed:\n%s", err, indented(output))
		}
		lacks := missing(st.want, output)
		if status == 0 && lacks == "" {
			return nil
		}
		if acts.MatchString(st.code) || time.Now().After(deadline) {
			if status != 0 {
				return fmt.Errorf("ended with status %d; it printed:\n%s", status, indented(output))
			}
			return fmt.Errorf("should print: %s\nit printed:\n%s", lacks, indented(output))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// run runs commands in the shell and gives what they print, and the status of the last one.
func (s *shell) run(ctx context.Context, code string, within time.Duration) (output string, status int, err error) {
	if err := os.WriteFile(s.script, []byte(code), 0o600); err != nil {
		return "", 0, err
	}
	if _, err := fmt.Fprintf(s.in, "source %s </dev/null; printf '\\n%s %%s\\n' $?\n", s.script, s.mark); err != nil {
		return "", 0, fmt.Errorf("write to bash: %w", err)
	}
	limit := time.NewTimer(within)
	defer limit.Stop()
	var b strings.Builder
	for {
		select {
		case line, more := <-s.lines:
			if !more {
				return b.String(), 0, errors.New("the shell ended")
			}
			if rest, done := strings.CutPrefix(line, s.mark+" "); done {
				status, err = strconv.Atoi(strings.TrimSpace(rest))
				return b.String(), status, err
			}
			b.WriteString(line)
		case <-limit.C:
			return b.String(), 0, errors.Join(fmt.Errorf("did not end within %s", within), s.cmd.Cancel())
		case <-ctx.Done():
			return b.String(), 0, ctx.Err()
		}
	}
}

// indented is what somebody else wrote, set off; of much the beginning and the end.
func indented(text string) string {
	const most = 4000
	if text = strings.TrimSpace(text); len(text) > most {
		text = strings.ToValidUTF8(text[:most/2]+"\n…\n"+text[len(text)-most/2:], "")
	}
	return "    " + strings.ReplaceAll(text, "\n", "\n    ") + "\n"
}
