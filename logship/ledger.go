package logship

import (
	"time"

	"kreislauf/logship/bulk"
)

const (
	// settledTime is how long an account is kept after it was settled, in case the clock is set back.
	settledTime = time.Hour
	// maxComparisons is how often an account is compared before a difference counts: documents take a moment to
	// become visible.
	maxComparisons = 4
	// maxDifferences bounds the list of differences in the status.
	maxDifferences = 20
)

// ledger counts the lines that were finalised as indexed, for each data stream and span of event.created, so that
// they can be compared with what the target has. Lines that bring their own event.created or agent.name are not
// counted, nor do they carry the name of the shipper.
type ledger struct {
	span     time.Duration
	first    int64 // spans up to this one may hold documents of an earlier process
	accounts map[account]*balance
	totals   Reconciliation
}

type account struct {
	stream uint16
	span   int64
}

type balance struct {
	stored, unclear int64
	compared        int       // times without agreement
	settled         time.Time // zero while it is not
}

// Reconciliation is what the comparison of written with indexed documents found.
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

func newLedger(span time.Duration, now time.Time) *ledger {
	l := &ledger{span: max(span, time.Millisecond), accounts: make(map[account]*balance)}
	l.first = l.spanOf(now)
	return l
}

func (l *ledger) spanOf(t time.Time) int64 { return t.UnixMilli() / l.span.Milliseconds() }

func (l *ledger) startOf(span int64) time.Time {
	return time.UnixMilli(span * l.span.Milliseconds()).UTC()
}

// add books what became of a batch.
func (l *ledger) add(tallies []bulk.Tally) {
	for _, t := range tallies {
		if t.Span <= l.first || t.Stored+t.Unclear == 0 {
			continue
		}
		key := account{t.Stream, t.Span}
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

// due returns the accounts that can be compared: their span ended a span ago by the clock, and nothing of it is on
// its way, which is what before says.
func (l *ledger) due(now time.Time, before int64) []account {
	var out []account
	for key, b := range l.accounts {
		switch {
		case !b.settled.IsZero():
			if now.Sub(b.settled) > settledTime {
				delete(l.accounts, key)
			}
		case key.span < before && !now.Before(l.startOf(key.span+2+int64(b.compared))):
			out = append(out, key)
		}
	}
	return out
}

// settle compares an account with the number of documents that the target has of it. A difference counts when it
// is still there after a few comparisons.
func (l *ledger) settle(key account, stream string, indexed int64, now time.Time) (found Difference, differs bool) {
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
		found = Difference{Stream: stream, From: l.startOf(key.span), To: l.startOf(key.span + 1), Written: b.stored, Indexed: indexed}
		l.totals.Differences = append([]Difference{found}, l.totals.Differences[:min(len(l.totals.Differences), maxDifferences-1)]...)
		differs = true
	}
	l.totals.Matched += min(b.stored, indexed)
	b.settled = now
	return found, differs
}

// report returns the totals.
func (l *ledger) report() Reconciliation {
	out := l.totals
	for _, b := range l.accounts {
		if b.settled.IsZero() {
			out.Open += b.stored
		}
	}
	return out
}
