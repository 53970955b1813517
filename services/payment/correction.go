package payment

import (
	"fmt"
	"slices"
	"time"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
	"kreislauf/services/payment/paper"
)

// Cancelling is why a document was taken back, or a credit note that its partner objected to is replaced, and what comes in its place.
type Cancelling struct {
	Note   `bson:",inline"`
	Cause  string      `bson:"cause,omitempty"`  // id of the event that asked for it; empty: a person did
	Credit money.Cents `bson:"credit,omitempty"` // what was paid for the invoice: it pays the new one
	Next   *Next       `bson:"next,omitempty"`   // nil: nothing comes in its place
	Also   *Also       `bson:"also,omitempty"`   // the order's other document, which is wrong for the same reason
}

// Next is a document that comes in the place of another one. It is frozen when the other one is cancelled, so whoever comes first may write it.
type Next struct {
	Order event.Weighed `bson:"order"`
	Paper paper.Paper   `bson:"paper"`
}

// Also has another document replaced for the same reason.
type Also struct {
	ID    string       `bson:"id"`
	Next  Next         `bson:"next"`
	Entry *audit.Entry `bson:"entry,omitempty"` // of the person who did it
}

// current says whether a document is the order's valid one of its kind, or one that waits for its replacement after an objection.
func (d *Document) current() bool {
	return d.Number != "" && (d.State == Issued || d.State == Paid || d.State == Objected && d.Cancelling == nil)
}

// correctionKind is the kind of a document's correction.
func (k Kind) correctionKind() Kind {
	if k == CreditNote {
		return CreditCorrection
	}
	return Correction
}

// idIn is the id of an order's document of a kind; round counts its documents from 1 on: each replacement begins another one.
func idIn(k Kind, orderID string, round int) string {
	if round <= 1 {
		return idOf(k, orderID)
	}
	return fmt.Sprintf("%s-%d", idOf(k, orderID), round)
}

// cancel takes an invoice or credit note back, and plans what comes in its place. What a customer had paid is its credit with us; what a
// partner had been paid is set off against its next credit notes. A credit note that its partner objected to has no effect any more: it is
// only replaced. The correction and the replacement come next. Doing the same again changes nothing. by is nil for an event.
func (d *Document) cancel(c Cancelling, by *audit.Entry, now time.Time) error {
	if d.State == Objected && c.Next == nil { // also when it was replaced already: there is no correction to answer with
		return problem.New(problem.Conflict, "The partner objected to %s, so it has no effect and needs no correction; issue a new credit note.", d.Number)
	}
	if d.Cancelling != nil && (c.Next == nil || d.Cancelling.Next != nil) {
		if !d.Cancelling.same(c) {
			return problem.New(problem.Conflict, "The document %s is cancelled already, in favour of another one; correct that one.", d.Number)
		}
		return nil
	}
	if d.Number == "" || d.Kind != Invoice && d.Kind != CreditNote {
		return fmt.Errorf("cancel %s: it is a %s in the state %s", d.ID, d.Kind, d.State)
	}
	switch {
	case d.State == Cancelled: // earlier, without a new one
	case d.State == Objected:
	case d.Kind == CreditNote:
		if err := d.Book(c.At, "correction", credited(d.Paper.Total, -1)...); err != nil {
			return err
		}
		d.again()
		d.State = Cancelled
	default:
		if err := d.Book(c.At, "correction", d.claim(-1)...); err != nil {
			return err
		}
		if owed := d.Balance[Receivables]; owed < 0 {
			if err := d.Book(c.At, "credit of the customer", Posting{Receivables, -owed}, Posting{Prepayments, owed}); err != nil {
				return err
			}
		}
		d.State = Cancelled
	}
	c.Credit = d.Carried
	for _, p := range d.Payments {
		c.Credit += p.Cents
	}
	d.Cancelling, d.OpenSince = &c, &now
	d.Due(time.Time{})
	if by == nil {
		return nil
	}
	return d.Trail.Add(*by)
}

// same says whether two wishes come to the same: nothing, or a document of the same content.
func (c *Cancelling) same(o Cancelling) bool {
	if o.Next == nil || c.Next == nil {
		return o.Next == nil
	}
	return c.Next.Paper.Buyer == o.Next.Paper.Buyer && slices.Equal(c.Next.Paper.Lines, o.Next.Paper.Lines)
}

// draftCorrection cancels a document that was cancelled in the books. It follows from the document alone, so whoever comes first may write it.
func draftCorrection(of Document, berlin *time.Location, now time.Time) (Document, error) {
	if of.Cancelling == nil || of.State != Cancelled {
		return Document{}, fmt.Errorf("correct %s: it is not cancelled", of.ID)
	}
	p, err := correctionPaper(of.Paper, of.Number, of.Cancelling.At.In(berlin))
	d := of.follower(of.Kind.correctionKind(), of.Round, now)
	d.Paper = p
	return d, err
}

