#!/usr/bin/env bash
# github.com/emersion/go-smtp v0.25.1: Close after a Shutdown that ran out of time closes nothing.
#
# Guessed: as with Go's http.Server, whose two methods and comments these are modelled on: Shutdown with a deadline, and if it returns the
#          context's error, Close, which "immediately closes all active listeners and connections".
# Seen:    Close returns ErrServerClosed at once and leaves every connection open. A client that was connected goes on, and a mail that it
#          begins after Close is handed to the backend and answered with 250. Close without the Shutdown before it closes the
#          connection. Shutdown runs out of time whenever a client is connected, as it does not close idle ones ("waiting
#          indefinitely for connections to return to idle and then shut down" is in its comment) and ReadTimeout is off by default.
#          None of the comments says that Close does nothing after Shutdown.
# Matters: the program closes its database next, and loses a mail that the sender was told is accepted; a test that restarts the server
#          talks to the old one.
#
# Versions: go-smtp v0.25.1 (server.go of v0.26.0 is the same, read, not run); net/http of the go command in use, for comparison.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off

cat >main.go <<'EOF'
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
)

// store is a backend that counts the mails that it was given.
type store struct{ mails *atomic.Int64 }

func (s store) NewSession(*smtp.Conn) (smtp.Session, error) { return s, nil }
func (s store) Mail(string, *smtp.MailOptions) error        { return nil }
func (s store) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (s store) Reset()                                      {}
func (s store) Logout() error                               { return nil }
func (s store) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	s.mails.Add(1)
	return err
}

// stop ends a server as one does: gently, then by force.
func stop(shutdown func(context.Context) error, end func() error) string {
	var did []string
	if shutdown != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		did = append(did, fmt.Sprint("Shutdown: ", shutdown(ctx)))
	}
	return strings.Join(append(did, fmt.Sprint("Close: ", end())), ", ")
}

func forSMTP(gentle bool) {
	var mails atomic.Int64
	server := smtp.NewServer(store{&mails})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go server.Serve(l)
	client, err := smtp.Dial(l.Addr().String())
	check(err)
	client.CommandTimeout, client.SubmissionTimeout = 5*time.Second, 5*time.Second
	check(client.Hello("client.example"))

	shutdown := server.Shutdown
	if !gentle {
		shutdown = nil
	}
	did := stop(shutdown, server.Close)
	outcome := "the client is cut off"
	if err := client.SendMail("a@example.com", []string{"b@example.com"}, strings.NewReader("Subject: late\r\n\r\nlate\r\n")); err == nil {
		outcome = "the client sends a mail and gets 250"
	}
	client.Close()
	fmt.Printf("go-smtp: %s, then %s, mails stored: %d\n", did, outcome, mails.Load())
}

func forHTTP() {
	var begun = make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		io.Copy(io.Discard, r.Body)
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go server.Serve(l)
	c, err := net.Dial("tcp", l.Addr().String())
	check(err)
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nla") // the rest comes later
	<-begun
	did := stop(server.Shutdown, server.Close)
	fmt.Fprint(c, "te")
	check(c.SetReadDeadline(time.Now().Add(5 * time.Second)))
	outcome := "the client is cut off"
	if _, err := bufio.NewReader(c).ReadByte(); err == nil {
		outcome = "the client gets an answer"
	} else if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
		outcome = "the client waits"
	}
	c.Close()
	fmt.Printf("net/http: %s, then %s\n", did, outcome)
}

func main() {
	forHTTP()
	forSMTP(false)
	forSMTP(true)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
EOF
go mod init probe 2>/dev/null
go get github.com/emersion/go-smtp@v0.25.1 2>/dev/null
seen=$(go run .)

expected='net/http: Shutdown: context deadline exceeded, Close: <nil>, then the client is cut off
go-smtp: Close: <nil>, then the client is cut off, mails stored: 0
go-smtp: Shutdown: context deadline exceeded, Close: smtp: server already closed, then the client sends a mail and gets 250, mails stored: 1'
echo "version: $(go list -m github.com/emersion/go-smtp), net/http of $(go env GOVERSION)"
echo "guessed: the client is cut off in all three cases"
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
