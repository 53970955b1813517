package payment

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
	"kreislauf/services/payment/bank"
	"kreislauf/services/payment/paper"
)

func (s *service) consume(ctx context.Context, e event.Event, payload event.Payload) error {
	switch p := payload.(type) {
	case event.SignedUp:
		_, err := s.customers.Insert(ctx, Customer{aggregate.New(p.UserID), p.Email})
		return err
	case event.CompanyChanged:
		_, err := s.clients.PutNewer(ctx, p.CompanyID, p.Version, newClient(p))
		return err
	case event.PartnerChanged:
		return s.learn(ctx, p)
	case event.Weighed:
		meta := s.meta(ctx)
		meta.Customer, meta.VisitID = e.Customer, e.VisitID
		return s.bill(ctx, p, meta)
	case event.Corrected:
		if p.Bill != nil {
			return s.rebill(ctx, *p.Bill, e.ID, p.Reason)
		}
	}
	return nil // other events of an order cost nobody anything
}

func (s *service) learn(ctx context.Context, e event.PartnerChanged) error {
	_, known, err := s.partners.Add(ctx, newPartner(e))
	if err != nil || !known {
		return err
	}
	_, _, err = s.partners.Change(ctx, e.PartnerID, func(p *Partner) error { p.learn(e); return nil })
	return err
}

// bill makes the invoice and the credit note of an order. It may be called as often as one likes, by several instances at once: what is
// there already is kept and finished.
func (s *service) bill(ctx context.Context, w event.Weighed, meta event.Meta) error {
	partner, err := s.partners.Get(ctx, w.PartnerID)
	if problem.KindOf(err) == problem.NotFound {
		return fmt.Errorf("bill order %s: partner %s is not known yet", w.OrderID, w.PartnerID) // its event is on another topic and will come
	}
	if err != nil {
		return err
	}
	buyer, err := s.buyer(ctx, w)
	if err != nil {
		return err
	}
	today, now := s.today(), time.Now()
	invoice, err := draftInvoice(s.company, w, buyer, meta, today, now)
	if err != nil {
		return err
	}
	credit, err := draftCredit(s.company, partner, w, meta, today, now)
	if err != nil {
		return err
	}
	for _, d := range []Document{invoice, credit} {
		if _, err := s.documents.Insert(ctx, d); err != nil {
			return err
		}
		if err := s.finish(ctx, d.ID); err != nil {
			return err
		}
	}
	return nil
}

// buyer is whom an order is billed to.
func (s *service) buyer(ctx context.Context, w event.Weighed) (Buyer, error) {
	if w.CompanyID != "" {
		c, err := s.clients.Get(ctx, w.CompanyID)
		if problem.KindOf(err) == problem.NotFound {
			return Buyer{}, fmt.Errorf("bill order %s: company %s is not known yet", w.OrderID, w.CompanyID) // as with partners
		}
		return Buyer{c.party(), true, c.reverses(w.Waste)}, err
	}
	customer, err := s.customers.Get(ctx, w.UserID)
	if err != nil && problem.KindOf(err) != problem.NotFound { // who signed up long ago is not known: the invoice is for people then
		return Buyer{}, err
	}
	return person(w, customer.Email), nil
}

// revised finds the documents of the order of d that are others once the facts are corrected: d itself, and the order's other one if its lines
// depend on what changes. buyer is who is billed instead; nil: whom the facts name.
func (s *service) revised(ctx context.Context, d Document, revise func(event.Weighed) event.Weighed, buyer *Buyer) ([]Document, []*Next, error) {
	all, err := s.documents.ofOrder(ctx, d.OrderID)
	if err != nil {
		return nil, nil, err
	}
	docs := []Document{d}
	for _, o := range all {
		if o.ID != d.ID && o.Kind != d.Kind && (o.Kind == Invoice || o.Kind == CreditNote) && o.current() {
			docs = append(docs, o)
		}
	}
	var wrong []Document
	var next []*Next
	for i, o := range docs {
		if o.Order.OrderID == "" {
			return nil, nil, problem.New(problem.Conflict, "The document %s is of before there were replacements; it can be cancelled, but not billed anew.", o.Number)
		}
		n := &Next{Order: revise(o.Order)}
		if n.Paper, err = s.anew(ctx, o, n.Order, buyer); err != nil {
			return nil, nil, err
		}
		if i == 0 || !slices.Equal(n.Paper.Lines, o.Paper.Lines) {
			wrong, next = append(wrong, o), append(next, n)
		}
	}
	return wrong, next, nil
}

