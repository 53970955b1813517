package mailing

import (
	"embed"
	"fmt"
	"net/url"
	"strings"
	"text/template"
	"time"
	"unicode"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/sealed"
)

//go:embed text/*.txt
var texts embed.FS

// letter is a mail in words.
type letter struct {
	Subject, Body string
	Attached      *attachment // nil: nothing
}

// attachment is a file that goes with a letter.
type attachment struct {
	name, contentType string
	content           []byte
}

// facts are what a template tells.
type facts struct {
	Name  string
	Order Order
	Link  string        // to the page of the order, or where the account or standing orders are looked after
	Home  string        // the platform's page, for partners and the back office
	Event event.Payload // what happened
}

// writer writes letters. Safe for concurrent use.
type writer struct {
	publicURL string // without a slash at the end
	key       []byte // opens the secrets of links
	de, en    *template.Template
}

// newWriter reads the templates.
func newWriter(publicURL string, key []byte) (writer, error) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return writer{}, fmt.Errorf("read templates: %w", err)
	}
	w := writer{publicURL: strings.TrimRight(publicURL, "/"), key: key}
	if w.de, err = parse("text/de.txt", german(berlin)); err != nil {
		return writer{}, err
	}
	w.en, err = parse("text/en.txt", english(berlin))
	return w, err
}

func parse(file string, words template.FuncMap) (*template.Template, error) {
	words["plain"] = plain
	t, err := template.New("").Option("missingkey=error").Funcs(words).ParseFS(texts, file)
	if err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	return t, nil
}

// write writes the letter about an event: German, with the same in English beneath.
func (w writer) write(r Recipient, o Order, p event.Payload) (letter, error) {
	path, err := w.path(o, p)
	if err != nil {
		return letter{}, err
	}
	f := facts{Name: r.Name, Order: o, Link: w.publicURL + path, Home: w.publicURL, Event: p}
	subject, err := run(w.de, "subject of "+p.Type(), f)
	if err != nil {
		return letter{}, err
	}
	german, err := run(w.de, "body of "+p.Type(), f)
	if err != nil {
		return letter{}, err
	}
	english, err := run(w.en, "body of "+p.Type(), f)
	if err != nil {
		return letter{}, err
	}
	const between = "\n\n----------------------------------------\n\n"
	return letter{Subject: plain(subject, 150), Body: german + between + english + "\n"}, nil
}

// path is that of the page which a mail names. A secret stands behind #: browsers send that part to no server, so no line can have it.
func (w writer) path(o Order, p event.Payload) (string, error) {
	switch p := p.(type) {
	case event.PasswordResetRequested:
		token, err := sealed.Open(w.key, event.SealedReset, p.Sealed)
		return "/passwort/neu#" + token, err
	case event.MemberInvited:
		code, err := sealed.Open(w.key, event.SealedInvite, p.Sealed)
		return "/konto/einladung#" + code, err
	case event.SignInLocked, event.PasswordChanged:
		return "/passwort/vergessen", nil
	case event.StandingMissed, event.QuoteRefused, event.StandingRefused:
		return "/konto/baustellen", nil
	}
	return "/auftrag/" + url.PathEscape(o.ID), nil
}

func run(t *template.Template, name string, f facts) (string, error) {
	var b strings.Builder
	if err := t.ExecuteTemplate(&b, name, f); err != nil {
		return "", fmt.Errorf("write mail: %w", err)
	}
	return strings.TrimSpace(b.String()), nil
}

// plain is text that somebody typed, on one line, of at most limit characters.
func plain(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit-1]) + "…"
	}
	return s
}

// german are the words of German templates.
func german(berlin *time.Location) template.FuncMap {
	return template.FuncMap{
		"date":   func(s string) string { return date(s, "02.01.2006") },
		"moment": func(t time.Time) string { return t.In(berlin).Format("02.01.2006 um 15:04 Uhr") },
		"euro":   func(c money.Cents) string { return grouped(c, ".", ",") + " €" },
		"kg":     func(n int) string { return thousands(fmt.Sprint(n), ".") + " kg" },
		"waste": func(code string) string {
			if w, err := catalog.FindWaste(code); err == nil {
				return w.NameDE
			}
			return plain(code, 20)
		},
	}
}

// english are the words of English templates.
func english(berlin *time.Location) template.FuncMap {
	return template.FuncMap{
		"date":   func(s string) string { return date(s, "2 January 2006") },
		"moment": func(t time.Time) string { return t.In(berlin).Format("2 January 2006 at 15:04") },
		"euro":   func(c money.Cents) string { return "€" + grouped(c, ",", ".") },
		"kg":     func(n int) string { return thousands(fmt.Sprint(n), ",") + " kg" },
		"waste": func(code string) string {
			if w, err := catalog.FindWaste(code); err == nil {
				return strings.ToLower(w.NameEN[:1]) + w.NameEN[1:]
			}
			return plain(code, 20)
		},
	}
}

// date writes a day as given (YYYY-MM-DD) in another layout; what is no day stays as it is.
func date(s, layout string) string {
	d, err := time.Parse(catalog.DateFormat, s)
	if err != nil {
		return plain(s, 20)
	}
	return d.Format(layout)
}

// grouped writes an amount of euros: 1.234,56 with the separators of German.
func grouped(c money.Cents, thousand, decimal string) string {
	euros, cents, _ := strings.Cut(c.String(), ".")
	return thousands(euros, thousand) + decimal + cents
}

// thousands puts a separator before every three digits of a whole number.
func thousands(digits, separator string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + separator + digits[i:]
	}
	return sign + digits
}
