package mailbox

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Mail is a mail as a person reads it. All texts are free of what could upset a terminal.
type Mail struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"` // when it arrived
	From      string    `json:"from"`
	To        string    `json:"to"` // as in its header
	Subject   string    `json:"subject"`
	MessageID string    `json:"message_id"`
	Text      string    `json:"text,omitempty"` // the first part of plain text; List leaves it out
}

// ErrNoMail says that the mailbox has no such mail.
var ErrNoMail = errors.New("there is no such mail")

// List reads the heads of the newest mails of a mailbox's folder, newest first, at most limit.
func List(dir string, limit int) ([]Mail, error) {
	all, err := names(dir)
	if err != nil {
		return nil, err
	}
	var list []Mail
	for _, name := range slices.Backward(all) {
		if len(list) == limit {
			break
		}
		m, err := read(dir, name)
		if errors.Is(err, os.ErrNotExist) {
			continue // it has just gone to make room
		}
		if err != nil {
			return nil, err
		}
		m.Text = ""
		list = append(list, m)
	}
	return list, nil
}

// Read reads one mail by its id. Without one the error is ErrNoMail.
func Read(dir, id string) (Mail, error) {
	if _, ok := arrived(id + suffix); !ok {
		return Mail{}, fmt.Errorf("%w: an id has 19 digits", ErrNoMail)
	}
	m, err := read(dir, id+suffix)
	if errors.Is(err, os.ErrNotExist) {
		return Mail{}, fmt.Errorf("%w: %s", ErrNoMail, id)
	}
	return m, err
}

// read reads a file. What is no proper message is shown as it is: a person wants to see that too.
func read(dir, name string) (Mail, error) {
	content, err := os.ReadFile(filepath.Join(dir, "new", name))
	if err != nil {
		return Mail{}, fmt.Errorf("read mail: %w", err)
	}
	at, _ := arrived(name)
	m := Mail{ID: strings.TrimSuffix(name, suffix), At: at}
	message, err := mail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		m.Subject, m.Text = "(not readable as a mail)", plain(string(content))
		return m, nil
	}
	head := func(key string) string {
		value := message.Header.Get(key)
		if text, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
			value = text
		}
		return strings.Join(strings.Fields(plain(value)), " ")
	}
	m.From, m.To, m.Subject, m.MessageID = head("From"), head("To"), head("Subject"), head("Message-ID")
	m.Text = plain(text(message.Header.Get("Content-Type"), message.Header.Get("Content-Transfer-Encoding"), message.Body))
	return m, nil
}

// text is the first part of plain text, decoded; "" without one.
func text(contentType, encoding string, body io.Reader) string {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = "text/plain" // what a message without the header is
	}
	if strings.HasPrefix(kind, "multipart/") {
		for parts := multipart.NewReader(body, params["boundary"]); ; {
			p, err := parts.NextRawPart()
			if err != nil {
				return ""
			}
			if t := text(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p); t != "" {
				return t
			}
		}
	}
	if kind != "text/plain" {
		return ""
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	decoded, _ := io.ReadAll(body) // what can be decoded; the rest is damaged
	return string(decoded)
}

// plain puts a mark in place of all that is no text: control characters could command a terminal.
func plain(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
