package payment

import (
	"context"
	"fmt"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
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
	meta := s.meta(ctx)
	if d, _, err = s.documents.Change(ctx, id, func(d *Document) error { return d.number(n.Text(), meta, s.zone) }); err != nil {
		return err
	}
	if n.OpenSince != nil {
		if err := s.documents.numbers.Bind(ctx, n); err != nil {
			return err
		}
	}
	if d.State != Cancelled || d.Correction != "" {
		return nil
	}
	correction, err := draftCorrection(d, s.zone, time.Now())
	if err != nil {
		return err
	}
	if _, err := s.documents.Insert(ctx, correction); err != nil {
		return err
	}
	if err := s.finish(ctx, correction.ID); err != nil {
		return err
	}
	correction, err = s.documents.Get(ctx, correction.ID)
	if err != nil {
		return err
	}
	_, _, err = s.documents.Change(ctx, id, func(d *Document) error { d.corrected(correction.Number); return nil })
	return err
}

// settle gives the money of an assigned statement line to its invoice.
func (s *service) settle(ctx context.Context, l StatementLine) error {
	if l.Invoice == "" || l.OpenSince == nil {
		return nil
	}
	d, found, err := s.documents.numbered(ctx, l.Invoice)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("settle statement line %s: there is no invoice %s", l.ID, l.Invoice)
	}
	meta := s.meta(ctx)
	if _, _, err := s.documents.Change(ctx, d.ID, func(d *Document) error {
		return d.pay(Payment{l.ID, l.BookedOn, l.Cents}, meta)
	}); err != nil {
		return err
	}
	_, _, err = s.lines.Change(ctx, l.ID, func(l *StatementLine) error { l.OpenSince = nil; return nil })
	return err
}
