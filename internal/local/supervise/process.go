package supervise

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// startProcess starts the component's program. exited gets its end; when ctx ends it is asked to stop, then killed after its grace.
func startProcess(ctx context.Context, m *member, exited chan<- error) (pid int, err error) {
	if err := os.MkdirAll(filepath.Dir(m.Console), 0o750); err != nil {
		return 0, fmt.Errorf("start %s: %w", m.Name, err)
	}
	out, err := os.OpenFile(m.Console, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o640)
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", m.Name, err)
	}
	cmd := exec.CommandContext(ctx, m.Exec[0], m.Exec[1:]...)
	cmd.Env = append(os.Environ(), m.Env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Cancel = func() error {
		sig := m.Signal
		if sig == 0 {
			sig = syscall.SIGTERM
		}
		return cmd.Process.Signal(sig)
	}
	cmd.WaitDelay = m.grace()
	dieWithParent(cmd)
	started := make(chan error, 1) // gets the result of the start
	go func() {
		// The parent-death signal belongs to the thread that started the child, so that thread stays until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			err = cmd.Wait()
			// What the dead one started must not live on: nginx's workers would keep its port.
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // an error says that the group is gone already
			exited <- err
		}
		out.Close()
	}()
	if err := <-started; err != nil {
		return 0, fmt.Errorf("start %s: %w", m.Name, err)
	}
	return cmd.Process.Pid, nil
}

// tail is the end of a console file, for an error message.
func tail(path string) string {
	const limit = 1500
	f, err := os.Open(path)
	if err != nil {
		return "(none)"
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Size() > limit {
		if _, err := f.Seek(-limit, io.SeekEnd); err != nil {
			return "(unreadable)"
		}
	}
	b, err := io.ReadAll(f)
	if err != nil || len(bytes.TrimSpace(b)) == 0 {
		return "(none)"
	}
	return strings.TrimSpace(string(b))
}
