package supervise

import (
	"os/exec"
	"syscall"
)

// dieWithParent asks the kernel to end the child when its supervisor dies, and keeps a terminal's Ctrl-C from reaching it:
// the supervisor stops its children in order.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
}
