package mailing

import (
	"cmp"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
)

// State of a mail.
type State string

// The states; the last three are final.
const (
	Queued     State = "queued"     // waits until it is due
	Sending    State = "sending"    // somebody is at it; due again in case that process dies
	Sent       State = "sent"       // the mail server took it
	Failed     State = "failed"     // refused for good, or given up
	Suppressed State = "suppressed" // not sent: the address does not exist, or there is none
)

const (
	// claimTime is how long an attempt may take before another process takes over; sendTime is how long it does take at most. Servers look
	// at a content for a while before they take it, and one that we do not wait for gets the mail again.
	claimTime = 90 * time.Second
	sendTime  = time.Minute
	// giveUpAfter is how long a mail is tried, from its first attempt.
	giveUpAfter = 48 * time.Hour
)

// Mail is the aggregate and its document.
type Mail struct {
	aggregate.Root `bson:",inline"` // ID is the event's
	State          State            `bson:"state"`
	UserID         string           `bson:"user_id,omitempty"`  // id of the recipient: user, company, partner or backOffice; empty: whoever the order belongs to
	OrderID        string           `bson:"order_id"`           // empty: it is about the account
	To             Recipient        `bson:"to,omitempty"`       // of somebody without an account; else empty
	Event          event.Event      `bson:"event"`              // what the mail tells of
	Waits          int              `bson:"waits"`              // looks at which the recipient or the order was not known
	Attempts       int              `bson:"attempts"`           // to send it
	TriedAt        time.Time        `bson:"tried_at,omitempty"` // first attempt
	SentAt         time.Time        `bson:"sent_at,omitempty"`
	Reason         string           `bson:"reason,omitempty"` // of the last attempt that failed: "recipient refused: 550 5.1.1"
}

// backOffice is the recipient whose address is a setting.
const backOffice = "back-office"

// newMail queues the mail about an event; ok is false for events that get none.
func newMail(e event.Event, payload event.Payload, now time.Time) (m Mail, ok bool) {
	m = Mail{Root: aggregate.New(e.ID), State: Queued, Event: e}
	switch p := payload.(type) {
	case event.Placed:
		m.UserID, m.OrderID = p.UserID, p.OrderID
	case event.Matched:
		m.OrderID = p.OrderID
	case event.Scheduled:
		m.UserID, m.OrderID = p.UserID, p.OrderID
	case event.OnSite:
		m.UserID, m.OrderID = p.UserID, p.OrderID
	case event.Collected:
		m.UserID, m.OrderID = p.UserID, p.OrderID
	case event.Weighed:
		m.UserID, m.OrderID = p.UserID, p.OrderID
	case event.Cancelled:
		m.UserID, m.OrderID = p.UserID, p.OrderID
	case event.Invoiced:
		m.UserID, m.OrderID = cmp.Or(p.CompanyID, p.UserID), p.OrderID
	case event.Reminded:
		m.UserID, m.OrderID = cmp.Or(p.CompanyID, p.UserID), p.OrderID
	case event.Returned:
		m.UserID, m.OrderID = cmp.Or(p.CompanyID, p.UserID), p.OrderID
	case event.DocumentCorrected:
		m.UserID, m.OrderID = cmp.Or(p.CompanyID, p.UserID, p.PartnerID), p.OrderID
	case event.Paid:
		m.UserID, m.OrderID = p.UserID, p.OrderID
	case event.Credited:
		m.UserID, m.OrderID = p.PartnerID, p.OrderID
	case event.ObjectionAnswered:
		m.UserID, m.OrderID = p.PartnerID, p.OrderID
	case event.PaidOut:
		m.UserID, m.OrderID = p.PartnerID, p.OrderID
	case event.Objected:
		m.UserID, m.OrderID = backOffice, p.OrderID
	case event.Unmatched:
		m.UserID, m.OrderID = backOffice, p.OrderID
	case event.SignInLocked:
		m.UserID = p.UserID
	case event.PasswordResetRequested:
		m.UserID = p.UserID
	case event.PasswordChanged:
		m.UserID = p.UserID
	case event.MemberInvited:
		m.To = Recipient{Email: p.Email}
	case event.StandingMissed:
		m.UserID = p.UserID // there is no order
	case event.QuoteRefused:
		m.UserID = p.UserID
	case event.StandingRefused:
		m.UserID = p.UserID
	default:
		return Mail{}, false
	}
	m.Due(now)
	return m, true
}

// claim begins an attempt, or gives up. A mail that is being sent and due again belonged to a process that died.
func claim(meta event.Meta, m *Mail) error {
	if !m.TriedAt.IsZero() && meta.At.Sub(m.TriedAt) > giveUpAfter {
		m.end(Failed)
		return nil
	}
	m.State = Sending
	m.Attempts++
	m.Due(meta.At.Add(claimTime))
	return nil
}

// verdict is what became of an attempt.
type verdict int

const (
	accepted verdict = iota
	unready          // the recipient or the order is not known yet
	later            // it may work another time
	refused          // it never will
	bounced          // it never will, and nothing else to this address
	withheld         // nobody may write to the recipient
)

// outcome is the verdict about an attempt with its reason, free of addresses; empty when accepted.
type outcome struct {
	verdict verdict
	reason  string
}

// settle writes down what became of the attempt that claimed version.
func (m *Mail) settle(version int64, o outcome, at time.Time) {
	if m.Version != version && (o.verdict != accepted || m.State == Sent) {
		return // another process has taken over, so only a success is news
	}
	if o.verdict != unready && m.TriedAt.IsZero() {
		m.TriedAt = at
	}
	m.Reason = o.reason
	switch o.verdict {
	case accepted:
		m.SentAt = at
		m.end(Sent)
	case unready:
		m.State, m.Attempts, m.Waits = Queued, m.Attempts-1, m.Waits+1
		m.Due(at.Add(pause(m.Waits)))
	case later:
		m.State = Queued
		m.Due(at.Add(pause(m.Attempts)))
	case refused, bounced:
		m.end(Failed)
	case withheld:
		m.Attempts--
		m.end(Suppressed)
	}
}

func (m *Mail) end(s State) {
	m.State = s
	m.Due(time.Time{})
}

// pause is how long a mail waits after its nth attempt.
func pause(n int) time.Duration {
	steps := []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour}
	return steps[min(max(n, 1), len(steps))-1]
}
