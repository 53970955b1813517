package payment

import (
	"fmt"
	"slices"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
	"kreislauf/services/payment/paper"
)

// Kind of a document.
type Kind string

// The kinds, with the first letter of their numbers.
const (
	Invoice    Kind = "invoice"     // R: to the customer
	CreditNote Kind = "credit-note" // G: to the partner, issued by us
	Correction Kind = "correction"  // K: cancels an invoice

	CreditCorrection Kind = "credit-note-correction" // K too: cancels a credit note
)

func (k Kind) letter() string {
	return map[Kind]string{Invoice: "R", CreditNote: "G", Correction: "K", CreditCorrection: "K"}[k]
}

// State of a document.
type State string

// The states.
const (
	Draft     State = "draft"     // written, and its number is not in it yet
	Issued    State = "issued"    // it waits for its payment
	Paid      State = "paid"      // it is paid whole
	Cancelled State = "cancelled" // it was cancelled by a correction
	Objected  State = "objected"  // a credit note has lost its effect, because the partner objected; the back office looks after it
)

// objectionDays is how long a partner can object to a credit note.
const objectionDays = 14

// Payment is money that pays an invoice.
type Payment struct {
	Line     string      `json:"statement_line" bson:"line"` // id of the statement line
	BookedOn string      `json:"booked_on" bson:"booked_on"`
	Cents    money.Cents `json:"amount_cents" bson:"cents"`
}

// Note is why and when something was done to a document.
type Note struct {
	At     time.Time `json:"at" bson:"at"`
	Reason string    `json:"reason" bson:"reason"`
}

// Document is the aggregate and its document: an invoice, a credit note or a correction, with its bookings.
type Document struct {
	aggregate.Root `bson:",inline"`
	audit.Trail    `bson:",inline"`
	Journal        `bson:",inline"`
	Kind           Kind        `bson:"kind"`
	State          State       `bson:"state"`
	Number         string      `bson:"number,omitempty"` // "R-2026-000001"; absent in a draft
	OrderID        string      `bson:"order_id"`
	Round          int         `bson:"round,omitempty"`      // 2 of the first replacement, …; 0 or 1 of the first document of the order
	UserID         string      `bson:"user_id,omitempty"`    // of an invoice and its correction
	CompanyID      string      `bson:"company_id,omitempty"` // of the same, when a company ordered
	PartnerID      string      `bson:"partner_id,omitempty"` // of a credit note and its correction
	Paper          paper.Paper `bson:"paper"`
	At             time.Time   `bson:"at"` // when it was written
	VisitID        string      `bson:"visit_id,omitempty"`
	Traceparent    string      `bson:"traceparent"` // of the order, so that what happens later continues its trace

	Payments  []Payment  `bson:"payments,omitempty"`
	Reminders []Reminder `bson:"reminders,omitempty"`
	Objection *Note      `bson:"objection,omitempty"` // of the partner, or of the customer to an invoice
	Hold      *Note      `bson:"hold,omitempty"`      // by the back office: no reminders

	Order      event.Weighed `bson:"order"`             // what it bills; without OrderID in documents of before there were replacements
	File       *event.File   `bson:"file,omitempty"`    // the PDF in the store of documents, for mails; nil where none are kept
	Run        string        `bson:"run,omitempty"`     // id of the run that takes it to the bank
	Carried    money.Cents   `bson:"carried,omitempty"` // paid for the invoice that this one replaces
	Cancelling *Cancelling   `bson:"cancelling,omitempty"`
	Correction string        `bson:"correction,omitempty"`  // number of the correction, once it has one
	ReplacedBy string        `bson:"replaced_by,omitempty"` // number of what came in its place, once it has one
	// OpenSince is there while steps outside of this document are missing: the number of a draft; correction and replacement of a cancelled one.
	// It is the machine's time, not that of the business.
	OpenSince *time.Time `bson:"open_since,omitempty"`
}

// idOf is the id of the first document of a kind of an order.
func idOf(k Kind, orderID string) string { return string(k) + "-" + orderID }

