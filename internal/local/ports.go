package local

import (
	"fmt"
	"net"
	"strconv"
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
		return fmt.Errorf("port %s (%s) cannot be used: %w; stop what uses it, or move it with -%s", port, addr, err, flagName)
	}
	return l.Close()
}
