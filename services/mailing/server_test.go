package mailing_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// postOffice is an SMTP server that refuses what a test says and keeps the rest. refuse gets what the client has just said ("rcpt",
// address, how often it was said before) and returns an *smtp.SMTPError or nil.
type postOffice struct {
	addr   string
	refuse func(command, arg string, before int) error
	user   string // "": nobody signs in

	mu   sync.Mutex // guards what follows
	said map[string]int
	got  []string // recipient and message of each mail
}

// open starts it at addr until the test ends. With a certificate it offers STARTTLS, or speaks TLS at once.
func (o *postOffice) open(t *testing.T, addr string, config *tls.Config, implicit bool) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	o.addr, o.said = l.Addr().String(), map[string]int{}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &visit{office: o}, nil }))
	s.Domain, s.TLSConfig, s.ReadTimeout, s.WriteTimeout = "post.example", config, time.Minute, time.Minute
	if implicit {
		l = tls.NewListener(l, config)
	}
	var served sync.WaitGroup
	served.Go(func() { _ = s.Serve(l) }) // its end is the test's
	t.Cleanup(func() {
		_ = s.Close()
		served.Wait()
	})
}

// certificate is one that this test program trusts, for 127.0.0.1.
func certificate(t *testing.T) *tls.Config {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return &tls.Config{Certificates: s.TLS.Certificates}
}

// mails are those taken so far.
func (o *postOffice) mails() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.got...)
}

func (o *postOffice) hear(command, arg string) error {
	o.mu.Lock()
	before := o.said[command+arg]
	o.said[command+arg]++
	o.mu.Unlock()
	if o.refuse == nil {
		return nil
	}
	return o.refuse(command, arg, before)
}

// visit is one connection.
type visit struct {
	office   *postOffice
	to       string
	signedIn bool
}

func (v *visit) Mail(from string, _ *smtp.MailOptions) error {
	if v.office.user != "" && !v.signedIn {
		return smtp.ErrAuthRequired
	}
	return v.office.hear("mail", from)
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.to = to
	return v.office.hear("rcpt", to)
}

func (v *visit) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := v.office.hear("data", v.to); err != nil {
		return err
	}
	v.office.mu.Lock()
	defer v.office.mu.Unlock()
	v.office.got = append(v.office.got, v.to+"\n"+strings.ReplaceAll(string(b), "\r\n", "\n"))
	return nil
}

func (v *visit) Reset()        {}
func (v *visit) Logout() error { return nil }

func (v *visit) AuthMechanisms() []string {
	if v.office.user == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != v.office.user || password != "secret" {
			return errors.New("who?")
		}
		v.signedIn = true
		return nil
	}), nil
}

// no is a refusal. The words quote the address, as those of real servers do.
func no(code int, enhanced smtp.EnhancedCode, address string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: "<" + address + "> is refused"}
}