// series is where the document's number comes from: "R-2026-".
func (d *Document) series() string {
	return d.Kind.letter() + "-" + d.Paper.IssuedOn[:len("2006")] + "-"
}

func draft(k Kind, w event.Weighed, p paper.Paper, meta event.Meta, now time.Time) Document {
	return Document{
		Root: aggregate.New(idOf(k, w.OrderID)), Kind: k, State: Draft, OrderID: w.OrderID, Paper: p, Order: w, At: meta.At,
		VisitID: meta.VisitID, Traceparent: meta.Traceparent, OpenSince: &now,
	}
}

// draftInvoice bills an order; today is the local date, now the machine's time.
func draftInvoice(c Company, w event.Weighed, b Buyer, meta event.Meta, today, now time.Time) (Document, error) {
	p, err := invoicePaper(c, w, b, today)
	d := draft(Invoice, w, p, meta, now)
	d.UserID, d.CompanyID = w.UserID, w.CompanyID
	return d, err
}

// draftCredit credits an order to its partner.
func draftCredit(c Company, partner Partner, w event.Weighed, meta event.Meta, today, now time.Time) (Document, error) {
	p, err := creditPaper(c, partner, w, today)
	d := draft(CreditNote, w, p, meta, now)
	d.PartnerID = w.PartnerID
	return d, err
}

// number gives a draft its number: from now on it is issued, booked and told of, and an invoice's reminder is planned. A document that has
// a number stays as it is.
func (d *Document) number(text string, meta event.Meta, t terms) error {
	if d.State != Draft {
		if d.Number != text {
			return fmt.Errorf("number %s: it is %s already, not %s", d.ID, d.Number, text)
		}
		return nil
	}
	d.State, d.Number, d.OpenSince = Issued, text, nil
	sum := d.Paper.Total
	switch d.Kind {
	case Invoice:
		if err := d.Book(meta.At, "invoice", invoiced(sum, 1)...); err != nil {
			return err
		}
		if err := d.plan(t, time.Time{}); err != nil {
			return err
		}
		e := event.Invoiced{OrderID: d.OrderID, UserID: d.UserID, CompanyID: d.CompanyID, Number: text, Total: sum, DueOn: d.Paper.DueOn, File: d.File}
		if r := d.Paper.Replaces; r != nil {
			e.Replaces = r.Number
		}
		if err := d.emit(meta, e); err != nil {
			return err
		}
		paid := min(d.Carried, sum.GrossCents)
		if err := d.Book(meta.At, "credit of the replaced invoice", Posting{Prepayments, paid}, Posting{Receivables, -paid}); err != nil {
			return err
		}
		return d.settled(meta)
	case CreditNote:
		if err := d.Book(meta.At, "credit note", credited(sum, 1)...); err != nil {
			return err
		}
		e := event.Credited{OrderID: d.OrderID, PartnerID: d.PartnerID, Number: text, Total: sum, File: d.File}
		if r := d.Paper.Replaces; r != nil {
			e.Replaces = r.Number
		}
		return d.emit(meta, e)
	}
	return nil // a correction is booked in what it cancels, together with its cancelling
}

// invoiced is what an invoice means for the books; factor -1 takes it back.
func invoiced(p money.Price, factor money.Cents) []Posting {
	return []Posting{{Receivables, factor * p.GrossCents}, {Revenue, -factor * p.NetCents}, {VATOutput, -factor * p.VATCents}}
}

// credited is what a credit note means for the books; factor -1 takes it back.
func credited(p money.Price, factor money.Cents) []Posting {
	return []Posting{{Cost, factor * p.NetCents}, {VATInput, factor * p.VATCents}, {Payables, -factor * p.GrossCents}}
}

// emit tells what has just happened, as a part of the order's trace and visit.
func (d *Document) emit(meta event.Meta, p event.Payload) error {
	meta.VisitID, meta.Traceparent = d.VisitID, d.Traceparent
	return d.Emit(meta, p)
}

// open is what the customer still has to pay.
func (d *Document) open() money.Cents {
	if d.Kind != Invoice || d.State != Issued {
		return 0
	}
	return d.Balance[Receivables]
}

