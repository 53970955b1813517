package receive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kreislauf/logship/alarm"
	"kreislauf/logship/config"
	"kreislauf/logship/enrich"
)

// removePause is how often is looked for segments that are delivered.
const removePause = 200 * time.Millisecond

// What alarms are about.
const (
	alarmFull    = "received lines cannot be kept"
	alarmRemoved = "delivered segment of received lines not removed"
	alarmSource  = "source of lines failed"
)

// Options configure a Receiver.
type Options struct {
	// Dir is the folder for the segments, Limit the bytes that may wait there.
	Dir   string
	Limit int64
	Input *config.Input
	Stdin io.Reader
	// Alarms get what a person must know.
	Alarms *alarm.Log
	// Delivered reports whether every target has the first size bytes of a file.
	Delivered func(path string, size int64) bool
}

// Receiver receives the lines of one input.
type Receiver struct {
	opt      Options
	segments *segments
	sources  []config.Source
	open     []io.Closer // sockets
	dropped  atomic.Int64
	lasting  bool // has sources that do not end
}

// Open opens the sockets and the folder. Nothing is received before Run.
func Open(opt Options) (*Receiver, error) {
	r := &Receiver{opt: opt}
	for _, text := range opt.Input.Receive {
		source, err := config.ParseSource(text)
		if err != nil {
			return nil, fmt.Errorf("receive: %w", err)
		}
		r.sources = append(r.sources, source)
		r.lasting = r.lasting || source.Network != config.Stdin
		if source.Network == config.Journalctl {
			if _, err := exec.LookPath("journalctl"); err != nil {
				return nil, fmt.Errorf("receive from journalctl: %w; install systemd's, or write stdin and pipe an export into it", err)
			}
		}
	}
	var err error
	if r.segments, err = openSegments(opt.Dir, opt.Limit, opt.Input.Type == config.Journal); err != nil {
		return nil, err
	}
	return r, nil
}

// Dropped returns how many datagrams were dropped because there was no room.
func (r *Receiver) Dropped() int64 { return r.dropped.Load() }

// Run receives until ctx ends, or until every source has ended and everything that came is delivered: then it returns ended. It
// fails when a socket cannot be opened.
func (r *Receiver) Run(ctx context.Context) (ended bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	listeners, err := r.listen(ctx)
	if err != nil {
		return false, errors.Join(err, r.segments.close())
	}
	var sources sync.WaitGroup
	for _, l := range listeners {
		sources.Go(func() {
			if err := l(ctx); err != nil && ctx.Err() == nil {
				r.opt.Alarms.Raise(alarmSource, err.Error())
			}
		})
	}
	over := make(chan struct{})
	go func() {
		sources.Wait()
		close(over)
	}()
	stopped := context.AfterFunc(ctx, func() {
		for _, c := range r.open {
			c.Close() // ends the reading; nothing else is to be done about an error
		}
	})
	defer stopped()
	tick := time.NewTicker(removePause)
	defer tick.Stop()
	for !ended && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			empty, err := r.segments.remove(r.opt.Delivered, r.keepCursor)
			r.opt.Alarms.Check(alarmRemoved, err)
			select {
			case <-over:
				ended = empty && !r.lasting
			default:
			}
		}
	}
	cancel()
	if !slices.ContainsFunc(r.sources, func(s config.Source) bool { return s.Network == config.Stdin }) {
		<-over // a read of standard input cannot be broken off
	}
	return ended, r.segments.close()
}

// listen opens all sockets and returns what is to be run for each source.
func (r *Receiver) listen(ctx context.Context) (run []func(context.Context) error, err error) {
	defer func() {
		if err != nil {
			for _, c := range r.open {
				err = errors.Join(err, c.Close())
			}
		}
	}()
	var lc net.ListenConfig
	for _, s := range r.sources {
		switch s.Network {
		case config.Stdin:
			run = append(run, func(ctx context.Context) error { return r.stream(ctx, r.opt.Stdin, "") })
		case config.Journalctl:
			run = append(run, r.journal)
		case "udp", "unixgram":
			if err := removeStale(ctx, s); err != nil {
				return nil, err
			}
			conn, err := lc.ListenPacket(ctx, s.Network, s.Address)
			if err != nil {
				return nil, fmt.Errorf("receive: %w", err)
			}
			r.open = append(r.open, conn)
			if err := openToAll(s); err != nil {
				return nil, err
			}
			run = append(run, func(ctx context.Context) error { return r.datagrams(ctx, conn) })
		default:
			if err := removeStale(ctx, s); err != nil {
				return nil, err
			}
			l, err := lc.Listen(ctx, s.Network, s.Address)
			if err != nil {
				return nil, fmt.Errorf("receive: %w", err)
			}
			r.open = append(r.open, l)
			if err := openToAll(s); err != nil {
				return nil, err
			}
			run = append(run, func(ctx context.Context) error { return r.accept(ctx, l) })
		}
	}
	return run, nil
}

// removeStale removes the socket that an earlier process left. One that somebody listens on stays, and is an error.
func removeStale(ctx context.Context, s config.Source) error {
	if s.Network != "unix" && s.Network != "unixgram" {
		return nil
	}
	info, err := os.Lstat(s.Address)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("receive: %w", err)
	case info.Mode()&os.ModeSocket == 0:
		return fmt.Errorf("receive: %s exists and is no socket; name another path", s.Address)
	}
	var d net.Dialer
	if conn, err := d.DialContext(ctx, s.Network, s.Address); err == nil {
		conn.Close() // it was only to see whether somebody is there
		return fmt.Errorf("receive: another process listens on %s", s.Address)
	}
	if err := os.Remove(s.Address); err != nil {
		return fmt.Errorf("receive: remove stale socket: %w", err)
	}
	return nil
}

// openToAll lets every user of the machine write to a socket, as to /dev/log.
func openToAll(s config.Source) error {
	if s.Network != "unix" && s.Network != "unixgram" {
		return nil
	}
	if err := os.Chmod(s.Address, 0o666); err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	return nil
}

// line renders what one message is kept as: with time and sender for syslog, else as it came.
func (r *Receiver) line(dst, message []byte, sender string) []byte {
	if r.opt.Input.Type == config.Syslog {
		return enrich.AppendReceived(dst, time.Now(), sender, message)
	}
	return append(append(dst, message...), '\n')
}
