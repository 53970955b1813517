package mongod

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"strings"
	"time"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/store"
	"kreislauf/internal/backend/mongod/wire"
)

// writeTimeout ends a connection whose client does not read its answer.
const writeTimeout = 30 * time.Second

// conn is one client connection. Its commands run one after the other.
type conn struct {
	server *Server
	net    net.Conn
	id     int64
	last   int32 // id of the last reply

	user      string // id of the user who logged in, or ""
	sasl      *saslSession
	saslCount int32
}

// interrupt wakes a connection that waits for a request; a running command still answers.
func (c *conn) interrupt() { _ = c.net.SetReadDeadline(time.Unix(1, 0)) }

func (c *conn) serve() {
	defer c.server.forget(c)
	defer c.net.Close()
	err := c.loop()
	if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return
	}
	select {
	case <-c.server.stop:
	default:
		c.server.log.Warn().Err(err).Str("client", c.net.RemoteAddr().String()).Msg("connection closed")
	}
}

func (c *conn) loop() error {
	r := bufio.NewReaderSize(c.net, 64<<10)
	var out []byte
	for {
		m, err := wire.Read(r)
		if m == nil {
			return err
		}
		var reply raw.Document
		if err != nil {
			reply = fault.As(err).Reply()
		} else if reply, err = c.answer(m); err != nil {
			return err
		}
		if !m.NoReply {
			c.last++
			out = wire.AppendReply(out[:0], m, c.last, reply)
			if err := c.net.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
				return fmt.Errorf("write reply: %w", err)
			}
			if _, err := c.net.Write(out); err != nil {
				return fmt.Errorf("write reply: %w", err)
			}
			if cap(out) > 1<<20 {
				out = nil
			}
		}
		select {
		case <-c.server.stop:
			return nil
		default:
		}
	}
}

// answer runs one message. An error ends the connection.
func (c *conn) answer(m *wire.Message) (raw.Document, error) {
	q := &request{name: m.Body.FirstName(), body: m.Body, sequences: m.Sequences, client: c}
	if m.Legacy {
		db, _, _ := strings.Cut(m.Namespace, ".")
		q.db = db
		if q.name != "isMaster" && q.name != "hello" {
			return nil, fmt.Errorf("OP_QUERY with %q: only the handshake may use it", q.name)
		}
	} else {
		q.db = m.Body.Get("$db").StringOr("")
	}
	reply, err := c.server.dispatch(q)
	if err == nil {
		return reply, nil
	}
	known := fault.As(err)
	if known.Code == fault.InternalError {
		event := c.server.log.Error().Err(err).Str("command", q.name)
		var p *store.PanicError
		if errors.As(err, &p) {
			event = event.Bytes("stack", p.Stack)
		}
		event.Msg("command failed")
	}
	return known.Reply(), nil
}

// dispatch runs a command; a panic in it becomes an error.
func (s *Server) dispatch(q *request) (reply raw.Document, err error) {
	defer func() {
		if r := recover(); r != nil {
			reply, err = nil, &store.PanicError{Reason: r, Stack: debug.Stack()}
		}
	}()
	known := s.commands.Find(q.name, q.ask())
	if known == nil {
		return nil, fault.New(fault.CommandNotFound, "no such command: '%s'", q.name)
	}
	q.command = known.Parse
	if q.db == "" {
		return nil, fault.New(40571, "OP_MSG requests require a $db argument")
	}
	if err := store.CheckDatabaseName(q.db); err != nil {
		return nil, err
	}
	if err := s.authorize(q); err != nil {
		return nil, err
	}
	if err := q.checkFields(); err != nil {
		return nil, err
	}
	return q.command.run(s, q)
}
