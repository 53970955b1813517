package payment

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/services/payment/paper"
)

// What follows is for proofs from outside: whether stored documents and books are what the rules of this package make.

// Follows refuses an invoice or credit note whose amounts are not those that the order asks for, to the cent. Texts are not compared: names
// of wastes may change.
func (d *Document) Follows(w event.Weighed) error {
	lines, whose, stored := creditLines(w, d.bears(paper.Exempt)), w.PartnerID, d.PartnerID
	if d.Kind == Invoice {
		var err error
		if lines, err = invoiceLines(w, d.bears(paper.ReverseCharge)); err != nil {
			return err
		}
		whose, stored = w.UserID, d.UserID
	}
	_, sum := paper.Total(lines)
	switch {
	case stored != whose:
		return fmt.Errorf("it is for %s, not for %s", stored, whose)
	case d.Paper.Total != sum:
		return fmt.Errorf("it is about %s gross, and %s follows from the order", d.Paper.Total.GrossCents, sum.GrossCents)
	case !slices.EqualFunc(lines, d.Paper.Lines, func(a, b paper.Line) bool { a.Text, b.Text = "", ""; return a == b }):
		return errors.New("its lines are not those that follow from the order")
	}
	return nil
}

// bears says whether a line is of a category of VAT: which one applied is known of who buys and sells at that time.
func (d *Document) bears(category string) bool {
	return slices.ContainsFunc(d.Paper.Lines, func(l paper.Line) bool { return l.Category == category })
}

// Cancels refuses a correction that does not take back the whole invoice.
func (d *Document) Cancels(invoice Document) error {
	_, back := paper.Total(negated(invoice.Paper.Lines))
	switch {
	case d.Paper.Total != back:
		return fmt.Errorf("it is about %s gross, not %s", d.Paper.Total.GrossCents, back.GrossCents)
	case d.Paper.Corrects == nil || d.Paper.Corrects.Number != invoice.Number:
		return fmt.Errorf("it does not name the invoice %s", invoice.Number)
	}
	return nil
}

// Proof adds the balances of a journal up, to zero when all is right. It refuses a journal with an entry that is not balanced, or whose
// balances are not the sums of its entries.
func (j *Journal) Proof() (sum money.Cents, err error) {
	for _, c := range j.Balance {
		sum += c
	}
	balance := map[Account]money.Cents{}
	for _, e := range j.Entries {
		var entry money.Cents
		for _, p := range e.Postings {
			entry += p.Cents
			balance[p.Account] += p.Cents
		}
		if entry != 0 {
			return sum, fmt.Errorf("its booking %q is out of balance by %s", e.Text, entry)
		}
	}
	for _, a := range Accounts() {
		if j.Balance[a] != balance[a] {
			return sum, fmt.Errorf("its balance of %s is %s, and its bookings add up to %s", a, j.Balance[a], balance[a])
		}
	}
	return sum, nil
}

// Knows says whether what a credit note needs of a partner is what the event says, whatever the version.
func (p *Partner) Knows(e event.PartnerChanged) bool {
	e.Version = p.Known
	want, have := newPartner(e), *p
	want.Root, have.Root = aggregate.Root{}, aggregate.Root{}
	return reflect.DeepEqual(want, have)
}
