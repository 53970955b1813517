package payment

import (
	"fmt"
	"time"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
)

// Level is one reminder of the row in which a customer gets them.
type Level struct {
	AfterDays int         `json:"after_days"` // of the first one beyond the due date, of each other one beyond the date that the one before gave
	PayDays   int         `json:"pay_days"`   // how long it gives
	FeeCents  money.Cents `json:"fee_cents"`  // what it costs the customer; damages for the delay, so without VAT
}

// maxLevels is how many reminders there are at most: a friendly one, one with a fee, and the last.
const maxLevels = 3

// usualLevels are those of a company file without any.
func usualLevels() []Level { return []Level{{7, 7, 0}, {7, 7, 5_00}, {7, 7, 5_00}} }

// checkLevels lists what is wrong with the reminders of the company file.
func checkLevels(list []Level) (mistakes []error) {
	if len(list) > maxLevels {
		mistakes = append(mistakes, fmt.Errorf("reminders: %d are too many; use up to %d", len(list), maxLevels))
	}
	for i, l := range list {
		if l.AfterDays < 1 || l.AfterDays > 90 || l.PayDays < 1 || l.PayDays > 90 || l.FeeCents < 0 || l.FeeCents > 40_00 || i == 0 && l.FeeCents > 0 {
			mistakes = append(mistakes, fmt.Errorf("reminders: number %d is not allowed; use 1 to 90 days, and a fee up to 4000 cents, of the first one 0", i+1))
		}
	}
	return mistakes
}

// terms are the company's rules for time: where its days begin, and when it reminds.
type terms struct {
	zone   *time.Location
	levels []Level
}

// Reminder is a reminder to pay.
type Reminder struct {
	Level int         `json:"level" bson:"level"`
	At    time.Time   `json:"at" bson:"at"`
	PayBy string      `json:"pay_by" bson:"pay_by"` // local date
	Fee   money.Cents `json:"fee_cents,omitempty" bson:"fee,omitempty"`
}

// patience is how many days the first reminder waits.
func (t terms) patience() int {
	if len(t.levels) == 0 {
		return 0
	}
	return t.levels[0].AfterDays
}

// plan has the next reminder of an open invoice made when its time has come, not before a moment. There is none while the customer objects,
// while the back office holds it, or after the last one: who does not pay then is for people to look at.
func (d *Document) plan(t terms, notBefore time.Time) error {
	d.Due(time.Time{})
	level := len(d.Reminders)
	if d.Kind != Invoice || d.State != Issued || d.open() <= 0 || d.Hold != nil || d.Objection != nil || level >= len(t.levels) {
		return nil
	}
	last := d.Paper.DueOn
	if level > 0 {
		last = d.Reminders[level-1].PayBy
	}
	day, err := time.ParseInLocation(time.DateOnly, last, t.zone)
	if err != nil {
		return fmt.Errorf("plan the reminder of %s: %w", d.ID, err)
	}
	at := day.AddDate(0, 0, t.levels[level].AfterDays+1) // when the last of these days is over
	if at.Before(notBefore) {
		at = notBefore
	}
	d.Due(at)
	return nil
}

// remind is the timed work of an invoice that is not paid in time.
func (d *Document) remind(meta event.Meta, t terms) error {
	d.Due(time.Time{})
	n := len(d.Reminders)
	if d.open() <= 0 || d.Hold != nil || d.Objection != nil || n >= len(t.levels) {
		return nil
	}
	l := t.levels[n]
	if err := d.Book(meta.At, fmt.Sprintf("fee of reminder %d", n+1), fees(l.FeeCents)...); err != nil {
		return err
	}
	r := Reminder{n + 1, meta.At, meta.At.In(t.zone).AddDate(0, 0, l.PayDays).Format(time.DateOnly), l.FeeCents}
	d.Reminders = append(d.Reminders, r)
	if err := d.plan(t, time.Time{}); err != nil {
		return err
	}
	return d.emit(meta, event.Reminded{
		OrderID: d.OrderID, UserID: d.UserID, CompanyID: d.CompanyID, Number: d.Number, Level: r.Level, OpenCents: d.open(), DueOn: d.Paper.DueOn,
		PayBy: r.PayBy, FeeCents: r.Fee, Last: r.Level == len(t.levels),
	})
}

// fees is what fees of reminders mean for the books.
func fees(c money.Cents) []Posting { return []Posting{{Receivables, c}, {ReminderFees, -c}} }

// claim is what the customer owes for an invoice, with the fees of reminders; factor -1 takes it back.
func (d *Document) claim(factor money.Cents) []Posting {
	list := invoiced(d.Paper.Total, factor)
	for _, r := range d.Reminders {
		list = append(list, fees(factor*r.Fee)...)
	}
	return list
}

// dispute is an objection to an invoice, by its customer: no reminder comes until the back office has looked after it. Objecting again
// changes nothing.
func (d *Document) dispute(reason string, by audit.Entry, meta event.Meta) error {
	if d.Objection != nil {
		return nil
	}
	if d.State != Issued {
		return problem.New(problem.Conflict, "The invoice %s is %s; write to us if something is wrong with it.", d.Number, d.State)
	}
	d.Objection = &Note{by.At, reason}
	d.Due(time.Time{})
	err := d.emit(meta, event.Objected{
		OrderID: d.OrderID, UserID: d.UserID, CompanyID: d.CompanyID, Number: d.Number, Total: d.Paper.Total, Reason: reason,
	})
	if err != nil {
		return err
	}
	return d.Trail.Add(by)
}

// hold stops the reminders of an invoice, by the back office. Holding again changes nothing.
func (d *Document) hold(reason string, by audit.Entry) error {
	if d.Hold != nil {
		return nil
	}
	if d.State != Issued {
		return problem.New(problem.Conflict, "The invoice %s is %s; there is nothing to hold.", d.Number, d.State)
	}
	d.Hold = &Note{by.At, reason}
	d.Due(time.Time{})
	return d.Trail.Add(by)
}

// release lets reminders go on, after a hold and after an objection of the customer, by the back office. Releasing again changes nothing.
func (d *Document) release(by audit.Entry, t terms) error {
	if d.Hold == nil && d.Objection == nil {
		return nil
	}
	d.Hold, d.Objection = nil, nil
	if err := d.plan(t, by.At); err != nil {
		return err
	}
	return d.Trail.Add(by)
}
