// Package kafkad is the Kafka of a bare machine: franz-go's kfake with a data folder, in a process of its own, speaking Kafka's
// protocol to unmodified clients.
//
// Guarantees: acknowledged records, group offsets, producer ids and their sequence numbers survive kill -9 of the process (they are in
// the page cache); with Sync they survive power loss too, at about a millisecond a batch. It is one broker: no replication. A full disk
// is answered with KAFKA_STORAGE_ERROR until there is space. A write that fails in another way is the end, as in Kafka: see Failed.
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
	"strings"
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
	failed   chan error // a write to the disk failed
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
	return &Server{opts: o, failed: make(chan error, 1)}, nil
}

// Start loads the log and listens.
func (s *Server) Start() error {
	_, portText, _ := net.SplitHostPort(s.opts.Addr)
	port, err := strconv.Atoi(portText)
	if err != nil {
		return fmt.Errorf("kafkad port %q: %w", portText, err)
	}
	if err := rebuildSequences(s.opts.Dir); err != nil {
		return err
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(1), kfake.Ports(port), kfake.ClusterID("kreislauf"), kfake.DataDir(s.opts.Dir),
		kfake.GroupMinSessionTimeout(1_000_000_000), kfake.WithLogger(logger{s.opts.Logger, s.failed}),
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
	gate(c, &space{dir: s.opts.Dir, log: s.opts.Logger})
	debug.FreeOSMemory() // what the start read
	s.cluster = c
	return nil
}

// listen opens the listener. kfake tells its clients the address that the listener says it has.
func (s *Server) listen(network, _ string) (net.Listener, error) {
	l, err := net.Listen(network, s.opts.Addr)
	s.listener = l
	if err != nil {
		return nil, err
	}
	addr := l.Addr()
	if s.opts.Advertise != "" {
		addr = address(s.opts.Advertise)
	}
	return listener{l, addr, s.opts.Logger}, nil
}

// listener has the address that clients are told, and connections that check their requests.
type listener struct {
	net.Listener
	addr net.Addr
	log  zerolog.Logger
}

// Addr implements net.Listener.
func (l listener) Addr() net.Addr { return l.addr }

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &framed{Conn: conn, log: l.log}, nil
}

// address is a TCP host:port that need not be an IP address.
type address string

// Network implements net.Addr.
func (address) Network() string { return "tcp" }

// String implements net.Addr.
func (a address) String() string { return string(a) }

// Addr is the address listened on, after Start.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Failed delivers an error when a record, an offset or a producer id could not be written. What is in the files is whole, but kfake's
// idea of them may differ: stop, and start again, which reads them anew.
func (s *Server) Failed() <-chan error { return s.failed }

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
type logger struct {
	log    zerolog.Logger
	failed chan<- error
}

// Logf implements kfake.Logger.
func (l logger) Logf(level kfake.LogLevel, msg string, args ...any) {
	switch {
	case level == kfake.LogLevelWarn && strings.HasPrefix(msg, "persist "):
		select {
		case l.failed <- fmt.Errorf("write to the disk: "+msg, args...):
		default: // one is enough
		}
	case level == kfake.LogLevelError:
		l.log.Error().Msgf(msg, args...)
	case level == kfake.LogLevelWarn:
		l.log.Warn().Msgf(msg, args...)
	case level == kfake.LogLevelDebug && strings.HasPrefix(msg, "client %s unable to parse request"):
		l.log.Warn().Err(fmt.Errorf(msg, args...)).Msg("connection closed")
	}
}
