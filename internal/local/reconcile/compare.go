package reconcile

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/event"
	"kreislauf/internal/network"
	"kreislauf/services/mailing"
	"kreislauf/services/matching"
	"kreislauf/services/order"
	"kreislauf/services/payment"
)

// compare compares what was read.
func (l *look) compare() {
	if l.ordersRead && l.paymentRead {
		for _, o := range l.orders {
			l.bill(o)
		}
		for id, docs := range l.documents {
			if _, known := l.orders[id]; known {
				continue
			}
			for _, d := range docs {
				l.find(d.At, grace, "%s: order %s does not exist; find out who removed it, and correct the document", name(d), id)
			}
		}
	}
	if l.paymentRead {
		l.books()
		l.series()
	}
	if l.ordersRead {
		l.swaps()
	}
	if l.ordersRead && l.matchesRead {
		l.match()
	}
	if l.partnersRead {
		l.partner()
	}
	if l.ordersRead && l.paymentRead && l.mailsRead {
		l.mail()
	}
	if l.ordersRead && l.standingRead {
		l.occurrences()
	}
	l.report.Orders = len(l.orders)
	for _, docs := range l.documents {
		for _, d := range docs {
			switch d.Kind {
			case payment.Invoice:
				l.report.Invoices++
			case payment.CreditNote:
				l.report.CreditNotes++
			}
		}
	}
}

// name is what people call a document.
func name(d payment.Document) string {
	if d.Number == "" {
		return string(d.Kind) + " " + d.ID
	}
	return string(d.Kind) + " " + d.Number
}

// newest is when the last thing happened to an order.
func newest(o order.Order) time.Time {
	var last time.Time
	for _, s := range o.History {
		last = later(last, later(s.At, s.RecordedAt))
	}
	return last
}

