package mailbox_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kreislauf/internal/backend/mailbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// started is a mailbox in dir that stops with the test, or before.
func started(t *testing.T, dir string, keep int, log zerolog.Logger) (addr string, stop func()) {
	t.Helper()
	s, err := mailbox.New(mailbox.Options{Dir: dir, Addr: "127.0.0.1:0", Keep: keep, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return s.Addr(), stop
}

func message(subject, body string) []byte {
	return fmt.Appendf(nil, "From: shop@example.org\r\nTo: Erika <erika@example.org>\r\nSubject: %s\r\nMessage-ID: <%s@example.org>\r\n\r\n%s\r\n", subject, subject, body)
}

func send(t *testing.T, addr string, to []string, message []byte) {
	t.Helper()
	if err := smtp.SendMail(addr, nil, "shop@example.org", to, message); err != nil {
		t.Error(err)
	}
}

func subjects(t *testing.T, dir string, limit int) []string {
	t.Helper()
	list, err := mailbox.List(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range list {
		got = append(got, m.Subject)
	}
	return got
}

// TestMailsStay keeps mails in order over a restart, in one file each with its envelope, and lets the oldest go.
func TestMailsStay(t *testing.T) {
	dir := t.TempDir()
	addr, stop := started(t, dir, 3, zerolog.Nop())
	for _, s := range []string{"one", "two"} {
		send(t, addr, []string{"erika@example.org", "max@example.org"}, message(s, "Hello"))
	}
	stop()
	half := filepath.Join(dir, "tmp", "half")
	if err := os.WriteFile(half, []byte("From"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "new", "notes.txt"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	addr, _ = started(t, dir, 3, zerolog.Nop())
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a killed server left is still there: %v", err)
	}
	for _, s := range []string{"three", "four"} {
		send(t, addr, []string{"erika@example.org"}, message(s, "Hello"))
	}
	if diff := cmp.Diff([]string{"four", "three", "two"}, subjects(t, dir, 10)); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"four"}, subjects(t, dir, 1)); diff != "" {
		t.Errorf("the newest (-want +got):\n%s", diff)
	}
	files, err := filepath.Glob(filepath.Join(dir, "new", "*.eml"))
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := bytes.Cut(text, []byte("Received: by mailbox.localhost; "))
	if want := "Return-Path: <shop@example.org>\r\nDelivered-To: erika@example.org\r\nDelivered-To: max@example.org\r\n"; string(head) != want {
		t.Errorf("envelope %q, want %q", head, want)
	}
	if !bytes.HasSuffix(text, message("two", "Hello")) {
		t.Errorf("the message is another: %q", text)
	}
}

// TestManyAtOnce: every sender that got its 250 finds its mail, under an id of its own.
func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	addr, _ := started(t, dir, 0, zerolog.Nop())
	var senders sync.WaitGroup
	for i := range 8 {
		senders.Go(func() {
			for j := range 5 {
				send(t, addr, []string{"erika@example.org"}, message(fmt.Sprintf("%d-%d", i, j), "Hello"))
			}
		})
	}
	senders.Wait()
	got := subjects(t, dir, 100)
	slices.Sort(got)
	if len(slices.Compact(got)) != 40 {
		t.Errorf("%d mails: %v", len(got), got)
	}
}

// TestTooMuch: a mail that is too large, or for too many, is refused for good and leaves nothing.
func TestTooMuch(t *testing.T) {
	dir := t.TempDir()
	addr, _ := started(t, dir, 0, zerolog.Nop())
	line := strings.Repeat("x", 98) + "\r\n"
	err := smtp.SendMail(addr, nil, "a@example.org", []string{"b@example.org"}, message("large", strings.Repeat(line, mailbox.MaxBytes/100+1)))
	if e, ok := errors.AsType[*textproto.Error](err); !ok || e.Code != 552 {
		t.Errorf("too large: %v", err)
	}
	var many []string
	for i := range 51 {
		many = append(many, fmt.Sprintf("b%d@example.org", i))
	}
	if err := smtp.SendMail(addr, nil, "a@example.org", many, message("many", "Hello")); err == nil {
		t.Error("51 recipients are taken")
	}
	for _, folder := range []string{"new", "tmp"} {
		if left, err := os.ReadDir(filepath.Join(dir, folder)); err != nil || len(left) != 0 {
			t.Errorf("%s: %v, %v", folder, left, err)
		}
	}
}

// TestNotStored: a mail that cannot be written is not taken, and the sender is told to come again.
func TestNotStored(t *testing.T) {
	dir := t.TempDir()
	addr, _ := started(t, dir, 0, zerolog.Nop())
	if err := os.RemoveAll(filepath.Join(dir, "tmp")); err != nil {
		t.Fatal(err)
	}
	err := smtp.SendMail(addr, nil, "a@example.org", []string{"b@example.org"}, message("lost", "Hello"))
	if e, ok := errors.AsType[*textproto.Error](err); !ok || e.Code != 451 {
		t.Errorf("error %v, want 451", err)
	}
}

// TestThoseWhoLook: whoever only looks whether the server is alive leaves no line.
func TestThoseWhoLook(t *testing.T) {
	var lines bytes.Buffer
	addr, stop := started(t, t.TempDir(), 0, zerolog.New(zerolog.SyncWriter(&lines)))
	for range 20 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.(*net.TCPConn).SetLinger(0); err != nil { // its end is a reset
			t.Fatal(err)
		}
		c.Close()
	}
	send(t, addr, []string{"b@example.org"}, message("after", "Hello"))
	stop()
	if n := bytes.Count(lines.Bytes(), []byte("\n")); n != 1 || !bytes.Contains(lines.Bytes(), []byte("mailbox.received")) {
		t.Errorf("lines: %s", lines.Bytes())
	}
}

