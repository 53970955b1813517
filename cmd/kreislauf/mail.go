package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"kreislauf/internal/backend/mailbox"
	"kreislauf/internal/local"
)

const mailUsage = `usage: kreislauf mail [-data folder | -mailbox folder] [-n 20] [-json]        lists the newest mails
       kreislauf mail [-data folder | -mailbox folder] [-json] <number or id>  shows one: 1 is the newest, or an id of the list`

func runMail(_ context.Context, args []string) error { return showMail(os.Stdout, args) }

// showMail lists the newest mails of the running platform, or shows one.
func showMail(w io.Writer, args []string) error {
	fs := flag.NewFlagSet("mail", flag.ContinueOnError)
	data := fs.String("data", local.DataFolder(), "data folder of the running platform")
	dir := fs.String("mailbox", "", "folder of a mailbox, instead of that of the running platform")
	n := fs.Int("n", 20, "how many are listed")
	asJSON := fs.Bool("json", false, "as JSON: an array of mails, or one mail with its text")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 1 || *n < 1 {
		return errors.New(mailUsage)
	}
	if *dir == "" {
		r, err := local.FindRunning(*data)
		if err != nil {
			return err
		}
		if r.Mailbox == "" {
			return errors.New("mails go to the server of KREISLAUF_SMTP_ADDR; look there")
		}
		*dir = r.Mailbox
	}
	var err error
	out := bufio.NewWriter(w)
	if fs.NArg() == 1 {
		err = oneMail(out, *dir, fs.Arg(0), *asJSON)
	} else {
		err = listMails(out, *dir, *n, *asJSON)
	}
	return errors.Join(err, out.Flush())
}

func listMails(w io.Writer, dir string, n int, asJSON bool) error {
	list, err := mailbox.List(dir, n)
	if err != nil {
		return err
	}
	if asJSON {
		if list == nil {
			list = []mailbox.Mail{} // [], not null
		}
		return writeIndented(w, list)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no mails yet")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "no\twhen\tto\tsubject\tid")
	for i, m := range list {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\n", i+1, m.At.Local().Format(time.DateTime), shortened(m.To, 48), shortened(m.Subject, 60), m.ID)
	}
	return t.Flush()
}

func oneMail(w io.Writer, dir, which string, asJSON bool) error {
	id := which
	if number, err := strconv.Atoi(which); err == nil && number >= 1 && number <= mailbox.MaxKeep {
		list, err := mailbox.List(dir, number)
		if err != nil {
			return err
		}
		if len(list) < number {
			return fmt.Errorf("there are only %d mails", len(list))
		}
		id = list[number-1].ID
	}
	m, err := mailbox.Read(dir, id)
	if err != nil {
		return fmt.Errorf("%w; `kreislauf mail` lists them", err)
	}
	if asJSON {
		return writeIndented(w, m)
	}
	text := m.Text
	if text == "" {
		text = "(no plain text)"
	}
	_, err = fmt.Fprintf(w, "From:    %s\nTo:      %s\nDate:    %s\nSubject: %s\nId:      %s\n\n%s\n", m.From, m.To, m.At.Local().Format(time.DateTime), m.Subject, m.MessageID, text)
	return err
}

func writeIndented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false) // a person reads <…@…>
	return e.Encode(v)
}

// shortened is at most n characters of a text.
func shortened(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
