// Package ledger counts the documents that a target acknowledged, so that they can be compared with those that it has.
//
// It owns one account for each data stream and span of event.created. A line that brings its own event.created or agent.name
// is not counted: it does not carry the name of the shipper, so the target could not be asked for it.
//
// Invariants: an account is compared only after its span is over and none of its documents is on its way; a difference counts
// only when it was seen in several comparisons in a row.
//
// Not guaranteed: the spans in which the process started or stopped are not compared.
package ledger

import (
	"time"

	"kreislauf/logship/bulk"
)

const (
	// settledTime is how long an account is kept after it was settled. When the clock is set back by less than that, more
	// documents of the same span may come, and the account is compared again.
	settledTime = time.Hour
	// maxComparisons is how often an account is compared before a difference counts: new documents become visible late.
	maxComparisons = 4
	// maxDifferences is the greatest length of the list of differences.
	maxDifferences = 20
)

// Ledger holds the accounts of one target. It is not safe for use by several goroutines.
type Ledger struct {
	span     time.Duration
	first    int64 // spans up to this one may hold documents of an earlier process
	accounts map[Account]*balance
	totals   Reconciliation
}

// Account names what is counted together: the number of a data stream, from 1, and the number of a span of event.created.
type Account struct {
	Stream uint16
	Span   int64
}

// balance is what an account holds. See bulk.Tally for stored and unclear.
type balance struct {
	stored, unclear int64
	compared        int       // how often it was compared and differed
	settled         time.Time // zero until it is settled
}

// Reconciliation is what the comparison of acknowledged with indexed documents found.
type Reconciliation struct {
	// Matched documents were found. Missing were acknowledged by the target and are not there. Surplus are there
	// and were never acknowledged: stored twice, or written by another shipper of the same name.
	Matched int64 `json:"matched"`
	Missing int64 `json:"missing"`
	Surplus int64 `json:"surplus"`
	// Open documents are not compared yet. Errors counts comparisons without an answer.
	Open   int64 `json:"open"`
	Errors int64 `json:"errors"`
	// Differences are the last ones, newest first.
	Differences []Difference `json:"differences,omitempty"`
}

// Difference is a data stream and a span of event.created in which written and indexed differ, in documents.
type Difference struct {
	Stream  string    `json:"stream"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Written int64     `json:"written"`
	Indexed int64     `json:"indexed"`
}

// New returns an empty Ledger for spans of the given length, at least a millisecond. The span of now is not compared.
func New(span time.Duration, now time.Time) *Ledger {
	l := &Ledger{span: max(span, time.Millisecond), accounts: make(map[Account]*balance)}
	l.first = l.SpanOf(now)
	return l
}

// Span returns the length of a span.
func (l *Ledger) Span() time.Duration { return l.span }

// SpanOf returns the number of the span in which t is.
func (l *Ledger) SpanOf(t time.Time) int64 { return t.UnixMilli() / l.span.Milliseconds() }

// Bounds returns the first moment of the span of an account and the first one after it.
func (l *Ledger) Bounds(a Account) (from, to time.Time) {
	return l.startOf(a.Span), l.startOf(a.Span + 1)
}

func (l *Ledger) startOf(span int64) time.Time {
	return time.UnixMilli(span * l.span.Milliseconds()).UTC()
}

// Add books what became of the documents of a batch.
func (l *Ledger) Add(tallies []bulk.Tally) {
	for _, t := range tallies {
		if t.Span <= l.first || t.Stored+t.Unclear == 0 {
			continue
		}
		key := Account{t.Stream, t.Span}
		b := l.accounts[key]
		if b == nil {
			b = &balance{}
			l.accounts[key] = b
		}
		if !b.settled.IsZero() { // the clock was set back: compare again
			l.totals.Matched -= b.stored
			b.settled, b.compared = time.Time{}, 0
		}
		b.stored += t.Stored
		b.unclear += t.Unclear
	}
}

// Due returns the accounts that can be compared: their span ended at least one span ago, and it is before the span oldest,
// the first of which documents are on their way. It drops accounts that were settled long ago.
func (l *Ledger) Due(now time.Time, oldest int64) []Account {
	var out []Account
	for key, b := range l.accounts {
		switch {
		case !b.settled.IsZero():
			if now.Sub(b.settled) > settledTime {
				delete(l.accounts, key)
			}
		case key.Span < oldest && !now.Before(l.startOf(key.Span+2+int64(b.compared))):
			out = append(out, key)
		}
	}
	return out
}

// Settle compares an account with the number of documents that the target has of it; stream is the name of its data stream.
// differs is true when the account is settled now and the two numbers are not the same.
func (l *Ledger) Settle(key Account, stream string, indexed int64, now time.Time) (found Difference, differs bool) {
	b := l.accounts[key]
	if b == nil {
		return found, false
	}
	missing, surplus := b.stored-indexed, indexed-b.stored-b.unclear
	if missing > 0 || surplus > 0 {
		if b.compared++; b.compared < maxComparisons {
			return found, false
		}
		l.totals.Missing += max(0, missing)
		l.totals.Surplus += max(0, surplus)
		from, to := l.Bounds(key)
		found = Difference{Stream: stream, From: from, To: to, Written: b.stored, Indexed: indexed}
		older := l.totals.Differences[:min(len(l.totals.Differences), maxDifferences-1)]
		l.totals.Differences = append([]Difference{found}, older...)
		differs = true
	}
	l.totals.Matched += min(b.stored, indexed)
	b.settled = now
	return found, differs
}

// Failed counts a comparison that got no answer.
func (l *Ledger) Failed() { l.totals.Errors++ }

// Report returns the totals.
func (l *Ledger) Report() Reconciliation {
	out := l.totals
	for _, b := range l.accounts {
		if b.settled.IsZero() {
			out.Open += b.stored
		}
	}
	return out
}
