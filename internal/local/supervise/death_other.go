//go:build !linux

package supervise

import (
	"os/exec"
	"syscall"
)

// dieWithParent keeps a terminal's Ctrl-C from reaching the child. Only Linux can end it with its supervisor.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
