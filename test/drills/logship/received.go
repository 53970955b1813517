package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// message is an event as a message of syslog that is counted.
func message(text []byte) []byte {
	m := fmt.Appendf(nil, "<14>Nov 22 18:23:30 web1 order[7]: %s", bytes.TrimSuffix(text, []byte{'\n'}))
	return append(fmt.Appendf(nil, "%d ", len(m)), m...)
}

// freeAddress returns an address on which nobody listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// dial connects as soon as logship listens.
func (d *drill) dial(network, address string) (conn net.Conn, err error) {
	err = d.until("logship listens on "+address, func() bool {
		conn, err = net.Dial(network, address)
		return err == nil
	})
	return conn, err
}

// senders lets n senders write their events at the same time, and returns when all are rid of them.
func (d *drill) senders(n, events int, network, address string, write func(net.Conn, []byte) error) error {
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		texts := make([][]byte, events)
		for j := range texts {
			texts[j] = d.next(1)
		}
		conn, err := d.dial(network, address)
		if err != nil {
			return err
		}
		all.Go(func() {
			for _, text := range texts {
				if errs[i] = write(conn, text); errs[i] != nil {
					break
				}
			}
			errs[i] = errors.Join(errs[i], conn.Close())
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func writeCounted(conn net.Conn, text []byte) error {
	_, err := conn.Write(message(text))
	return err
}

func (d *drill) kept() (size int64) {
	found, err := filepath.Glob(filepath.Join(d.state, "received", "*", "*", "lines"))
	if err != nil {
		return 0
	}
	for _, path := range found {
		if info, err := os.Stat(path); err == nil { // else it was removed meanwhile
			size += info.Size()
		}
	}
	return size
}

// keptFrom counts the events from a number on that are in segments.
func (d *drill) keptFrom(first int) (n int) {
	found, err := filepath.Glob(filepath.Join(d.state, "received", "*", "*", "lines"))
	if err != nil {
		return 0
	}
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it was removed meanwhile
		}
		for line := range bytes.Lines(text) {
			if number(line) >= first {
				n++
			}
		}
	}
	return n
}

// syslogTCP lets senders write while the sink is down, and ends logship before it is back.
func syslogTCP(d *drill) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	d.inputs = []string{fmt.Sprintf("{type: syslog, receive: [%q]}", "tcp://"+address)}
	if err := d.start(); err != nil {
		return err
	}
	n := d.many() / 20
	if err := d.senders(4, n, "tcp", address, writeCounted); err != nil {
		return err
	}
	if err := d.arrived(n); err != nil {
		return err
	}
	d.target.leave()
	if err := d.senders(4, n, "tcp", address, writeCounted); err != nil {
		return err
	}
	if err := d.until("all messages are kept", func() bool { return d.keptFrom(4*n) == d.events-4*n }); err != nil {
		return err
	}
	if err := d.stop(); err != nil {
		return err
	}
	if err := d.target.open(d.target.addr); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	if err := d.all(); err != nil {
		return err
	}
	return d.until("delivered segments are removed", func() bool { return d.kept() == 0 })
}

// syslogLocal uses a local socket of datagrams, whose senders wait where there is no room in the queue of the system.
func syslogLocal(d *drill) error {
	socket := filepath.Join(filepath.Dir(d.logs), "log.sock")
	d.inputs = []string{fmt.Sprintf("{type: syslog, receive: [%q]}", "unixgram://"+socket)}
	if err := d.start(); err != nil {
		return err
	}
	write := func(conn net.Conn, text []byte) error {
		_, err := conn.Write(bytes.SplitN(message(text), []byte{' '}, 2)[1])
		return err
	}
	n := d.many() / 20
	if err := d.senders(3, n, "unixgram", socket, write); err != nil {
		return err
	}
	d.target.leave()
	if err := d.senders(3, n, "unixgram", socket, write); err != nil {
		return err
	}
	time.Sleep(d.opt.outage / 10)
	if err := d.target.open(d.target.addr); err != nil {
		return err
	}
	return d.all()
}