// rebill replaces the documents of an order that are others by a corrected bill. The event may come again: who was cancelled by it tells of it.
// Buyer and pay stay as they were, which the back office may have changed since.
func (s *service) rebill(ctx context.Context, bill event.Weighed, cause, reason string) error {
	all, err := s.documents.ofOrder(ctx, bill.OrderID)
	if err != nil {
		return err
	}
	var invoice *Document
	for i, d := range all {
		if d.Cancelling != nil && d.Cancelling.Cause == cause {
			return nil
		}
		if d.Kind == Invoice && d.current() {
			invoice = &all[i]
		}
	}
	if invoice == nil {
		return nil // the back office has cancelled it for good
	}
	docs, next, err := s.revised(ctx, *invoice, func(w event.Weighed) event.Weighed {
		b := bill
		b.CompanyID, b.Pay = w.CompanyID, w.Pay
		return b
	}, nil)
	if err != nil {
		return err
	}
	if p, o := next[0].Paper, docs[0].Paper; slices.Equal(p.Lines, o.Lines) && p.Slip == o.Slip && p.SuppliedFrom == o.SuppliedFrom && p.SuppliedTo == o.SuppliedTo {
		docs, next = docs[1:], next[1:] // the customer's bill stays
	}
	if len(docs) == 0 {
		return nil
	}
	c, now := Cancelling{Note: Note{s.meta(ctx).At, reason}, Cause: cause, Next: next[0]}, time.Now()
	if len(docs) > 1 {
		c.Also = &Also{ID: docs[1].ID, Next: *next[1]}
	}
	if _, _, err := s.documents.Change(ctx, docs[0].ID, func(d *Document) error { return d.cancel(c, nil, now) }); err != nil {
		return err
	}
	return s.finish(ctx, docs[0].ID)
}

// anew is the paper of a document with other facts, as of today.
func (s *service) anew(ctx context.Context, d Document, w event.Weighed, buyer *Buyer) (paper.Paper, error) {
	var p paper.Paper
	if d.Kind == CreditNote {
		partner, err := s.partners.Get(ctx, w.PartnerID)
		if err != nil {
			return p, err
		}
		if p, err = creditPaper(s.company, partner, w, s.today()); err != nil {
			return p, err
		}
	} else {
		b := Buyer{Party: d.Paper.Buyer, Company: d.Paper.Buyer.VATID != ""} // who has no company's account stays who it was
		if buyer != nil {
			b = *buyer
		} else if w.CompanyID != "" {
			c, err := s.clients.Get(ctx, w.CompanyID)
			if err != nil {
				return p, err
			}
			b = Buyer{c.party(), true, c.reverses(w.Waste)}
		}
		var err error
		if p, err = invoicePaper(s.company, w, b, s.today()); err != nil {
			return p, err
		}
	}
	p.Replaces = &paper.Reference{Number: d.Number, IssuedOn: d.Paper.IssuedOn}
	return p, check(p)
}