// pay takes money from the unassigned receipts: what is open is paid, the rest is the customer's credit with us. A line that has paid
// already changes nothing. Money for a cancelled invoice is the customer's whole.
func (d *Document) pay(p Payment, meta event.Meta, t terms) error {
	if slices.ContainsFunc(d.Payments, func(q Payment) bool { return q.Line == p.Line }) {
		return nil
	}
	if d.Kind != Invoice || d.State == Draft {
		return fmt.Errorf("pay %s: it is a %s in the state %s", d.ID, d.Kind, d.State)
	}
	if p.Cents < 0 {
		return d.payBack(p, meta, t)
	}
	due := min(d.open(), p.Cents)
	err := d.Book(meta.At, "payment "+p.Line, Posting{Unassigned, p.Cents}, Posting{Receivables, -due}, Posting{Prepayments, due - p.Cents})
	if err != nil {
		return err
	}
	d.Payments = append(d.Payments, p)
	return d.settled(meta)
}

// paid is what was paid for the document so far.
func (d *Document) paid() (sum money.Cents) {
	for _, p := range d.Payments {
		sum += p.Cents
	}
	return sum
}

// payBack gives money of an earlier payment back to the unassigned ones: a debit was returned, a transfer recalled. First what the customer had
// paid too much goes, then the invoice is open again.
func (d *Document) payBack(p Payment, meta event.Meta, t terms) error {
	credit := min(max(-d.Balance[Prepayments], 0), -p.Cents)
	if d.State == Cancelled {
		credit = -p.Cents
	}
	err := d.Book(meta.At, "returned "+p.Line, Posting{Unassigned, p.Cents}, Posting{Prepayments, credit}, Posting{Receivables, -p.Cents - credit})
	if err != nil {
		return err
	}
	d.Payments, d.Run = append(d.Payments, p), ""
	if d.State == Cancelled {
		return nil
	}
	d.State = Issued
	if d.open() <= 0 {
		d.State = Paid
		return nil
	}
	if err := d.plan(t, meta.At.AddDate(0, 0, t.patience())); err != nil {
		return err
	}
	return d.emit(meta, event.Returned{OrderID: d.OrderID, UserID: d.UserID, CompanyID: d.CompanyID, Number: d.Number, OpenCents: d.open()})
}

// settled says that an invoice is paid, once nothing of it is open.
func (d *Document) settled(meta event.Meta) error {
	if d.State != Issued || d.open() > 0 {
		return nil
	}
	d.State = Paid
	d.Due(time.Time{})
	return d.emit(meta, event.Paid{OrderID: d.OrderID, UserID: d.UserID, Number: d.Number, Total: d.Paper.Total})
}

// object takes a credit note's effect away, by its partner. Objecting again changes nothing.
func (d *Document) object(reason string, by audit.Entry, meta event.Meta, berlin *time.Location) error {
	switch d.State {
	case Objected:
		return nil
	case Cancelled:
		return problem.New(problem.Conflict, "The credit note %s was cancelled by %s and has no effect any more.", d.Number, d.Correction)
	}
	issued, err := time.ParseInLocation(time.DateOnly, d.Paper.IssuedOn, berlin)
	if err != nil {
		return fmt.Errorf("object to %s: %w", d.ID, err)
	}
	if last := issued.AddDate(0, 0, objectionDays); !by.At.Before(last.AddDate(0, 0, 1)) {
		return problem.New(problem.Conflict, "The credit note %s could be objected to until %s; call us.", d.Number, last.Format(time.DateOnly))
	}
	if err := d.Book(by.At, "objection", credited(d.Paper.Total, -1)...); err != nil {
		return err
	}
	d.again()
	d.State, d.Objection = Objected, &Note{by.At, reason}
	if err := d.emit(meta, event.Objected{OrderID: d.OrderID, PartnerID: d.PartnerID, Number: d.Number, Total: d.Paper.Total, Reason: reason}); err != nil {
		return err
	}
	return d.Trail.Add(by)
}
