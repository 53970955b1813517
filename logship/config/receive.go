package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"path/filepath"
	"strings"
)

// The sources of lines that are no addresses.
const (
	Stdin      = "stdin"      // standard input of logship
	Journalctl = "journalctl" // the journal of this machine, by the command of that name
)

// Source is where an input receives lines from.
type Source struct {
	Network string // Stdin, Journalctl, or a network of package net: udp, tcp, unix, unixgram
	Address string // host:port, or the path of a socket; empty of the first two
}

// ParseSource reads one value of receive.
func ParseSource(text string) (Source, error) {
	if text == Stdin || text == Journalctl {
		return Source{Network: text}, nil
	}
	network, address, found := strings.Cut(text, "://")
	switch {
	case !found:
	case network == "udp" || network == "tcp":
		if _, port, err := net.SplitHostPort(address); err == nil && port != "" {
			return Source{network, address}, nil
		}
	case network == "unix" || network == "unixgram":
		if filepath.IsAbs(address) {
			return Source{network, address}, nil
		}
	}
	return Source{}, fmt.Errorf(
		"%q is no source of lines; write stdin, journalctl, udp://127.0.0.1:514, tcp://127.0.0.1:601, unix:///run/x.sock or unixgram:///run/x.sock", text)
}

// ReceivedDir returns the folder in which the lines of an input are kept until they are delivered, each segment in a folder of its own.
// It follows from what is received, so that it stays when other inputs come and go.
func (c *Config) ReceivedDir(in *Input) string {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{string(in.Type)}, in.Receive...), "\n")))
	return filepath.Join(string(c.StateDir), "received", string(in.Type)+"-"+hex.EncodeToString(sum[:4]))
}

// SegmentFile is the name of the file with the lines in the folder of a segment.
const SegmentFile = "lines"
