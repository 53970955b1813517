package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"kreislauf/internal/broker"
	"kreislauf/internal/broker/deadletter"
	"kreislauf/internal/money"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/outbox"
)

const (
	// grace is how long a step may be on its way from one database to the next, and how long an outbox or an event may wait.
	grace = 30 * time.Second
	// mailGrace is how long a mail may wait: a server that is away for a moment, and a process that dies while it sends, cost minutes.
	mailGrace = 5 * time.Minute
	// lookTimeout bounds one look.
	lookTimeout = 2 * time.Minute
	// lookEvery is the pause between two looks of Wait.
	lookEvery = time.Second
)

// Platform is where to look.
type Platform struct {
	Database func(service string) (uri string, err error) // with credentials
	Kafka    []string
	Now      func() time.Time // nil: the machine's
}

// Finding is one thing that is not as it should be.
type Finding struct {
	Text  string    // what, with ids, and what to do
	Since time.Time // the newest of the facts that do not fit; zero: nobody knows, so it is old
}

// Report is the result of one look.
type Report struct {
	Orders, Invoices, CreditNotes int
	Ledger                        money.Cents // the sum of all bookings
	Differences, UnderWay         []Finding
	Unreadable                    []error // what could not be read; the rest was compared as far as that is possible
}

// Clean says that everything was read and nothing differs. Something may be under way.
func (r Report) Clean() bool { return len(r.Differences) == 0 && len(r.Unreadable) == 0 }

// WriteText writes what differs and what is under way, one line each, and in the end the sum.
func (r Report) WriteText(w io.Writer) error {
	for _, err := range r.Unreadable {
		if _, err := fmt.Fprintf(w, "UNREADABLE: %v\n", err); err != nil {
			return err
		}
	}
	for _, f := range r.Differences {
		if _, err := fmt.Fprintln(w, f.Text); err != nil {
			return err
		}
	}
	for _, f := range r.UnderWay {
		if _, err := fmt.Fprintln(w, "under way:", f.Text); err != nil {
			return err
		}
	}
	var err error
	switch under := fmt.Sprintf(" (%d things under way)", len(r.UnderWay)); {
	case len(r.Unreadable) > 0:
		_, err = fmt.Fprintf(w, "reconcile: %d things could not be read, %d differences in the rest\n", len(r.Unreadable), len(r.Differences))
	case len(r.Differences) > 0:
		_, err = fmt.Fprintf(w, "reconcile: %d differences\n", len(r.Differences))
	default:
		if len(r.UnderWay) == 0 {
			under = ""
		}
		_, err = fmt.Fprintf(w, "reconcile: %d orders, %d invoices, %d credit notes, ledger %s, clean%s\n", r.Orders, r.Invoices, r.CreditNotes, r.Ledger, under)
	}
	return err
}

// Wait looks again and again until everything fits and nothing is under way, or until so long has passed or ctx ends. It gives the last look.
func Wait(ctx context.Context, p Platform, wait time.Duration) Report {
	for until := time.Now().Add(wait); ; {
		r := Look(ctx, p)
		if r.Clean() && len(r.UnderWay) == 0 || !time.Now().Before(until) {
			return r
		}
		select {
		case <-ctx.Done():
			return r
		case <-time.After(lookEvery):
		}
	}
}

// outboxes are the collections of each service whose documents tell of events.
func outboxes() map[string][]string {
	return map[string][]string{
		"identity": {"users"}, "disposer": {"partners"}, "customer": {"sites", "standing"}, "pricing": {"standing_quotes"}, "order": {"orders", "refusals"}, "matching": {"matches"},
		"payment": {"documents", "statement_lines", "partners"}, "mailing": {"mails"}, "statistics": {"events"},
	}
}

// Look looks once.
func Look(ctx context.Context, p Platform) Report {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	l := &look{now: time.Now(), berlin: berlin()}
	if p.Now != nil {
		l.now = p.Now()
	}
	dbs := map[string]*mongodb.Database{}
	for service := range outboxes() {
		uri, err := p.Database(service)
		if err != nil {
			l.unreadable(err)
			continue
		}
		db, err := mongodb.Open(uri, service, "reconcile", nil)
		if err != nil {
			l.unreadable(err)
			continue
		}
		dbs[service] = db
		defer func() { _ = db.Close(context.WithoutCancel(ctx)) }() // nothing was written
	}
	l.read(ctx, dbs)
	for service, collections := range outboxes() {
		for _, c := range collections {
			if db := dbs[service]; db != nil {
				l.outbox(ctx, db, service, c)
			}
		}
	}
	l.kafka(ctx, p.Kafka)
	l.compare()
	byText := func(a, b Finding) int { return cmp.Compare(a.Text, b.Text) }
	slices.SortFunc(l.report.Differences, byText)
	slices.SortFunc(l.report.UnderWay, byText)
	return l.report
}

func (l *look) unreadable(err error) { l.report.Unreadable = append(l.report.Unreadable, err) }

// find notes what does not fit; a young one is under way.
func (l *look) find(since time.Time, within time.Duration, format string, args ...any) {
	f := Finding{fmt.Sprintf(format, args...), since}
	if l.now.Sub(since) < within {
		l.report.UnderWay = append(l.report.UnderWay, f)
		return
	}
	l.report.Differences = append(l.report.Differences, f)
}

func (l *look) outbox(ctx context.Context, db *mongodb.Database, service, collection string) {
	list, err := outbox.OlderThan(ctx, db, collection, l.now)
	if err != nil {
		l.unreadable(fmt.Errorf("%s: %w", service, err))
		return
	}
	for _, w := range list {
		l.find(w.Since, grace, "outbox: %s/%s %s waits since %s; look at the lines of %s with the action outbox.stuck, and at Kafka", service, collection,
			w.ID, stamp(w.Since), service)
	}
}

func (l *look) kafka(ctx context.Context, brokers []string) {
	lags, err := broker.Lags(ctx, brokers)
	if err != nil {
		l.unreadable(err)
	}
	for _, g := range lags {
		l.find(g.Since, grace, "lag: %s has not handled %d events of %s, partition %d, the oldest of %s; look at the lines of %s", g.Consumer, g.Behind,
			g.Topic, g.Partition, stamp(g.Since), g.Consumer)
	}
	letters, err := deadletter.Open(brokers)
	if err != nil {
		l.unreadable(err)
		return
	}
	defer letters.Close()
	list, err := letters.List(ctx, deadletter.Filter{})
	if err != nil {
		l.unreadable(err)
	}
	for _, d := range list {
		l.find(time.Time{}, 0, "dead letter: %s could not handle %s of %s: %s; mend the cause, then kreislauf dead-letters replay %s", d.Consumer,
			cmp.Or(d.Type, "a record"), string(d.Key), d.Reason, d.ID)
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func berlin() *time.Location {
	z, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(fmt.Sprintf("reconcile: load time zone: %v", err)) // cannot happen: the program has the zones within it
	}
	return z
}
