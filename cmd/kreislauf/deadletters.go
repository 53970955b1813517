package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"kreislauf/internal/broker/deadletter"
	"kreislauf/internal/local"
)

const deadLettersUsage = `usage: kreislauf dead-letters list [-consumer name] [-topic name] [-type event] [-since 24h] [-replayed]
       kreislauf dead-letters show <id>
       kreislauf dead-letters replay [-dry-run] [-again] <id>...
An id is the position that list prints, for example 1:17. Kafka is the running platform's (-data), or that of -brokers`

// brokersVariable names the Kafka of commands that ask it.
const brokersVariable = "KREISLAUF_KAFKA_BROKERS"

// deadLettersTimeout bounds one command: a Kafka that is away would be waited for without end.
const deadLettersTimeout = time.Minute

func runDeadLetters(ctx context.Context, args []string) error {
	return deadLetters(ctx, os.Stdout, args)
}

func deadLetters(ctx context.Context, w io.Writer, args []string) error {
	if len(args) > 0 && isHelp(args[0]) {
		fmt.Fprintln(w, deadLettersUsage)
		return flag.ErrHelp
	}
	if len(args) == 0 || !strings.Contains(" list show replay ", " "+args[0]+" ") {
		return errors.New(deadLettersUsage)
	}
	fs := flag.NewFlagSet("dead-letters "+args[0], flag.ContinueOnError)
	data := fs.String("data", local.DataFolder(), "data folder of the running platform")
	brokers := fs.String("brokers", os.Getenv(brokersVariable), "addresses of Kafka, with commas; default: the running platform's")
	var f deadletter.Filter
	var since time.Duration
	var again, dry bool
	switch args[0] {
	case "list":
		fs.StringVar(&f.Consumer, "consumer", "", "only those of this service")
		fs.StringVar(&f.Topic, "topic", "", "only records of this topic")
		fs.StringVar(&f.Type, "type", "", "only events of this type, for example order.placed")
		fs.DurationVar(&since, "since", 0, "only those of so long ago, for example 24h; 0: all")
		fs.BoolVar(&f.Replayed, "replayed", false, "those that were replayed too")
	case "replay":
		fs.BoolVar(&again, "again", false, "also what was replayed before")
		fs.BoolVar(&dry, "dry-run", false, "only say what would be replayed")
	}
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	if given := fs.NArg(); args[0] == "list" && given > 0 || args[0] == "show" && given != 1 || args[0] == "replay" && given == 0 {
		return errors.New(deadLettersUsage)
	}
	var ids []deadletter.Position
	for _, arg := range fs.Args() {
		id, err := deadletter.ParsePosition(arg)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	addrs := strings.Split(*brokers, ",")
	if *brokers == "" {
		r, err := local.FindRunning(*data)
		if err != nil {
			return err
		}
		addrs = r.Kafka
	} else if *brokers == os.Getenv(brokersVariable) {
		if err := local.CheckGiven(ctx, brokersVariable); err != nil {
			return err
		}
	}
	c, err := deadletter.Open(addrs)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, deadLettersTimeout)
	defer cancel()
	switch args[0] {
	case "list":
		if since > 0 {
			f.Since = time.Now().Add(-since)
		}
		letters, err := c.List(ctx, f)
		if err != nil {
			return err
		}
		return listLetters(w, letters)
	case "show":
		l, err := c.Show(ctx, ids[0])
		if err != nil {
			return err
		}
		return showLetter(w, l)
	default:
		return replayLetters(ctx, w, c, ids, again, dry)
	}
}

// replayLetters goes on after a letter that is refused; the errors are joined.
func replayLetters(ctx context.Context, w io.Writer, c *deadletter.Client, ids []deadletter.Position, again, dry bool) error {
	did := "replayed"
	if dry {
		did = "would replay"
	}
	var errs []error
	for _, id := range ids {
		l, err := c.Replay(ctx, id, again, dry)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if _, err := fmt.Fprintf(w, "%s %s: %s of %s, for %s\n", did, id, orDash(l.Type), l.Topic, l.Consumer); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

func listLetters(w io.Writer, letters []deadletter.Letter) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(letters) > 0 {
		fmt.Fprintln(t, "id\twhen\tconsumer\ttopic\tposition\ttype\tkey\tbytes\tstate\treason")
	}
	for _, l := range letters {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", l.ID, stamp(l.At), l.Consumer, l.Topic, l.Position, orDash(l.Type),
			orDash(printable(l.Key, 40)), l.Length, letterState(l), printable([]byte(l.Reason), 80))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d dead letters\n", len(letters))
	return err
}

func showLetter(w io.Writer, l deadletter.Letter) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"id", l.ID.String()},
		{"when", stamp(l.At)},
		{"consumer", l.Consumer},
		{"reason", printable([]byte(l.Reason), 2000)},
		{"topic", l.Topic},
		{"position", l.Position.String()},
		{"type", orDash(l.Type)},
		{"key", orDash(printable(l.Key, 200))},
		{"bytes", fmt.Sprint(l.Length)},
		{"sha256", l.SHA256},
		{"state", letterState(l)},
	} {
		fmt.Fprintf(t, "%s\t%s\n", row[0], row[1])
	}
	for _, h := range l.Headers {
		fmt.Fprintf(t, "header %s\t%s\n", h.Key, printable(h.Value, 200))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if l.Cut {
		fmt.Fprintf(w, "\nthe first %d bytes of the value:\n", len(l.Value))
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, l.Value, "", "  ") != nil { // no JSON, or cut
		pretty.Reset()
		pretty.WriteString(printable(l.Value, 4000))
	}
	_, err := fmt.Fprintf(w, "\n%s\n", pretty.Bytes())
	return err
}

func letterState(l deadletter.Letter) string {
	state := "open"
	if !l.Replayed.IsZero() {
		state = "replayed " + stamp(l.Replayed)
	}
	if l.Cut {
		state += ", cut"
	}
	return state
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// printable is text of at most n bytes that cannot upset a terminal or a table: what is not plain text is quoted.
func printable(b []byte, n int) string {
	text, more := string(b), ""
	if len(b) > n {
		text, more = text[:n], "…"
		if utf8.Valid(b) {
			text = strings.ToValidUTF8(text, "") // without the part of a character that was cut
		}
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		text = strconv.Quote(text)
	}
	return text + more
}