// entered is when the platform learned that an order came to a state.
func entered(o order.Order, state order.State) (at time.Time, was bool) {
	for _, s := range o.History {
		if s.State == state && s.Enters() {
			return later(s.At, s.RecordedAt), true
		}
	}
	return time.Time{}, false
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// bill compares an order with its documents.
func (l *look) bill(o order.Order) {
	of := map[payment.Kind][]payment.Document{}
	for _, d := range l.documents[o.ID] {
		of[d.Kind] = append(of[d.Kind], d)
	}
	if !slices.Contains([]order.State{order.Weighed, order.Invoiced, order.Paid}, o.State) {
		for _, d := range l.documents[o.ID] {
			l.find(later(d.At, newest(o)), grace, "order %s: it is %s and has the %s; correct the document, or look why the order was put back", o.ID, o.State, name(d))
		}
		return
	}
	weighed, _ := entered(o, order.Weighed)
	bill, ok := o.Bill(l.berlin)
	if !ok {
		l.find(weighed, grace, "order %s: it is %s and has no weighing; add it, nothing follows from it", o.ID, o.State)
		return
	}
	for _, kind := range []payment.Kind{payment.Invoice, payment.CreditNote} {
		var docs []payment.Document // without those that others have replaced
		for _, d := range of[kind] {
			if d.ReplacedBy == "" {
				docs = append(docs, d)
			}
		}
		switch {
		case len(docs) == 0:
			l.find(weighed, grace, "order %s: it is %s and has no %s; look at the dead letters of payment", o.ID, o.State, kind)
		case len(docs) > 1:
			l.find(later(docs[0].At, docs[1].At), grace, "order %s: it has %d documents %s: %s and %s; correct one", o.ID, len(docs), kind, name(docs[0]), name(docs[1]))
		}
		for _, d := range of[kind] {
			if d.State == payment.Draft {
				l.find(d.At, grace, "%s of order %s: it has no number yet; payment finishes it within seconds, look at its lines", name(d), o.ID)
			}
			facts := bill
			if d.Order.OrderID != "" && (d.Paper.Replaces != nil || d.ReplacedBy != "") {
				facts = d.Order // what the back office corrected; the order may say otherwise
			}
			if err := d.Follows(facts); err != nil {
				l.find(time.Time{}, grace, "%s of order %s: %v; correct it", name(d), o.ID, err)
			}
		}
	}
	for _, d := range of[payment.Invoice] {
		var corrections []payment.Document
		for _, c := range of[payment.Correction] {
			if c.Round == d.Round || c.Round+d.Round == 1 {
				corrections = append(corrections, c)
			}
		}
		if d.Number != "" {
			l.invoice(o, d, corrections)
		} else if o.State != order.Weighed {
			l.find(newest(o), grace, "order %s: it is %s and its invoice has no number", o.ID, o.State)
		}
	}
	if len(of[payment.Invoice]) == 0 {
		for _, d := range of[payment.Correction] {
			l.find(d.At, grace, "%s of order %s: there is no invoice that it corrects", name(d), o.ID)
		}
	}
}

// booked is when a document was booked last.
func booked(d payment.Document) time.Time {
	last := d.At
	for _, e := range d.Entries {
		last = later(last, e.At)
	}
	return last
}

// invoice compares an order with the state of its invoice.
func (l *look) invoice(o order.Order, d payment.Document, corrections []payment.Document) {
	since := later(booked(d), newest(o))
	allowed := map[payment.State][]order.State{
		payment.Issued:    {order.Invoiced},
		payment.Paid:      {order.Paid},
		payment.Cancelled: {order.Invoiced, order.Paid}, // a correction changes no order
	}[d.State]
	if d.Paper.Replaces != nil {
		allowed = []order.State{order.Invoiced, order.Paid} // which the order was by the replaced one already
	}
	if !slices.Contains(allowed, o.State) {
		l.find(since, grace, "order %s: it is %s and its %s is %s; look at the dead letters of order", o.ID, o.State, name(d), d.State)
	}
	i := o.Invoice
	if d.ReplacedBy != "" {
		i = nil // the order has the one that came in its place
	}
	if i != nil && (i.Number != d.Number || i.Total != d.Paper.Total || i.DueOn != "" && i.DueOn != d.Paper.DueOn) {
		l.find(since, grace, "order %s: it says that it has the invoice %s about %s, and payment has %s about %s; correct the order", o.ID, i.Number,
			i.Total.GrossCents, d.Number, d.Paper.Total.GrossCents)
	} else if i != nil && i.DueOn == "" {
		l.find(since, grace, "order %s: it does not know when its %s is due; look at the dead letters of order", o.ID, name(d))
	}
	switch {
	case d.State == payment.Cancelled && len(corrections) != 1:
		l.find(since, grace, "%s of order %s: it is cancelled and has %d corrections, not one; payment finishes it within seconds, look at its lines", name(d), o.ID, len(corrections))
	case d.State != payment.Cancelled && len(corrections) > 0:
		l.find(later(since, corrections[0].At), grace, "%s of order %s: its invoice %s is %s, not cancelled", name(corrections[0]), o.ID, d.Number, d.State)
	case len(corrections) == 1:
		c := corrections[0]
		if err := c.Cancels(d); err != nil {
			l.find(time.Time{}, grace, "%s of order %s: %v", name(c), o.ID, err)
		}
		if c.Number == "" || d.Correction != c.Number {
			l.find(since, grace, "%s of order %s: it names the correction %q, and that is %s; payment finishes it within seconds, look at its lines", name(d), o.ID,
				d.Correction, name(c))
		}
	}
}

// books adds the bookings up, and looks for money that was taken and not given on.
func (l *look) books() {
	took := map[string]string{} // line -> invoice
	for _, docs := range l.documents {
		for _, d := range docs {
			sum, err := d.Proof()
			l.report.Ledger += sum
			if err != nil {
				l.find(time.Time{}, 0, "books: %s: %v; book the difference", name(d), err)
			}
			for _, p := range d.Payments {
				line, known := l.lines[p.Line]
				other, twice := took[p.Line]
				switch {
				case known && line.Payout && d.Kind == payment.CreditNote: // it pays several, whose sum the accounts show
				case twice:
					l.find(booked(d), 0, "books: the statement line %s pays %s and %s; correct one", p.Line, other, d.Number)
				case !known: // lines are read after documents, so it is not there
					l.find(time.Time{}, 0, "books: %s was paid by the statement line %s, which does not exist", name(d), p.Line)
				case line.Invoice != d.Number || line.Cents != p.Cents:
					l.find(time.Time{}, 0, "books: %s took %s of the statement line %s, which says %s for %q", name(d), p.Cents, p.Line, line.Cents, line.Invoice)
				}
				took[p.Line] = d.Number
			}
		}
	}
	for _, s := range l.lines {
		sum, err := s.Proof()
		l.report.Ledger += sum
		if err != nil {
			l.find(time.Time{}, 0, "books: statement line %s: %v; book the difference", s.ID, err)
		}
		if s.Invoice != "" && took[s.ID] == "" {
			since := s.At
			if s.OpenSince != nil {
				since = later(since, *s.OpenSince)
			}
			l.find(since, grace, "books: the statement line %s is for %s, which has not taken it; payment finishes it within seconds, look at its lines", s.ID, s.Invoice)
		}
	}
	if l.report.Ledger != 0 {
		l.find(time.Time{}, 0, "books: all bookings add up to %s, not to zero", l.report.Ledger)
	}
}

// series counts the numbers of each series, and holds them against the documents that bear them.
func (l *look) series() {
	bearer := map[string]payment.Document{} // number -> document
	for _, docs := range l.documents {
		for _, d := range docs {
			if d.Number == "" {
				continue
			}
			if other, twice := bearer[d.Number]; twice {
				l.find(time.Time{}, 0, "numbers: %s is borne by %s and %s; correct one", d.Number, other.ID, d.ID)
			}
			bearer[d.Number] = d
		}
	}
	counted, reserved := map[string][]int64{}, map[string]bool{}
	for _, n := range l.numbers {
		series := n.Tenant + "/" + n.Series
		counted[series] = append(counted[series], n.N)
		reserved[n.Text()] = true
		if d, borne := bearer[n.Text()]; !borne || d.ID != n.Owner {
			l.find(n.ReservedAt, grace, "numbers: %s is reserved for %s, which does not bear it; payment finishes it within seconds, look at its lines", n.Text(), n.Owner)
		}
	}
	for series, list := range counted {
		slices.Sort(list)
		for i, n := range list {
			if want := int64(i) + 1; n != want {
				l.find(time.Time{}, 0, "numbers: %s has a gap: %d is missing; a number was removed from the database, restore it", series, want)
				break
			}
		}
	}
	for number, d := range bearer {
		if !reserved[number] && !d.At.After(l.now) { // numbers are read after documents
			l.find(time.Time{}, 0, "numbers: %s bears %s, which was never given; restore it in the numbers of payment", d.ID, number)
		}
		if series := map[payment.Kind]string{payment.Invoice: "R-", payment.CreditNote: "G-", payment.Correction: "K-", payment.CreditCorrection: "K-"}[d.Kind]; !strings.HasPrefix(number, series) {
			l.find(time.Time{}, 0, "numbers: the %s %s bears %s, not a number of the series %s", d.Kind, d.ID, number, series)
		}
	}
}

// match compares who has an order.
func (l *look) match() {
	for id, o := range l.orders {
		m, known := l.matches[id]
		if !known {
			l.find(newest(o), grace, "order %s: it is %s and matching does not know it; look at the dead letters of matching", id, o.State)
			continue
		}
		since := later(newest(o), answered(m))
		wrong := false
		switch o.State {
		case order.Placed:
			wrong = m.State != matching.Offered
		case order.Unmatched:
			wrong = m.State != matching.Unmatched && m.State != matching.Offered // the back office offers it by hand
		case order.Cancelled:
			wrong = m.State != matching.Withdrawn
		default:
			wrong = m.State != matching.Accepted || m.PartnerID != o.PartnerID
		}
		if wrong {
			l.find(since, grace, "order %s: it is %s with %s, and its match is %s with %s; look at the dead letters of order and matching", id, o.State,
				partnerOr(o.PartnerID), m.State, partnerOr(m.PartnerID))
		}
	}
	for id, m := range l.matches {
		if _, known := l.orders[id]; !known { // matches are read after orders, so it may be new
			l.find(answered(m), grace, "match %s: its order does not exist; find out who removed it", id)
		}
	}
}

// swaps compares each order that swaps a container with the one that the container belongs to.
func (l *look) swaps() {
	for id, o := range l.orders {
		if o.Swap == nil {
			continue
		}
		old, known := l.orders[o.Swap.Of]
		since := later(newest(o), newest(old))
		_, collected := entered(old, order.Collected)
		by := ""
		if old.SwappedBy != nil {
			by = old.SwappedBy.OrderID
		}
		switch {
		case !known:
			l.find(since, grace, "order %s: it swaps the container of order %s, which does not exist", id, o.Swap.Of)
		case o.Swap.Done && !collected:
			l.find(since, grace, "order %s: it has swapped the container of order %s, which is %s; look at the dead letters of order", id, old.ID, old.State)
		case o.Swap.Claim != "" && !o.Swap.Done && (old.State != order.OnSite || by != id):
			l.find(since, grace, "order %s: it is to swap the container of order %s, which is %s and to be swapped by %q; look at the dead letters of order", id, old.ID, old.State, by)
		case o.Swap.Claim == "" && old.State == order.OnSite && by == id:
			l.find(since, grace, "order %s: it swaps nothing any more, and order %s waits to be swapped by it; look at the dead letters of order", id, old.ID)
		}
	}
}

func partnerOr(id string) string {
	if id == "" {
		return "nobody"
	}
	return id
}

// answered is when the last thing happened to a match.
func answered(m matching.Match) time.Time {
	last := m.OfferedAt
	for _, c := range m.Candidates {
		last = later(last, later(c.OfferedAt, c.AnsweredAt))
	}
	return last
}

// partner compares what matching and payment know of partners with what disposer says.
func (l *look) partner() {
	for id, p := range l.partners {
		var since time.Time
		if p.OutboxAt != nil {
			since = *p.OutboxAt
		}
		m, inNetwork := l.network[id]
		b, billed := l.billed[id]
		switch {
		case !inNetwork || !billed:
			l.find(since, grace, "partner %s: known to matching: %t, to payment: %t; look at their dead letters, or save the partner again", id, inNetwork, billed)
		case m.Version != b.Known || m.Version > p.Version:
			l.find(since, grace, "partner %s: disposer has version %d, matching %d, payment %d; look at the dead letters, or save the partner again", id, p.Version, m.Version, b.Known)
		case !reflect.DeepEqual(network.PartnerOf(p.State(m.Version)), m):
			l.find(since, grace, "partner %s: matching has another state of it than disposer; save the partner again", id)
		case !b.Knows(p.State(b.Known)):
			l.find(since, grace, "partner %s: payment has another state of it than disposer; save the partner again", id)
		}
	}
	for id := range l.network {
		if _, known := l.partners[id]; !known {
			l.find(time.Time{}, 0, "partner %s: matching knows it, disposer does not", id)
		}
	}
	for id := range l.billed {
		if _, known := l.partners[id]; !known {
			l.find(time.Time{}, 0, "partner %s: payment knows it, disposer does not", id)
		}
	}
}

// often lists the events with a mail that happen as often as people or time like, or not at all: nothing else tells of them.
func often() (types []string) {
	for _, p := range []event.Payload{
		event.Scheduled{}, event.Unmatched{}, event.Reminded{}, event.DocumentCorrected{}, event.Objected{}, event.ObjectionAnswered{}, event.Returned{}, event.PaidOut{},
	} {
		types = append(types, p.Type())
	}
	return types
}

// mail looks for the mail about each event that gives one.
func (l *look) mail() {
	for id, o := range l.orders {
		due := map[string]time.Time{} // type of event -> since when
		for state, of := range map[order.State]event.Payload{
			order.Placed: event.Placed{}, order.Matched: event.Matched{}, order.OnSite: event.OnSite{}, order.Collected: event.Collected{},
			order.Weighed: event.Weighed{}, order.Cancelled: event.Cancelled{},
		} {
			if at, was := entered(o, state); was {
				due[of.Type()] = at
			}
		}
		cancelled := false
		replaced := false
		for _, d := range l.documents[id] {
			replaced = replaced || d.ReplacedBy != ""
			if d.Kind == payment.CreditNote && d.Number != "" {
				due[event.Credited{}.Type()] = booked(d)
			}
			if d.Kind != payment.Invoice || d.Number == "" {
				continue
			}
			due[event.Invoiced{}.Type()] = booked(d)
			cancelled = d.State == payment.Cancelled
			if d.State == payment.Paid {
				due[event.Paid{}.Type()] = booked(d)
			}
		}
		count := map[string]int{}
		for _, m := range l.mails[id] {
			count[m.Event.Type]++
			if m.State == mailing.Queued || m.State == mailing.Sending {
				l.find(m.Event.Time, mailGrace, "mail %s about %s of order %s: it is %s since %s: %s; look at the mail server and the lines of mailing", m.ID,
					m.Event.Type, id, m.State, stamp(m.Event.Time), m.Reason)
			}
		}
		for of, since := range due {
			if count[of] == 0 {
				l.find(since, grace, "order %s: there is no mail about %s; look at the dead letters of mailing", id, of)
			}
		}
		for of, n := range count {
			_, wanted := due[of]
			switch {
			case slices.Contains(often(), of):
			case replaced && strings.HasPrefix(of, "payment."): // each document has its mails
			case n > 1:
				l.find(time.Time{}, 0, "order %s: there are %d mails about %s; the event was made twice", id, n, of)
			case !wanted && !(cancelled && of == event.Paid{}.Type()): // paid before it was cancelled
				l.find(l.told(id, of), grace, "order %s: there is a mail about %s, and that did not happen", id, of)
			}
		}
	}
	for id, mails := range l.mails {
		if _, known := l.orders[id]; !known && id != "" { // those without an order are about accounts and standing orders
			l.find(mails[len(mails)-1].Event.Time, grace, "order %s: there are %d mails about it, and it does not exist", id, len(mails))
		}
	}
}

// told is when an event happened that a mail is about.
func (l *look) told(orderID, of string) (at time.Time) {
	for _, m := range l.mails[orderID] {
		if m.Event.Type == of {
			at = later(at, m.Event.Time)
		}
	}
	return at
}
