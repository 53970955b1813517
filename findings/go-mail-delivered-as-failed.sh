#!/usr/bin/env bash
# github.com/wneessen/go-mail v0.8.1: a mail that the server has accepted is reported as not sent when what the client says next is refused.
#
# Guessed: DialAndSend returns an error for a mail that was not delivered. With the 250 behind the data the server has it; how it answers
#          NOOP, RSET and QUIT afterwards is no concern of the mail.
# Seen:    behind each mail the client sends NOOP and RSET, and an answer 421 to either (by which a server may end any session, RFC 5321
#          3.8) becomes the result of the mail: "send failed". At NOOP it reads "not connected to SMTP server" and has no code; at RSET
#          it has the code 421 and yet is not temporary by IsTemp. Sent once more, the server has the mail twice. Msg.IsDelivered alone
#          tells the truth. The comment of ErrSMTPReset speaks of a delivery that failed; that of WithoutRset, which turns both
#          commands off, of servers that do not know RSET. That a 421 to QUIT is an error too is in DialAndSend's comment ("or if closing
#          the connection fails").
# Matters: an outbox that sends again after an error sends the invoice twice when the mail server is stopped or ends the session at that
#          moment; one that goes by IsTemp gives the mail up as undeliverable.
#
# Versions: go-mail v0.8.1 (client.go of v0.8.2 does the same, read, not run). The server is part of the script.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off

cat >main.go <<'EOF'
package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"

	"github.com/wneessen/go-mail"
)

// serve accepts mails and counts them. Once it has one from a session, it answers that session's next command of the name busy with 421
// and closes it.
func serve(l net.Listener, busy string, accepted *atomic.Int64) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			fmt.Fprint(c, "220 mx.example ESMTP\r\n")
			inData, has := false, false
			for s := bufio.NewScanner(c); s.Scan(); {
				verb, _, _ := strings.Cut(strings.ToUpper(s.Text()), " ")
				switch {
				case inData && s.Text() == ".":
					inData, has = false, true
					accepted.Add(1)
					fmt.Fprint(c, "250 accepted\r\n")
				case inData:
				case has && verb == busy:
					fmt.Fprint(c, "421 mx.example closes the session\r\n")
					return
				case verb == "EHLO":
					fmt.Fprint(c, "250-mx.example\r\n250 8BITMIME\r\n")
				case verb == "DATA":
					inData = true
					fmt.Fprint(c, "354 go on\r\n")
				case verb == "QUIT":
					fmt.Fprint(c, "221 bye\r\n")
					return
				default:
					fmt.Fprint(c, "250 ok\r\n")
				}
			}
		}()
	}
}

func send(options, busy string, o ...mail.Option) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer l.Close()
	var accepted atomic.Int64
	go serve(l, busy, &accepted)
	client, err := mail.NewClient("127.0.0.1", append(o, mail.WithPort(l.Addr().(*net.TCPAddr).Port), mail.WithTLSPolicy(mail.NoTLS))...)
	check(err)
	m := mail.NewMsg()
	check(m.From("shop@example.com"))
	check(m.To("customer@example.org"))
	m.Subject("Invoice")
	m.SetBodyString(mail.TypeTextPlain, "See above.")

	// What an outbox does: once more, if the first attempt failed.
	outcome := "no error"
	if err = client.DialAndSend(m); err != nil {
		reason, temporary := err.Error(), "not a SendError"
		if sendErr := new(mail.SendError); errors.As(err, &sendErr) {
			reason, temporary = sendErr.Error(), fmt.Sprint("code ", sendErr.ErrorCode(), ", temporary ", sendErr.IsTemp())
		}
		reason, _, _ = strings.Cut(reason, ", affected")
		outcome = fmt.Sprintf("an error (%s; %s, delivered %t), sent again", reason, temporary, m.IsDelivered())
		client.DialAndSend(m)
	}
	fmt.Printf("%s, 421 to %s: %s: %d accepted\n", options, busy, outcome, accepted.Load())
}

func main() {
	send("default", "nothing")
	send("default", "NOOP")
	send("default", "RSET")
	send("WithoutRset", "NOOP", mail.WithoutRset())
	send("WithoutRset", "RSET", mail.WithoutRset())
	send("WithoutRset", "QUIT", mail.WithoutRset())
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
EOF
go mod init probe 2>/dev/null
go get github.com/wneessen/go-mail@v0.8.1 2>/dev/null
seen=$(go run .)

expected='default, 421 to nothing: no error: 1 accepted
default, 421 to NOOP: an error (sending SMTP RESET command: not connected to SMTP server; code 0, temporary false, delivered true), sent again: 2 accepted
default, 421 to RSET: an error (sending SMTP RESET command: failed to send RSET to SMTP client: 421 "mx.example closes the session"; code 421, temporary false, delivered true), sent again: 2 accepted
WithoutRset, 421 to NOOP: no error: 1 accepted
WithoutRset, 421 to RSET: no error: 1 accepted
WithoutRset, 421 to QUIT: an error (failed to close connection: failed to close SMTP client: 421 "mx.example closes the session"; not a SendError, delivered true), sent again: 2 accepted'
echo "version: $(go list -m github.com/wneessen/go-mail)"
echo "guessed: no error and 1 accepted in all cases"
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
