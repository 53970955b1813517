// Package kafkad is the Kafka of a bare machine: franz-go's kfake with a data folder, in a process of its own, speaking Kafka's
// protocol to unmodified clients.
//
// Guarantees: acknowledged records, group offsets and producer ids survive kill -9 of the process (they are in the page cache);
// with Sync they survive power loss too, at about a millisecond a batch. It is one broker: no replication.
//
// Memory: records are read from the disk when they are fetched. A start reads the whole log once, after a kill all of it at the same
// time, and gives that memory back before Start returns; so the peak is about the size of the log, and topics need retention.bytes.
package kafkad

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kfake"
)

// Options of a Server.
type Options struct {
	Dir       string // data folder, created if missing
	Addr      string // host:port; port 0 picks a free one
	Advertise string // host:port that clients are told to connect to; empty: the address listened on
	Sync      bool   // fsync each batch before it is acknowledged
	// CleanEvery is how often retention and compaction are enforced; 15 s, as Kafka does, when zero.
	CleanEvery time.Duration
	Logger     zerolog.Logger
}

// Server is one embedded broker.
type Server struct {
	opts     Options
	listener net.Listener // the one broker's
	cluster  *kfake.Cluster
}

// New checks the options.
func New(o Options) (*Server, error) {
	if _, _, err := net.SplitHostPort(o.Addr); err != nil {
		return nil, fmt.Errorf("kafkad address: %w", err)
	}
	if _, _, err := net.SplitHostPort(o.Advertise); err != nil && o.Advertise != "" {
		return nil, fmt.Errorf("kafkad advertised address: %w", err)
	}
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("create Kafka data folder: %w", err)
	}
	return &Server{opts: o}, nil
}

// Start loads the log and listens.
func (s *Server) Start() error {
	_, portText, _ := net.SplitHostPort(s.opts.Addr)
	port, err := strconv.Atoi(portText)
	if err != nil {
		return fmt.Errorf("kafkad port %q: %w", portText, err)
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(1), kfake.Ports(port), kfake.ClusterID("kreislauf"), kfake.DataDir(s.opts.Dir),
		kfake.GroupMinSessionTimeout(1_000_000_000), kfake.WithLogger(logger{s.opts.Logger}),
		// Without a back-off the cleaner would run hourly.
		kfake.BrokerConfigs(map[string]string{"log.cleaner.backoff.ms": fmt.Sprint(cmp.Or(s.opts.CleanEvery, 15*time.Second).Milliseconds()), "log.segment.bytes": "4194304"}),
		kfake.ListenFn(s.listen),
	}
	if s.opts.Sync {
		opts = append(opts, kfake.SyncWrites())
	}
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		return fmt.Errorf("start Kafka on %s: %w", s.opts.Addr, err)
	}
	gate(c)
	debug.FreeOSMemory() // what the start read
	s.cluster = c
	return nil
}

// listen opens the listener. kfake tells its clients the address that the listener says it has.
func (s *Server) listen(network, _ string) (net.Listener, error) {
	l, err := net.Listen(network, s.opts.Addr)
	s.listener = l
	if err != nil || s.opts.Advertise == "" {
		return l, err
	}
	return advertised{l, address(s.opts.Advertise)}, nil
}

// advertised is a listener with another address than its own.
type advertised struct {
	net.Listener
	addr address
}

// Addr implements net.Listener.
func (l advertised) Addr() net.Addr { return l.addr }

// address is a TCP host:port that need not be an IP address.
type address string

// Network implements net.Addr.
func (address) Network() string { return "tcp" }

// String implements net.Addr.
func (a address) String() string { return string(a) }

// Addr is the address listened on, after Start.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Stop writes everything to disk and closes, within ctx.
func (s *Server) Stop(ctx context.Context) error {
	if s.cluster == nil {
		return nil
	}
	done := make(chan struct{}) // closed when the cluster is closed
	go func() { s.cluster.Close(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop Kafka: %w", ctx.Err())
	}
}

// logger passes kfake's warnings and errors on; its informational lines are per request.
type logger struct{ log zerolog.Logger }

// Logf implements kfake.Logger.
func (l logger) Logf(level kfake.LogLevel, msg string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.log.Error().Msgf(msg, args...)
	case kfake.LogLevelWarn:
		l.log.Warn().Msgf(msg, args...)
	}
}
