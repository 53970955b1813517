package mailing

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/textproto"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// How the connection to the mail server is encrypted.
const (
	tlsNone     = "none"
	tlsStart    = "starttls"
	tlsImplicit = "tls"
)

const dialTime = 10 * time.Second

// submission is the mail server that takes mails for everybody. Safe for concurrent use.
type submission struct {
	addr           string // host:port
	encryption     string
	user, password string // no sign-in without a user
	from           mail.Address
}

// messageID is that of the mail about an event, always the same, without the angle brackets.
func (s submission) messageID(eventID string) string {
	_, domain, _ := strings.Cut(s.from.Address, "@")
	return url.QueryEscape(eventID) + "@" + domain
}

// compose makes the message. The error says that the recipient's address is none.
func (s submission) compose(r Recipient, l letter, eventID string, at time.Time) (to mail.Address, message []byte, err error) {
	parsed, err := mail.ParseAddress(r.Email)
	if err != nil || parsed.Address != r.Email {
		return mail.Address{}, nil, errors.New("the address of the recipient is none")
	}
	to = mail.Address{Name: plain(r.Name, 100), Address: parsed.Address}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(&s.from)
	m.ToMailAddress(&to)
	m.Subject(plain(l.Subject, 150))
	m.SetMessageIDWithValue(s.messageID(eventID))
	m.SetDateWithValue(at)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's holiday notice is wanted
	m.SetBodyString(gomail.TypeTextPlain, l.Body)
	if a := l.Attached; a != nil {
		if err := m.AttachReader(a.name, bytes.NewReader(a.content), gomail.WithFileContentType(gomail.ContentType(a.contentType))); err != nil {
			return mail.Address{}, nil, fmt.Errorf("compose mail: %w", err)
		}
	}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return mail.Address{}, nil, fmt.Errorf("compose mail: %w", err)
	}
	return to, b.Bytes(), nil
}

// send gives a message to the mail server, over a connection of its own, within ctx.
func (s submission) send(ctx context.Context, to string, message []byte) outcome {
	host, _, err := net.SplitHostPort(s.addr)
	if err != nil {
		return outcome{later, "the address of the mail server is none"} // settings are checked, so nobody sees it
	}
	dial, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	config := &tls.Config{ServerName: host}
	var conn net.Conn
	if s.encryption == tlsImplicit {
		conn, err = (&tls.Dialer{Config: config}).DialContext(dial, "tcp", s.addr)
	} else {
		conn, err = (&net.Dialer{}).DialContext(dial, "tcp", s.addr)
	}
	if err != nil {
		return outcome{later, "connect: " + err.Error()}
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return outcome{later, "greeting " + said(err)}
	}
	if err := s.begin(c, config); err != nil {
		return outcome{later, err.Error()}
	}
	c.SkipSMTPUTF8(isASCII(to) && isASCII(s.from.Address))
	return deliver(c, s.from.Address, to, message)
}

// begin says hello, encrypts and signs in.
func (s submission) begin(c *smtp.Client, config *tls.Config) error {
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	if err := c.Hello(name); err != nil {
		return errors.New("hello " + said(err))
	}
	if s.encryption == tlsStart {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return errors.New("the mail server does not offer STARTTLS")
		}
		if err := c.StartTLS(config); err != nil {
			if said(err) == lost { // a certificate, for example
				return fmt.Errorf("start TLS: %w", err)
			}
			return errors.New("start TLS " + said(err))
		}
	}
	if s.user == "" {
		return nil
	}
	_, offered := c.Extension("AUTH")
	var auth smtp.Auth
	switch {
	case slices.Contains(strings.Fields(offered), "PLAIN"):
		auth = smtp.PlainAuth("", s.user, s.password, config.ServerName, false)
	case slices.Contains(strings.Fields(offered), "LOGIN"):
		auth = smtp.LoginAuth(s.user, s.password, config.ServerName, false)
	default:
		return errors.New("the mail server offers neither PLAIN nor LOGIN to sign in")
	}
	if err := c.Auth(auth); err != nil {
		return errors.New("sign in " + said(err))
	}
	return nil
}

// deliver sends one message to one recipient and says what became of it.
func deliver(c *smtp.Client, from, to string, message []byte) outcome {
	if err := c.Mail("<" + from + ">"); err != nil {
		return outcome{later, "sender " + said(err)}
	}
	if err := c.Rcpt("<" + to + ">"); err != nil {
		return outcome{judgeRecipient(err), "recipient " + said(err)}
	}
	w, err := c.Data()
	if err != nil {
		return outcome{judgeContent(err), "content " + said(err)}
	}
	if _, err = io.Copy(w, bytes.NewReader(message)); err != nil {
		return outcome{later, "content " + said(err)}
	}
	if err = w.Close(); err != nil {
		return outcome{judgeContent(err), "content " + said(err)}
	}
	_ = c.Quit() // the mail is theirs already
	return outcome{verdict: accepted}
}

// lost is all that is said of an error that is no answer of the server.
const lost = "connection lost"

var enhancedCode = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// said is the code with which a server refused something, without its words, which may quote an address.
func said(err error) string {
	code, enhanced := answer(err)
	if code == 0 {
		return lost
	}
	return strings.TrimSpace(fmt.Sprintf("refused: %d %s", code, enhanced))
}

// answer is the code (0: no answer of a server) and the enhanced code ("": none) of a refusal.
func answer(err error) (code int, enhanced string) {
	e, ok := errors.AsType[*textproto.Error](err)
	if !ok {
		return 0, ""
	}
	return e.Code, enhancedCode.FindString(e.Msg)
}

// judgeRecipient says what a refusal of the recipient means.
func judgeRecipient(err error) verdict {
	code, enhanced := answer(err)
	switch {
	case code/100 != 5:
		return later
	case code == 552, enhanced == "5.2.2": // a full mailbox; RFC 5321, 4.5.3.1.10
		return later
	case slices.Contains([]string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}, enhanced):
		return bounced
	case enhanced == "" && slices.Contains([]int{550, 551, 553}, code):
		return bounced
	}
	return refused // a policy, for example: the next mail may pass
}

// judgeContent says what a refusal of the content means.
func judgeContent(err error) verdict {
	if code, _ := answer(err); code/100 == 5 {
		return refused
	}
	return later
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 })
}