// draftReplacement is what comes in the place of a cancelled document.
func draftReplacement(of Document, now time.Time) (Document, error) {
	if of.Cancelling == nil || of.Cancelling.Next == nil {
		return Document{}, fmt.Errorf("replace %s: nothing comes in its place", of.ID)
	}
	next := of.Cancelling.Next
	d := of.follower(of.Kind, max(of.Round, 1)+1, now)
	d.Paper, d.Order, d.Carried = next.Paper, next.Order, of.Cancelling.Credit
	if d.Kind == Invoice {
		d.CompanyID = next.Order.CompanyID
	}
	return d, nil
}

// follower is a draft that follows from a cancelled document.
func (d *Document) follower(k Kind, round int, now time.Time) Document {
	f := draft(k, event.Weighed{OrderID: d.OrderID}, paper.Paper{}, event.Meta{At: d.Cancelling.At, VisitID: d.VisitID, Traceparent: d.Traceparent}, now)
	f.ID, f.Round, f.UserID, f.CompanyID, f.PartnerID = idIn(k, d.OrderID, round), round, d.UserID, d.CompanyID, d.PartnerID
	return f
}

// corrected notes the numbers of the correction and the replacement, and tells of them. It is the last step.
func (d *Document) corrected(correction, replacement string, file *event.File, meta event.Meta) error {
	if d.OpenSince == nil && d.Correction == correction && d.ReplacedBy == replacement {
		return nil
	}
	d.Correction, d.ReplacedBy, d.OpenSince = correction, replacement, nil
	if d.State == Objected {
		return d.emit(meta, event.ObjectionAnswered{OrderID: d.OrderID, PartnerID: d.PartnerID, Number: d.Number, Replacement: replacement})
	}
	e := event.DocumentCorrected{
		OrderID: d.OrderID, Number: d.Number, Correction: correction, Replacement: replacement, Total: d.Paper.Total, Reason: d.Cancelling.Reason, File: file,
	}
	if d.Kind == Invoice {
		e.UserID, e.CompanyID = d.UserID, d.CompanyID
	} else {
		e.PartnerID = d.PartnerID
	}
	return d.emit(meta, e)
}

// Change is what a correction does to one document.
type Change struct {
	Number string      `json:"number"`
	Kind   Kind        `json:"kind"`
	Before money.Cents `json:"before_cents"` // gross
	After  money.Cents `json:"after_cents"`  // of what comes in its place; 0 without
	Delta  money.Cents `json:"delta_cents"`
	Buyer  string      `json:"buyer,omitempty"` // name of whom the new invoice is for
}

// Preview is what a correction would do, before it is done.
type Preview struct {
	Changes  []Change                `json:"changes"`
	Customer money.Cents             `json:"customer_cents"` // how much more the customer pays, gross; negative: less
	Partner  money.Cents             `json:"partner_cents"`  // how much more the partner gets, gross
	Ledger   map[Account]money.Cents `json:"ledger"`         // what changes on the accounts; adds up to 0
}

// preview tries a correction on copies of the documents.
func preview(docs []Document, next []*Next, c Note, t terms) (Preview, error) {
	p := Preview{Changes: []Change{}, Ledger: map[Account]money.Cents{}}
	meta := event.Meta{At: c.At}
	for i, d := range docs {
		before := d.Balance
		objected := d.State == Objected
		if err := d.cancel(Cancelling{Note: c, Next: next[i]}, nil, c.At); err != nil {
			return p, err
		}
		for _, a := range Accounts() {
			p.Ledger[a] += d.Balance[a] - before[a]
		}
		change := Change{Number: d.Number, Kind: d.Kind, Before: d.Paper.Total.GrossCents}
		if objected {
			change.Before = 0 // it had no effect any more
		}
		if next[i] != nil {
			r, err := draftReplacement(d, c.At)
			if err != nil {
				return p, err
			}
			if err := r.number("preview", meta, t); err != nil {
				return p, err
			}
			for _, a := range Accounts() {
				p.Ledger[a] += r.Balance[a]
			}
			change.After = r.Paper.Total.GrossCents
			if r.Kind == Invoice {
				change.Buyer = r.Paper.Buyer.Name
			}
		}
		change.Delta = change.After - change.Before
		if d.Kind == Invoice {
			p.Customer += change.Delta
		} else {
			p.Partner += change.Delta
		}
		p.Changes = append(p.Changes, change)
	}
	for a, c := range p.Ledger {
		if c == 0 {
			delete(p.Ledger, a)
		}
	}
	return p, nil
}
