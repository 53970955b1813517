package payment

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
	"kreislauf/services/payment/bank"
)

// RunKind is what a file for the bank does.
type RunKind string

// The kinds.
const (
	Payout     RunKind = "payout"     // pays partners what their credit notes say: pain.001
	Collection RunKind = "collection" // collects invoices by direct debit: pain.008
)

// maxRun is how many documents a run takes at most; what is left is for the next one.
const maxRun = 1000

// Run is the aggregate and its document: documents that go to the bank in one file. It is begun with the documents that may belong to it; each of
// these is claimed for it, so none is in two files; then it is ready, and never changes but for what becomes of its items.
type Run struct {
	aggregate.Root `bson:",inline"`
	audit.Trail    `bson:",inline"`
	Kind           RunKind    `bson:"kind"`
	On             string     `bson:"on"`         // local date of execution
	At             time.Time  `bson:"at"`         // of the file
	Candidates     []string   `bson:"candidates"` // ids of documents
	Items          []Item     `bson:"items,omitempty"`
	Skipped        []Skip     `bson:"skipped,omitempty"`
	OpenSince      *time.Time `bson:"open_since,omitempty"` // see Document: its items are not collected yet
}

// Item is one transfer or debit.
type Item struct {
	EndToEnd string      `json:"end_to_end" bson:"end_to_end"`
	Owner    string      `json:"owner" bson:"owner"` // partner; user or company that owns the mandate
	Name     string      `json:"name" bson:"name"`
	IBAN     string      `json:"-" bson:"iban"`
	Cents    money.Cents `json:"amount_cents" bson:"cents"`
	Shares   []Share     `json:"documents" bson:"shares"`
	Mandate  string      `json:"mandate,omitempty" bson:"mandate,omitempty"` // reference
	SignedOn string      `json:"-" bson:"signed_on,omitempty"`
}

// Share is what a document contributes to an item; negative when the partner owes us for it.
type Share struct {
	ID     string      `json:"-" bson:"id"`
	Number string      `json:"number" bson:"number"`
	Cents  money.Cents `json:"amount_cents" bson:"cents"`
}

// Skip is a candidate's owner who cannot be paid or debited, and why.
type Skip struct {
	Owner  string `json:"owner" bson:"owner"`
	Reason string `json:"reason" bson:"reason"`
}

// endToEndPattern finds the references of payouts in statements.
var endToEndPattern = regexp.MustCompile(`^P-[a-z2-7]{16}-[0-9]{1,4}$`)

// runOf is the id of the run that a reference names.
func runOf(endToEnd string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(endToEnd, "P-"), "-")
	return "run-" + id
}

// reference is that of item n of a payout.
func (r *Run) reference(n int) string {
	return fmt.Sprintf("P-%s-%d", strings.TrimPrefix(r.ID, "run-"), n)
}

// owed is what a credit note, or its correction in the books, leaves to be paid to the partner; negative: what the partner owes us.
func (d *Document) owed() money.Cents { return -d.Balance[Payables] }

// take claims a document for a run, unless another one has it.
func (d *Document) take(run string) {
	if d.Run == "" && (d.Kind == CreditNote && d.owed() != 0 || d.Kind == Invoice && d.open() > 0 && d.Objection == nil && d.Hold == nil) {
		d.Run = run
	}
}

// free gives a document back that its run could not use, or whose payment came back.
func (d *Document) free(run string) {
	if d.Run == run {
		d.Run = ""
	}
}

// payouts makes one transfer a partner of claimed credit notes. Whose sum is nothing, or who has no account, is skipped.
func (r *Run) payouts(docs []Document, partners map[string]Partner) {
	of := map[string][]Document{}
	var order []string
	for _, d := range docs {
		if of[d.PartnerID] == nil {
			order = append(order, d.PartnerID)
		}
		of[d.PartnerID] = append(of[d.PartnerID], d)
	}
	slices.Sort(order)
	for _, id := range order {
		p, item := partners[id], Item{Owner: id}
		for _, d := range of[id] {
			item.Cents += d.owed()
			item.Shares = append(item.Shares, Share{d.ID, d.Number, d.owed()})
		}
		switch {
		case p.IBAN == "":
			r.Skipped = append(r.Skipped, Skip{id, "no IBAN is known"})
		case item.Cents <= 0:
			r.Skipped = append(r.Skipped, Skip{id, "nothing is left to pay after what it owes"})
		default:
			item.Name, item.IBAN, item.EndToEnd = p.Name, p.IBAN, r.reference(len(r.Items)+1)
			r.Items = append(r.Items, item)
		}
	}
}

