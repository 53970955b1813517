package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/smtp"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/mailbox"
	"kreislauf/internal/local"
)

func TestMail(t *testing.T) {
	data := t.TempDir()
	post := filepath.Join(data, "mailbox")
	s, err := mailbox.New(mailbox.Options{Dir: post, Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	mail := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := showMail(&out, append([]string{"-data", data}, args...))
		return out.String(), err
	}
	if _, err := mail(); !errors.Is(err, local.ErrNotRunning) {
		t.Errorf("without a platform: %v", err)
	}
	running := func(folder string) {
		b, err := json.Marshal(local.Running{Mailbox: folder})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(data, "run.json"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	running("")
	if _, err := mail(); err == nil || !strings.Contains(err.Error(), "KREISLAUF_SMTP_ADDR") {
		t.Errorf("with another mail server: %v", err)
	}
	running(post)
	if got, err := mail(); err != nil || got != "no mails yet\n" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := mail("-json"); err != nil || got != "[]\n" {
		t.Errorf("%q, %v", got, err)
	}
	for _, subject := range []string{"first", "=?utf-8?q?zweite_Gr=C3=BC=C3=9Fe_" + strings.Repeat("x", 80) + "?="} {
		text := "From: shop@example.org\r\nTo: \"Erika\" <erika@example.org>\r\nSubject: " + subject +
			"\r\nMessage-ID: <1@example.org>\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nHallo Grie=C3=9F\r\n"
		if err := smtp.SendMail(s.Addr(), nil, "shop@example.org", []string{"erika@example.org"}, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := mail()
	if err != nil {
		t.Fatal(err)
	}
	const when, id = `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`, `\d{19}`
	want := regexp.MustCompile(`^no +when +to +subject +id\n1 +` + when + ` +"Erika" <erika@example.org> +zweite Grüße x{46}… +` + id + `\n2 +` + when + ` +"Erika" <erika@example.org> +first +` + id + `\n$`)
	if !want.MatchString(got) {
		t.Errorf("list:\n%s", got)
	}
	if got, err := mail("-n", "1"); err != nil || strings.Count(got, "\n") != 2 {
		t.Errorf("the newest alone:\n%s%v", got, err)
	}
	var list []mailbox.Mail
	if got, err = mail("-json"); err != nil || json.Unmarshal([]byte(got), &list) != nil || len(list) != 2 || list[1].Subject != "first" {
		t.Errorf("as JSON:\n%s%v", got, err)
	}
	one := regexp.MustCompile(`^From:    shop@example.org\nTo:      "Erika" <erika@example.org>\nDate:    ` + when + `\nSubject: first\nId:      <1@example.org>\n\nHallo Grieß\n\n$`)
	for _, which := range []string{"2", list[1].ID} {
		if got, err := mail(which); err != nil || !one.MatchString(got) {
			t.Errorf("mail %s:\n%s%v", which, got, err)
		}
	}
	var m mailbox.Mail
	if got, err := mail("-json", "2"); err != nil || json.Unmarshal([]byte(got), &m) != nil || m.Text != "Hallo Grieß\n" {
		t.Errorf("as JSON:\n%s%v", got, err)
	}
	for args, want := range map[string]string{
		"3": "there are only 2 mails", "0": "no such mail", "x": "no such mail", "../secrets": "no such mail", "1 2": "usage", "-n 0": "usage", "1796038550289729817": "no such mail",
	} {
		if got, err := mail(strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) || got != "" {
			t.Errorf("mail %s: %q, %v; want %q", args, got, err, want)
		}
	}
	var out bytes.Buffer
	if err := showMail(&out, []string{"-mailbox", post, "-data", "/nowhere", "2"}); err != nil || !one.MatchString(out.String()) {
		t.Errorf("of a folder: %s%v", &out, err)
	}
	if err := showMail(closedPipe{}, []string{"-data", data}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("into a closed pipe: %v", err)
	}
}

// closedPipe is an output that nobody reads any more.
type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }
