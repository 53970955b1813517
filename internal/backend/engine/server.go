package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Options configure a Server. Dir is created if missing; it must belong to one server at a time. Addr is
// host:port, where port 0 takes a free one.
type Options struct {
	Dir    string
	Addr   string
	Logger zerolog.Logger
	// Password turns security on: it is that of the user elastic. Without it everybody may do everything.
	Password string
	// Open allows an address that others can reach although security is off.
	Open bool
}

// tickEvery is how often rollover and retention are looked at.
const tickEvery = 10 * time.Second

// Server is one engine. All methods are safe for concurrent use.
type Server struct {
	opt     Options
	cluster *cluster
	http    *http.Server

	mu       sync.Mutex // guards what follows
	listener net.Listener
	stop     chan struct{} // closed by Stop; ends the tick
	ended    sync.WaitGroup
	stopped  bool
	stopErr  error
}

// New opens the data directory, replays what was not finished, and returns a server that does not listen yet.
func New(opt Options) (*Server, error) {
	c, err := openCluster(opt.Dir, opt.Logger)
	if err != nil {
		return nil, fmt.Errorf("open engine in %s: %w", opt.Dir, err)
	}
	s := &Server{opt: opt, cluster: c, stop: make(chan struct{})}
	s.http = &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	return s, nil
}

// Handler returns the HTTP API without a listener.
func (s *Server) Handler() http.Handler { return newAPI(s.cluster, s.opt.Logger, s.opt.Password) }

// Start binds the address and serves in the background. The error of a busy address names it.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || s.listener != nil {
		return errors.New("engine is already started or stopped")
	}
	if s.opt.Password == "" && !s.opt.Open && !loopback(s.opt.Addr) {
		return fmt.Errorf("refuse to listen on %s without security: others could reach it; set a password, listen on 127.0.0.1, or insist", s.opt.Addr)
	}
	ln, err := net.Listen("tcp", s.opt.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.opt.Addr, err)
	}
	s.listener = ln
	s.ended.Go(func() {
		if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			s.opt.Logger.Error().Err(err).Msg("engine stopped serving")
		}
	})
	s.ended.Go(s.tick)
	s.opt.Logger.Info().Str("address", ln.Addr().String()).Str("directory", s.opt.Dir).Msg("engine serves")
	return nil
}

// loopback says whether only this machine can reach an address.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *Server) tick() {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-t.C:
			s.cluster.applyPolicies(now)
		}
	}
}

// Addr is the bound address, or the configured one before Start.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return s.opt.Addr
	}
	return s.listener.Addr().String()
}

// Stop ends requests until ctx is done, then cuts them off, and closes the indices. Further calls return the same.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return s.stopErr
	}
	s.stopped = true
	close(s.stop)
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("stop engine: %w", err), s.http.Close())
	}
	s.ended.Wait()
	s.stopErr = errors.Join(err, s.cluster.close())
	return s.stopErr
}
