package local

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/prometheus/procfs"
)

// ports hands out addresses: counting from the base, or free ones.
type ports struct {
	next int
	free bool
	held []net.Listener // of free ports, until all are chosen, so that none is given twice
}

func (p *ports) take() (string, error) {
	if !p.free {
		p.next++
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.next-1)), nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	p.held = append(p.held, l)
	return l.Addr().String(), nil
}

func (p *ports) release() {
	for _, l := range p.held {
		l.Close()
	}
	p.held = nil
}

// checkFree says which flag moves an address that is taken.
func checkFree(addr, flagName string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		_, port, _ := net.SplitHostPort(addr)
		who := ""
		if errors.Is(err, syscall.EADDRINUSE) {
			who = holder(port)
		}
		return fmt.Errorf("port %s (%s) cannot be used: %w%s; stop what uses it, or move it with -%s", port, addr, err, who, flagName)
	}
	return l.Close()
}

// holder says in words which process listens on a TCP port, as far as /proc tells it to this user; else it is empty.
func holder(port string) string {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return ""
	}
	sockets := map[string]bool{}
	four, _ := proc.NetTCP()
	six, _ := proc.NetTCP6() // what cannot be read is not looked at
	for _, s := range append(four, six...) {
		if s.St == tcpListen && strconv.FormatUint(s.LocalPort, 10) == port {
			sockets["socket:["+strconv.FormatUint(s.Inode, 10)+"]"] = true
		}
	}
	if len(sockets) == 0 {
		return ""
	}
	all, err := proc.AllProcs()
	if err != nil {
		return ""
	}
	for _, p := range all {
		targets, err := p.FileDescriptorTargets()
		if err != nil { // somebody else's, or ended
			continue
		}
		for _, t := range targets {
			if sockets[t] {
				name, err := p.Comm()
				if err != nil {
					return ""
				}
				return fmt.Sprintf(" by %s (pid %d)", name, p.PID)
			}
		}
	}
	return " by a process of another user"
}

// tcpListen is the state of a listening socket in /proc/net/tcp.
const tcpListen = 10