// finish does what is left to do for a document, whoever began it: the number of a draft, the correction of a cancelled invoice. Each step
// finds out whether it was done; see package numbering for why no number is lost or given twice.
func (s *service) finish(ctx context.Context, id string) error {
	d, err := s.documents.Get(ctx, id)
	if err != nil {
		return err
	}
	n, err := s.documents.numbers.Reserve(ctx, d.series(), d.ID, time.Now())
	if err != nil {
		return err
	}
	meta, file := s.meta(ctx), d.File
	if d.State == Draft {
		if file, err = s.files.print(ctx, d, n.Text()); err != nil {
			return err
		}
	}
	if d, _, err = s.documents.Change(ctx, id, func(d *Document) error {
		d.File = file
		return d.number(n.Text(), meta, s.terms)
	}); err != nil {
		return err
	}
	if n.OpenSince != nil {
		if err := s.documents.numbers.Bind(ctx, n); err != nil {
			return err
		}
	}
	if d.Cancelling == nil || d.OpenSince == nil {
		return nil
	}
	return s.follow(ctx, d)
}

// follow writes what follows from a cancelled document: its correction, its replacement, and the same for the order's other document.
func (s *service) follow(ctx context.Context, d Document) error {
	now, correction, replacement := time.Now(), d.Correction, d.ReplacedBy
	var file *event.File // of the correction
	if d.State == Cancelled && correction == "" {
		draft, err := draftCorrection(d, s.zone, now)
		if err != nil {
			return err
		}
		c, err := s.issue(ctx, draft)
		if err != nil {
			return err
		}
		correction, file = c.Number, c.File
	}
	if d.Cancelling.Next != nil && replacement == "" {
		draft, err := draftReplacement(d, now)
		if err != nil {
			return err
		}
		r, err := s.issue(ctx, draft)
		if err != nil {
			return err
		}
		replacement = r.Number
	}
	if also := d.Cancelling.Also; also != nil {
		c := Cancelling{Note: d.Cancelling.Note, Cause: d.Cancelling.Cause, Next: &also.Next}
		_, _, err := s.documents.Change(ctx, also.ID, func(o *Document) error {
			if o.Cancelling != nil {
				return nil // done, or somebody was faster with another one
			}
			return o.cancel(c, also.Entry, now)
		})
		if err != nil {
			return err
		}
		if err := s.finish(ctx, also.ID); err != nil {
			return err
		}
	}
	meta := s.meta(ctx)
	_, _, err := s.documents.Change(ctx, d.ID, func(d *Document) error { return d.corrected(correction, replacement, file, meta) })
	return err
}

// issue stores a draft, unless it is there, and gives it with its number.
func (s *service) issue(ctx context.Context, d Document) (Document, error) {
	if _, err := s.documents.Insert(ctx, d); err != nil {
		return d, err
	}
	if err := s.finish(ctx, d.ID); err != nil {
		return d, err
	}
	return s.documents.Get(ctx, d.ID)
}

// payable is the number of the one invoice that a reference text names; empty when it names none, more than one, or a cancelled one, which
// are for people to look at.
func (s *service) payable(ctx context.Context, reference string) (string, error) {
	found := ""
	for _, number := range numbersIn(reference) {
		d, known, err := s.documents.numbered(ctx, number)
		switch {
		case err != nil:
			return "", err
		case !known || d.Kind != Invoice:
			continue
		}
		for d.ReplacedBy != "" { // the customer pays by the old letter
			number = d.ReplacedBy
			if d, _, err = s.documents.numbered(ctx, number); err != nil {
				return "", err
			}
		}
		if d.State == Cancelled || found != "" && found != number {
			return "", nil
		}
		found = number
	}
	return found, nil
}

