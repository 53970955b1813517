package mongod

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"kreislauf/internal/backend/mongod/registry"
	"kreislauf/internal/backend/mongod/store"

	"github.com/rs/zerolog"
)

const (
	maxConnections = 4096
	defaultSweep   = time.Minute
)

// Options configures a Server.
type Options struct {
	// Dir is the data folder; it is created with mode 0700. One process may use it at a time.
	Dir string
	// Addr is the TCP address to listen on, for example 127.0.0.1:27017; port 0 picks a free one.
	Addr string
	// Logger receives one line per event worth knowing: start, stop, a broken connection, a panic.
	Logger zerolog.Logger
	// Users exist after New with exactly these roles and passwords, beside those that the data folder has from earlier starts. While
	// there is no user at all, every client on this machine may do everything and other clients nothing.
	Users []User
	// SweepInterval is the time between two runs of the TTL sweeper; 0 means one minute.
	SweepInterval time.Duration
	// Asked, if set, is called with each name of a command, operator, stage, accumulator or index option that a client uses and that
	// the server has; kind is one of Names. It is called by many goroutines at once.
	Asked func(kind, name string)
}

// Server is one running server. Its methods are safe for concurrent use.
type Server struct {
	opts     Options
	log      zerolog.Logger
	store    *store.Store
	users    users
	cursors  *cursors
	commands registry.Table[*command]

	stop     chan struct{} // closed when stopping begins
	stopped  chan struct{} // closed when everything has ended
	stopOnce sync.Once
	stopErr  error
	tasks    sync.WaitGroup // accept loop, sweeper, connections

	mu       sync.Mutex
	listener net.Listener
	conns    map[*conn]struct{}
	lastConn int64
}

// New opens the data folder. It fails when another process uses it.
func New(opts Options) (*Server, error) {
	if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create data folder: %w", err)
	}
	st, err := store.Open(opts.Dir, opts.Logger)
	if err != nil {
		return nil, err
	}
	us, err := openUsers(st, opts.Users)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	opts.Users = nil // the passwords need not stay in memory
	if opts.SweepInterval <= 0 {
		opts.SweepInterval = defaultSweep
	}
	return &Server{
		opts:     opts,
		log:      opts.Logger,
		store:    st,
		users:    us,
		cursors:  newCursors(),
		commands: commandTable(),
		stop:     make(chan struct{}),
		stopped:  make(chan struct{}),
		conns:    map[*conn]struct{}{},
	}, nil
}

// Start binds the address and serves in the background. The error names the address when it cannot be bound.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.stop:
		return store.ErrStopped
	default:
	}
	if s.listener != nil {
		return fmt.Errorf("already listening on %s", s.listener.Addr())
	}
	l, err := net.Listen("tcp", s.opts.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.opts.Addr, err)
	}
	s.listener = l
	s.tasks.Add(2)
	go s.accept(l)
	go s.sweepLoop()
	return nil
}

// Addr returns the address that the server listens on, or the configured one before Start.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return s.opts.Addr
	}
	return s.listener.Addr().String()
}

// Stop stops accepting, lets running commands finish and closes the data file. It returns when that is done or the context ends;
// in the latter case it goes on in the background. It may be called again.
func (s *Server) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		s.mu.Lock()
		close(s.stop)
		s.mu.Unlock()
		go s.shutdown()
	})
	select {
	case <-s.stopped:
		return s.stopErr
	case <-ctx.Done():
		return fmt.Errorf("stop: %w", ctx.Err())
	}
}

func (s *Server) shutdown() {
	defer close(s.stopped)
	s.mu.Lock()
	if s.listener != nil {
		if err := s.listener.Close(); err != nil {
			s.stopErr = fmt.Errorf("close listener: %w", err)
		}
	}
	for c := range s.conns {
		c.interrupt()
	}
	s.mu.Unlock()
	s.tasks.Wait()
	if err := s.store.Close(); err != nil {
		s.stopErr = errors.Join(s.stopErr, fmt.Errorf("close data file: %w", err))
	}
}

func (s *Server) accept(l net.Listener) {
	defer s.tasks.Done()
	for {
		nc, err := l.Accept()
		if err != nil {
			select {
			case <-s.stop:
				return
			default:
			}
			if errors.Is(err, net.ErrClosed) {
				return
			}
			s.log.Error().Err(err).Msg("accept")
			time.Sleep(50 * time.Millisecond) // out of file descriptors: do not spin
			continue
		}
		if c := s.register(nc); c != nil {
			go c.serve()
			continue
		}
		if err := nc.Close(); err != nil {
			s.log.Warn().Err(err).Msg("close refused connection")
		}
	}
}

// register returns nil when the server is stopping or full.
func (s *Server) register(nc net.Conn) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.stop:
		return nil
	default:
	}
	if len(s.conns) >= maxConnections {
		s.log.Warn().Int("connections", len(s.conns)).Msg("too many connections, refusing one")
		return nil
	}
	s.lastConn++
	c := &conn{server: s, net: nc, id: s.lastConn}
	s.conns[c] = struct{}{}
	s.tasks.Add(1)
	return c
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.tasks.Done()
}
