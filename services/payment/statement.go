package payment

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
	"kreislauf/services/payment/bank"
)

// StatementLine is money that came into our bank account (positive) or left it, and what it pays.
type StatementLine struct {
	aggregate.Root `bson:",inline"` // ID is the bank's
	Journal        `bson:",inline"`
	BookedOn       string      `bson:"booked_on"`
	Cents          money.Cents `bson:"cents"`
	Remitter       string      `bson:"remitter"`
	Reference      string      `bson:"reference"`             // what the customer wrote
	Invoice        string      `bson:"invoice,omitempty"`     // number; absent: nobody knows what it pays, or it is of a payout
	EndToEnd       string      `bson:"end_to_end,omitempty"`  // of an item of a run
	Payout         bool        `bson:"payout,omitempty"`      // it is that item's
	AssignedBy     string      `bson:"assigned_by,omitempty"` // user of the back office; absent when the reference named the invoice
	At             time.Time   `bson:"at"`
	OpenSince      *time.Time  `bson:"open_since,omitempty"` // see Document: the invoice has not taken the money yet
}

// newLine is money that just came in.
func newLine(l lineRequest, meta event.Meta) (StatementLine, error) {
	s := StatementLine{
		Root: aggregate.New(l.ID), BookedOn: l.BookedOn, Cents: l.Cents, Remitter: l.Remitter, Reference: l.Reference, At: meta.At,
	}
	return s, s.Book(meta.At, "receipt", Posting{Bank, l.Cents}, Posting{Unassigned, -l.Cents})
}

// newEntry is an entry of an account statement.
func newEntry(e bank.Entry, meta event.Meta) (StatementLine, error) {
	s := StatementLine{
		Root: aggregate.New(e.ID), BookedOn: e.BookedOn, Cents: e.Cents, Remitter: clip(e.Name, 140), Reference: clip(e.Text, 500), At: meta.At,
		EndToEnd: clip(e.EndToEnd, 35),
	}
	return s, s.Book(meta.At, "entry", Posting{Bank, e.Cents}, Posting{Unassigned, -e.Cents})
}

// clip is a text of a bank on one line, of at most so many characters.
func clip(s string, most int) string {
	if r := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")); len(r) > most {
		return string(r[:most])
	} else {
		return string(r)
	}
}

// assigned says whether it is known what the line pays.
func (s *StatementLine) assigned() bool { return s.Invoice != "" || s.Payout }

// same says whether a line is the one of the request.
func (s *StatementLine) same(l lineRequest) bool {
	return s.BookedOn == l.BookedOn && s.Cents == l.Cents && s.Remitter == l.Remitter && s.Reference == l.Reference
}

// assign decides once and for ever which invoice the money pays. The same invoice again changes nothing.
func (s *StatementLine) assign(invoice, userID string, now time.Time) error {
	if s.Payout {
		return problem.New(problem.Conflict, "The statement line %s is that of the payout %s.", s.ID, s.EndToEnd)
	}
	switch s.Invoice {
	case invoice:
		return nil
	case "":
		s.Invoice, s.AssignedBy, s.OpenSince = invoice, userID, &now
		return nil
	}
	return problem.New(problem.Conflict, "The statement line %s pays %s already.", s.ID, s.Invoice)
}

// Imported is an account statement that was taken, and its document.
type Imported struct {
	aggregate.Root `bson:",inline"`
	audit.Trail    `bson:",inline"`
	Statement      string    `bson:"statement"` // the bank's id
	Entries        int       `bson:"entries"`
	At             time.Time `bson:"at"`
}

// invoicePattern finds numbers of invoices also as banks and people write them: "R 2026 000123", "r2026000123".
var invoicePattern = regexp.MustCompile(`(?i)(?:^|[^A-Z0-9])R[-./ ]*([0-9]{4})[-./ ]*([0-9]{6,9})(?:$|[^0-9])`)

// numbersIn lists the invoice numbers that a text names, each once.
func numbersIn(text string) []string {
	var list []string
	seen := map[string]bool{}
	for from := 0; ; {
		m := invoicePattern.FindStringSubmatchIndex(text[from:])
		if m == nil {
			return list
		}
		n := "R-" + text[from+m[2]:from+m[3]] + "-" + text[from+m[4]:from+m[5]]
		if !seen[n] {
			seen[n], list = true, append(list, n)
		}
		from += m[5] // what ended this number may begin the next one
	}
}

// lineRequest is the body of POST /api/payment/v1/statement-lines.
type lineRequest struct {
	ID        string      `json:"id"` // the bank's, or made from date and position in the statement
	BookedOn  string      `json:"booked_on"`
	Cents     money.Cents `json:"amount_cents"`
	Remitter  string      `json:"remitter"`
	Reference string      `json:"reference"`
}

// maxReceipt is the largest amount of a statement line: a million euros.
const maxReceipt money.Cents = 1_000_000_00

var lineIDPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// check lists what is wrong with a request; today is the local date.
func (l lineRequest) check(today string) error {
	var fields []problem.Field
	bad := func(pointer, detail string) { fields = append(fields, problem.Field{Pointer: pointer, Detail: detail}) }
	if !lineIDPattern.MatchString(l.ID) {
		bad("/id", "1 to 64 of A-Z, a-z, 0-9, _, . and - are needed")
	}
	if _, err := time.Parse(time.DateOnly, l.BookedOn); err != nil || l.BookedOn < "2000-01-01" || l.BookedOn > today {
		bad("/booked_on", "a date YYYY-MM-DD is needed that is not in the future")
	}
	if l.Cents < 1 || l.Cents > maxReceipt {
		bad("/amount_cents", "1 to 100000000 are needed; money that leaves the account is not booked here")
	}
	if n := utf8.RuneCountInString(l.Remitter); n < 1 || n > 140 {
		bad("/remitter", "1 to 140 characters are needed")
	}
	if utf8.RuneCountInString(l.Reference) > 500 {
		bad("/reference", "at most 500 characters are allowed")
	}
	if fields == nil {
		return nil
	}
	return &problem.Error{Kind: problem.Invalid, Detail: "The statement line is not right; see errors.", Fields: fields}
}
