package receive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"kreislauf/logship/config"
	"kreislauf/logship/tail"
)

const (
	// connections bounds the senders that are connected to one socket at a time.
	connections = 1024
	// keptOfLine is how much of a line that is too long is kept: enough to see that it was.
	keptOfLine = tail.MaxLine + 1
	// flushBytes is how much of a stream is kept in one write.
	flushBytes = 256 << 10
)

// accept serves the connections of a listener.
func (r *Receiver) accept(ctx context.Context, l net.Listener) error {
	var all sync.WaitGroup
	defer all.Wait()
	slots := make(chan struct{}, connections)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := l.Accept()
		if err != nil {
			if <-slots; ctx.Err() != nil {
				return nil
			}
			var temporary net.Error
			if errors.As(err, &temporary) && !errors.Is(err, net.ErrClosed) { // too many open files, for example
				r.opt.Alarms.Raise(alarmSource, err.Error())
				time.Sleep(retryPause)
				continue
			}
			return fmt.Errorf("accept senders: %w", err)
		}
		all.Go(func() {
			defer func() { <-slots }()
			stop := context.AfterFunc(ctx, func() { conn.Close() }) // ends the reading
			defer stop()
			err := errors.Join(r.stream(ctx, conn, hostOf(conn.RemoteAddr())), conn.Close())
			if err != nil && ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
				r.opt.Alarms.Raise(alarmSource, err.Error())
			}
		})
	}
}

// hostOf returns the address of a sender without its port, which says nothing; empty for a socket of the machine.
func hostOf(a net.Addr) string {
	if a == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return ""
	}
	return host
}

// stream keeps the messages of a stream until it ends. Several that are there at once are kept in one write.
func (r *Receiver) stream(ctx context.Context, from io.Reader, sender string) error {
	in := bufio.NewReaderSize(from, 64<<10)
	var lines, message []byte
	for {
		var err error
		message, err = r.message(in, message[:0])
		if len(message) > 0 {
			lines = r.line(lines, message, sender)
		}
		if len(lines) > 0 && (err != nil || in.Buffered() == 0 || len(lines) >= flushBytes) {
			failed := func(err error) { r.opt.Alarms.Raise(alarmFull, err.Error()) }
			if err := r.segments.writeWaiting(ctx, lines, failed); err != nil {
				return err
			}
			lines = lines[:0]
		}
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("receive lines: %w", err)
		}
	}
}

// message reads the next message of a stream: a line, or, of syslog, as many bytes as are counted before it (RFC 6587).
func (r *Receiver) message(in *bufio.Reader, dst []byte) ([]byte, error) {
	if r.opt.Input.Type == config.Syslog {
		size, err := counted(in)
		if err != nil {
			return dst, err
		}
		if size > 0 {
			if size > keptOfLine {
				return dst, fmt.Errorf("a message of %d bytes is longer than %d", size, tail.MaxLine)
			}
			dst = append(dst, make([]byte, size)...)
			n, err := io.ReadFull(in, dst)
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = io.EOF
			}
			return bytes.TrimRight(dst[:n], "\n\x00"), err
		}
	}
	for {
		part, err := in.ReadSlice('\n')
		dst = append(dst, part[:min(len(part), keptOfLine-len(dst))]...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimRight(dst, "\r\n\x00"), err
		}
	}
}

// counted reads the count of bytes before a message; 0 when the message begins otherwise.
func counted(in *bufio.Reader) (size int, err error) {
	first, err := in.Peek(1)
	if err != nil {
		return 0, err
	}
	if first[0] < '1' || first[0] > '9' {
		return 0, nil
	}
	for n := 2; n <= 9; n++ {
		text, err := in.Peek(n)
		last := len(text) - 1
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return 0, err
		case last >= 0 && text[last] == ' ':
			next, _ := in.Peek(n + 1) // without a priority it is a line that begins with a number; an error comes again
			if size, err = strconv.Atoi(string(text[:last])); err != nil || len(next) <= n || next[n] != '<' {
				return 0, nil
			}
			_, err = in.Discard(n)
			return size, err
		case last < n-1 || text[last] < '0' || text[last] > '9':
			return 0, nil
		}
	}
	return 0, nil
}

// datagrams keeps the messages that come one in each datagram. When there is no room for them they are dropped and counted: their
// senders cannot be made to wait.
func (r *Receiver) datagrams(ctx context.Context, conn net.PacketConn) error {
	if udp, ok := conn.(*net.UDPConn); ok {
		if err := udp.SetReadBuffer(4 << 20); err != nil {
			r.opt.Alarms.Raise(alarmSource, err.Error()) // it goes on with what the system gives
		}
	}
	buffer := make([]byte, 64<<10)
	var line []byte
	for {
		n, from, err := conn.ReadFrom(buffer)
		if n > 0 {
			line = line[:0]
			message := bytes.TrimRight(buffer[:n], "\r\n\x00")
			if r.opt.Input.Type == config.Syslog {
				line = r.line(line, message, hostOf(from))
			} else {
				for text := range bytes.SplitSeq(message, []byte{'\n'}) {
					line = r.line(line, text, "")
				}
			}
			if err := r.segments.write(line); err != nil {
				r.dropped.Add(1)
				r.opt.Alarms.Raise(alarmFull, fmt.Sprintf("%v; %d datagrams were dropped since the start", err, r.dropped.Load()))
			}
		}
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("receive datagrams: %w", err)
		}
	}
}