// receivedFull lets senders write more than may wait for delivery: they have to wait until the sink is back.
func receivedFull(d *drill) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	d.inputs = []string{fmt.Sprintf("{type: syslog, receive: [%q], received_bytes: 16MiB}", "tcp://"+address)}
	d.target.leave()
	if err := d.start(); err != nil {
		return err
	}
	pad := bytes.Repeat([]byte{'x'}, 60<<10)
	write := func(conn net.Conn, text []byte) error {
		return writeCounted(conn, append(append(bytes.TrimSuffix(text, []byte("\"}\n")), pad...), `"}`...))
	}
	sent := make(chan error, 1)
	go func() { sent <- d.senders(2, 250, "tcp", address, write) }() // 30 MB
	if err := d.until("the limit is near", func() bool { return d.kept() > 15<<20 }); err != nil {
		return err
	}
	select {
	case err := <-sent:
		return fmt.Errorf("the senders did not have to wait: %w", err)
	case <-time.After(time.Second):
	}
	if kept := d.kept(); kept > 16<<20 {
		return fmt.Errorf("%d bytes are kept, more than received_bytes", kept)
	}
	if err := d.target.open(d.target.addr); err != nil {
		return err
	}
	if err := <-sent; err != nil {
		return err
	}
	return d.all()
}

// standardInput ends by itself when everything is delivered, also when the sink was down when the input ended.
func standardInput(d *drill) error {
	d.inputs = []string{"{type: service, receive: [stdin]}"}
	read, write := io.Pipe()
	d.stdin = read
	d.target.leave()
	if err := d.start(); err != nil {
		return err
	}
	text := d.next(d.many() / 2)
	if _, err := write.Write(text); err != nil {
		return fmt.Errorf("write to standard input: %w", err)
	}
	if err := write.Close(); err != nil {
		return fmt.Errorf("end standard input: %w", err)
	}
	if err := d.until("everything is kept", func() bool { return d.kept() == int64(len(text)) }); err != nil {
		return err
	}
	if err := d.target.open(d.target.addr); err != nil {
		return err
	}
	select {
	case <-d.proc.Done():
	case <-time.After(patience):
		return errors.New("logship does not end after its standard input")
	}
	if got := d.target.stored(); got != d.events {
		return fmt.Errorf("logship ended when %d of %d events were stored", got, d.events)
	}
	return nil
}

// journalctl stands for the command: it knows --after-cursor, and follows a file of entries by looking again.
const journalctl = `#!/bin/sh
after=0
for a in "$@"; do case $a in --after-cursor=*) after=${a#--after-cursor=c};; esac; done
while :; do
  total=$(wc -l < "$JOURNAL_ENTRIES")
  if [ "$total" -gt "$after" ]; then sed -n "$((after+1)),${total}p" "$JOURNAL_ENTRIES" || exit 1; after=$total; fi
  sleep 0.05
done
`

// journal is followed from behind the last entry that was kept, wherever the kill came. The command is a stand-in.
func journal(d *drill) error {
	bin, entries := filepath.Join(filepath.Dir(d.logs), "bin"), filepath.Join(filepath.Dir(d.logs), "entries")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(bin, "journalctl"), []byte(journalctl), 0o700); err != nil {
		return fmt.Errorf("write journalctl: %w", err)
	}
	d.env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "JOURNAL_ENTRIES=" + entries}
	d.inputs = []string{"{type: journal, receive: [journalctl]}"}
	write := func(n int) error {
		var out []byte
		for range n {
			text := bytes.TrimSuffix(d.next(1), []byte{'\n'})
			out = fmt.Appendf(out, `{"__CURSOR":"c%d","__REALTIME_TIMESTAMP":"%d","MESSAGE":%q,"PRIORITY":"6","SYSLOG_IDENTIFIER":"order","_PID":"7"}`+"\n",
				d.events, 1763835810000000+d.events, text) // the cursor is the number of the line
		}
		return appendTo(entries, out)
	}
	n := d.many() / 20
	if err := write(n); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	for i := 1; i <= 3; i++ {
		if err := d.arrived(d.events - n/2); err != nil {
			return err
		}
		d.kill()
		if err := write(n); err != nil {
			return err
		}
		if err := d.start(); err != nil {
			return err
		}
	}
	return d.all()
}
