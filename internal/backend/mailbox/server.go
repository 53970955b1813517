package mailbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/rs/zerolog"
)

// Limits of a mail and of a connection.
const (
	MaxBytes      = 1 << 20 // of a message
	maxRecipients = 50
	idle          = time.Minute
	domain        = "mailbox.localhost" // what the server calls itself
)

// Options say where a mailbox is.
type Options struct {
	Dir    string // made when it is missing
	Addr   string // host:port
	Keep   int    // how many mails stay, up to MaxKeep; 0: DefaultKeep
	Logger zerolog.Logger
}

// How many mails stay: unless Keep says otherwise, and at most.
const (
	DefaultKeep = 1000
	MaxKeep     = 100_000
)

// Server is the SMTP server. Safe for concurrent use.
type Server struct {
	Options
	smtp     *smtp.Server
	listener net.Listener
	served   sync.WaitGroup

	mu    sync.Mutex // guards what follows
	names []string   // of the mails in Dir/new, oldest first
	last  int64      // nanoseconds in the newest name
}

// New makes the folder and reads which mails are there.
func New(o Options) (*Server, error) {
	o.Keep = cmp.Or(o.Keep, DefaultKeep)
	if o.Keep < 0 || o.Keep > MaxKeep {
		return nil, fmt.Errorf("a mailbox keeps 1 to %d mails, not %d", MaxKeep, o.Keep)
	}
	s := &Server{Options: o}
	if err := os.RemoveAll(filepath.Join(o.Dir, "tmp")); err != nil {
		return nil, fmt.Errorf("open mailbox: %w", err)
	}
	for _, d := range []string{"tmp", "new"} {
		if err := os.MkdirAll(filepath.Join(o.Dir, d), 0o750); err != nil {
			return nil, fmt.Errorf("open mailbox: %w", err)
		}
	}
	var err error
	if s.names, err = names(o.Dir); err != nil {
		return nil, err
	}
	if n := len(s.names); n > 0 {
		at, _ := arrived(s.names[n-1]) // names lists no other
		s.last = at.UnixNano()
	}
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }))
	s.smtp.Domain, s.smtp.MaxMessageBytes, s.smtp.MaxRecipients = domain, MaxBytes, maxRecipients
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = idle, idle
	s.smtp.EnableSMTPUTF8 = true
	s.smtp.ErrorLog = lines{o.Logger}
	return s, nil
}

// Start listens and serves.
func (s *Server) Start() error {
	var err error
	if s.listener, err = net.Listen("tcp", s.Options.Addr); err != nil {
		return fmt.Errorf("listen for SMTP: %w", err)
	}
	s.served.Go(func() {
		if err := s.smtp.Serve(s.listener); err != nil && !errors.Is(err, net.ErrClosed) {
			s.Logger.Error().Err(err).Msg("serve SMTP")
		}
	})
	return nil
}

// Addr is the address listened on, after Start.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Stop closes everything. Whoever was about to send a mail gets no 250 and sends it again.
func (s *Server) Stop(context.Context) error {
	err := s.smtp.Close()
	s.served.Wait()
	return err
}

// session is one connection.
type session struct {
	server *Server
	from   string
	to     []string
}

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	c.from = from
	return nil
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.to = append(c.to, to)
	return nil
}

func (c *session) Data(r io.Reader) error {
	content, err := io.ReadAll(r) // bounded by MaxMessageBytes
	if err != nil {
		return err
	}
	id, err := c.server.store(c.from, c.to, content, time.Now())
	if err != nil {
		c.server.Logger.Error().Err(err).Str("event.action", "mailbox.failed").Msg("store a mail")
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "The mail cannot be stored now; try again later"}
	}
	c.server.Logger.Info().Str("event.action", "mailbox.received").Str("mail.id", id).Int("bytes", len(content)).Msg("received a mail")
	return nil
}

func (c *session) Reset()        { c.from, c.to = "", nil }
func (c *session) Logout() error { return nil }

// lines takes what go-smtp says.
type lines struct{ log zerolog.Logger }

// Printf leaves out that a client went away: those who look whether the server is alive often do.
func (l lines) Printf(format string, v ...any) {
	for _, a := range v {
		if err, ok := a.(error); ok && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)) {
			return
		}
	}
	l.log.Warn().Msg(strings.TrimSpace(fmt.Sprintf(format, v...)))
}
func (l lines) Println(v ...any) { l.log.Warn().Msg(strings.TrimSpace(fmt.Sprintln(v...))) }