// TestReading shows mails of all kinds as a person reads them.
func TestReading(t *testing.T) {
	const head = "From: =?utf-8?q?J=C3=B6rg?= <j@example.org>\r\nTo: erika@example.org\r\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\r\nMessage-ID: <1@example.org>\r\n"
	want := mailbox.Mail{From: "Jörg <j@example.org>", To: "erika@example.org", Subject: "Grüße", MessageID: "<1@example.org>"}
	for _, tc := range []struct{ name, raw, text string }{
		{"no type", head + "\r\nHello\r\n", "Hello\n"},
		{"quoted-printable", head + "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nsch=C3=B6n =\r\nhier\r\n", "schön hier\n"},
		{"base64", head + "Content-Type: text/plain\r\nContent-Transfer-Encoding: BASE64\r\n\r\nc2Now7Zu\r\n", "schön"},
		{
			"text beside HTML",
			head + "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Hi</p>\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nsch=C3=B6n\r\n--b--\r\n",
			"schön",
		},
		{"HTML alone", head + "Content-Type: text/html\r\n\r\n<p>Hi</p>\r\n", ""},
		{"commands for a terminal", head + "\r\na\x1b[2Jb\x07\u202ec\xff\r\n", "a\uFFFD[2Jb\uFFFD\uFFFDc\uFFFD\n"},
		{"a part without an end", head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			addr, _ := started(t, dir, 0, zerolog.Nop())
			send(t, addr, []string{"erika@example.org"}, []byte(tc.raw))
			list, err := mailbox.List(dir, 1)
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			got, err := mailbox.Read(dir, list[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			if age := time.Since(got.At); age < 0 || age > time.Minute {
				t.Errorf("it came at %v", got.At)
			}
			want := want
			want.Text = tc.text
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(mailbox.Mail{}, "ID", "At")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	dir := t.TempDir()
	addr, _ := started(t, dir, 0, zerolog.Nop())
	send(t, addr, []string{"erika@example.org"}, []byte("no header at all\x1b\r\n"))
	list, err := mailbox.List(dir, 1)
	if err != nil || len(list) != 1 || list[0].Subject != "(not readable as a mail)" {
		t.Errorf("%+v, %v", list, err)
	}
	for _, id := range []string{"", "1", "../../etc/passwd", "1796038550289729817", "-796038550289729817"} {
		if _, err := mailbox.Read(dir, id); !errors.Is(err, mailbox.ErrNoMail) {
			t.Errorf("id %q: %v", id, err)
		}
	}
}