// collections makes a debit of each claimed invoice. Whose mandate is gone is skipped.
func (r *Run) collections(docs []Document, mandates map[string]Mandate) {
	for _, d := range docs {
		m, known := mandates[d.payer()]
		if !known {
			r.Skipped = append(r.Skipped, Skip{d.payer(), "there is no mandate"})
			continue
		}
		r.Items = append(r.Items, Item{
			EndToEnd: d.Number, Owner: m.ID, Name: m.Holder, IBAN: m.IBAN, Cents: d.open(), Shares: []Share{{d.ID, d.Number, d.open()}},
			Mandate: m.Reference, SignedOn: m.SignedOn,
		})
	}
}

// payer is whose mandate an invoice is collected by: the company's, or else the user's.
func (d *Document) payer() string {
	if d.CompanyID != "" {
		return d.CompanyID
	}
	return d.UserID
}

// item finds the item of a reference.
func (r *Run) item(endToEnd string) (Item, bool) {
	i := slices.IndexFunc(r.Items, func(i Item) bool { return i.EndToEnd == endToEnd })
	if i < 0 {
		return Item{}, false
	}
	return r.Items[i], true
}

// holds says whether a document is in one of the items.
func (r *Run) holds(id string) bool {
	return slices.ContainsFunc(r.Items, func(i Item) bool {
		return slices.ContainsFunc(i.Shares, func(s Share) bool { return s.ID == id })
	})
}

// file writes the run for the bank.
func (r *Run) file(c Company, berlin *time.Location) ([]byte, error) {
	account := bank.Account{Name: c.Name, IBAN: c.IBAN, BIC: c.BIC, CreditorID: c.CreditorID}
	batch := bank.Batch{ID: r.ID, Created: r.At.In(berlin), On: r.On}
	for _, i := range r.Items {
		var numbers []string
		for _, s := range i.Shares {
			numbers = append(numbers, s.Number)
		}
		o := bank.Order{EndToEnd: i.EndToEnd, Name: i.Name, IBAN: i.IBAN, Cents: i.Cents, Text: strings.Join(numbers, " ")}
		if r.Kind == Collection {
			o.Mandate = &bank.Mandate{Reference: i.Mandate, SignedOn: i.SignedOn}
		}
		batch.Orders = append(batch.Orders, o)
	}
	if r.Kind == Collection {
		return bank.Debits(account, batch)
	}
	return bank.Transfers(account, batch)
}

// payOut books money that left for a partner (positive), or came back (negative), as a statement line says. A line that did so already
// changes nothing.
func (d *Document) payOut(p Payment, meta event.Meta) error {
	if slices.ContainsFunc(d.Payments, func(q Payment) bool { return q.Line == p.Line }) {
		return nil
	}
	if d.Kind != CreditNote {
		return fmt.Errorf("pay %s out: it is a %s", d.ID, d.Kind)
	}
	if err := d.Book(meta.At, "payout "+p.Line, Posting{Payables, p.Cents}, Posting{Unassigned, -p.Cents}); err != nil {
		return err
	}
	d.Payments = append(d.Payments, p)
	d.again()
	switch {
	case p.Cents < 0:
		if d.State == Paid {
			d.State = Issued
		}
	case d.State == Issued && d.owed() <= 0:
		d.State = Paid
		return d.emit(meta, event.PaidOut{OrderID: d.OrderID, PartnerID: d.PartnerID, Number: d.Number, Total: d.Paper.Total})
	}
	return nil
}

// again lets the next run have a credit note of which something is left to be paid, or to be set off, after it was in one.
func (d *Document) again() {
	if d.owed() != 0 {
		d.Run = ""
	}
}

// Mandate is a customer's permission to collect its invoices, and its document.
type Mandate struct {
	aggregate.Root `bson:",inline"` // ID is the company's, or the user's who has none
	audit.Trail    `bson:",inline"`
	Holder         string `bson:"holder"` // of the account
	IBAN           string `bson:"iban"`   // empty: revoked
	Reference      string `bson:"reference"`
	SignedOn       string `bson:"signed_on"`
}

// sign gives, changes or takes the mandate: another account is another mandate. The same account again changes nothing.
func (m *Mandate) sign(holder, iban, reference, today string, by audit.Entry) error {
	if m.Holder == holder && m.IBAN == iban {
		return nil
	}
	m.Holder, m.IBAN, m.Reference, m.SignedOn = holder, iban, reference, today
	return m.Trail.Add(by)
}

// masked is an IBAN of which only country, check digits and the end are shown.
func masked(iban string) string {
	if len(iban) < 8 {
		return iban
	}
	return iban[:4] + strings.Repeat("*", len(iban)-8) + iban[len(iban)-4:]
}

// checkOn refuses a date of execution that no bank takes: 0 to 30 days ahead of today.
func checkOn(on string, today time.Time) error {
	if _, err := time.Parse(time.DateOnly, on); err != nil || on < today.Format(time.DateOnly) || on > today.AddDate(0, 0, 30).Format(time.DateOnly) {
		return problem.InvalidField("/on", "a date YYYY-MM-DD is needed, from today to 30 days ahead")
	}
	return nil
}