// receive takes an entry of an account statement, and gives its money on; fresh is false for one that was there.
func (s *service) receive(ctx context.Context, e bank.Entry, meta event.Meta) (l StatementLine, fresh bool, err error) {
	if l, err = newEntry(e, meta); err != nil {
		return l, false, err
	}
	now := time.Now()
	if endToEndPattern.MatchString(l.EndToEnd) {
		run, err := s.runs.Get(ctx, runOf(l.EndToEnd))
		if err != nil && problem.KindOf(err) != problem.NotFound {
			return l, false, err
		}
		if item, found := run.item(l.EndToEnd); found && (item.Cents == l.Cents || item.Cents == -l.Cents) {
			l.Payout, l.OpenSince = true, &now
		}
	} else if invoice, err := s.payable(ctx, l.EndToEnd+" "+l.Reference); err != nil {
		return l, false, err
	} else if invoice != "" {
		d, _, err := s.documents.numbered(ctx, invoice)
		if err != nil {
			return l, false, err
		}
		if paid := d.paid(); l.Cents < 0 && -l.Cents > paid {
			invoice = "" // more goes out than came in for it: a person has to look at it
		}
		if invoice != "" {
			if err := l.assign(invoice, "", now); err != nil {
				return l, false, err
			}
		}
	}
	l, replayed, err := s.lines.Add(ctx, l)
	if err != nil {
		return l, false, err
	}
	return l, !replayed, s.settle(ctx, l)
}

// settle gives the money of an assigned statement line to its invoice, or to the credit notes of its payout.
func (s *service) settle(ctx context.Context, l StatementLine) error {
	if !l.assigned() || l.OpenSince == nil {
		return nil
	}
	meta := s.meta(ctx)
	if l.Payout {
		run, err := s.runs.Get(ctx, runOf(l.EndToEnd))
		if err != nil {
			return err
		}
		item, _ := run.item(l.EndToEnd)
		for _, share := range item.Shares {
			cents := share.Cents // money that left; what comes back has the opposite sign
			if l.Cents > 0 {
				cents = -cents
			}
			if _, _, err := s.documents.Change(ctx, share.ID, func(d *Document) error {
				return d.payOut(Payment{l.ID, l.BookedOn, cents}, meta)
			}); err != nil {
				return err
			}
		}
	} else {
		d, found, err := s.documents.numbered(ctx, l.Invoice)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("settle statement line %s: there is no invoice %s", l.ID, l.Invoice)
		}
		if _, _, err := s.documents.Change(ctx, d.ID, func(d *Document) error {
			return d.pay(Payment{l.ID, l.BookedOn, l.Cents}, meta, s.terms)
		}); err != nil {
			return err
		}
	}
	_, _, err := s.lines.Change(ctx, l.ID, func(l *StatementLine) error { l.OpenSince = nil; return nil })
	return err
}

// collect claims the candidates of a run that is begun, and makes its items of those that it has got.
func (s *service) collect(ctx context.Context, r Run) (Run, error) {
	if r.OpenSince == nil {
		return r, nil
	}
	var docs []Document
	for _, id := range r.Candidates {
		d, _, err := s.documents.Change(ctx, id, func(d *Document) error { d.take(r.ID); return nil })
		if err != nil {
			return r, err
		}
		if d.Run == r.ID {
			docs = append(docs, d)
		}
	}
	partners, mandates := map[string]Partner{}, map[string]Mandate{}
	for _, d := range docs {
		if r.Kind == Payout && partners[d.PartnerID].ID == "" {
			p, err := s.partners.Get(ctx, d.PartnerID)
			if err != nil {
				return r, err
			}
			partners[p.ID] = p
		}
		if r.Kind == Collection {
			m, err := s.mandates.Get(ctx, d.payer())
			if err != nil && problem.KindOf(err) != problem.NotFound {
				return r, err
			}
			if m.IBAN != "" {
				mandates[m.ID] = m
			}
		}
	}
	r, _, err := s.runs.Change(ctx, r.ID, func(r *Run) error {
		if r.OpenSince == nil {
			return nil // another instance was faster
		}
		r.OpenSince = nil
		if r.Kind == Payout {
			r.payouts(docs, partners)
		} else {
			r.collections(docs, mandates)
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	for _, id := range r.Candidates { // what could not be used is free for the next run
		if r.holds(id) {
			continue
		}
		if _, _, err := s.documents.Change(ctx, id, func(d *Document) error { d.free(r.ID); return nil }); err != nil {
			return r, err
		}
	}
	return r, nil
}
