package payment

import (
	"bytes"
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/blob"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/numbering"
	"kreislauf/internal/repository"
	"kreislauf/services/payment/letter"
)

type documents struct {
	*repository.Repository[Document, *Document]
	numbers *numbering.Book
}

func (s documents) ensureIndexes(ctx context.Context) error {
	at := bson.E{Key: "at", Value: -1}
	for _, index := range []struct {
		name string
		keys bson.D
		opts *options.IndexOptionsBuilder
	}{
		{"number", bson.D{{Key: "number", Value: 1}}, options.Index().SetUnique(true).SetSparse(true)},
		{"order", bson.D{{Key: "order_id", Value: 1}}, nil},
		{"user_kind_at", bson.D{{Key: "user_id", Value: 1}, {Key: "kind", Value: 1}, at}, nil},
		{"company_kind_at", bson.D{{Key: "company_id", Value: 1}, {Key: "kind", Value: 1}, at}, options.Index().SetSparse(true)},
		{"partner_kind_at", bson.D{{Key: "partner_id", Value: 1}, {Key: "kind", Value: 1}, at}, nil},
		{"kind_state_at", bson.D{{Key: "kind", Value: 1}, {Key: "state", Value: 1}, at}, nil},
		{"kind_at", bson.D{{Key: "kind", Value: 1}, at}, nil},
		{"open_since", bson.D{{Key: "open_since", Value: 1}}, options.Index().SetSparse(true)},
	} {
		if err := s.Index(index.name, index.keys, index.opts)(ctx); err != nil {
			return err
		}
	}
	return nil
}

// query narrows a list; what is empty narrows nothing.
type query struct {
	kind                       Kind
	userID, partnerID, orderID string
	companyID                  string // with userID: of the user or the company
	state                      State
}

// newest lists issued documents, newest first.
func (s documents) newest(ctx context.Context, q query, limit int64) ([]Document, error) {
	filter := bson.D{{Key: "kind", Value: q.kind}}
	owner := bson.D{{Key: "user_id", Value: q.userID}, {Key: "company_id", Value: bson.D{{Key: "$exists", Value: false}}}}
	if q.companyID != "" {
		owner = bson.D{{Key: "$or", Value: bson.A{owner, bson.D{{Key: "company_id", Value: q.companyID}}}}}
	}
	if q.userID != "" {
		filter = append(filter, owner...)
	}
	for _, f := range []struct{ key, value string }{
		{"partner_id", q.partnerID}, {"order_id", q.orderID}, {"state", string(q.state)},
	} {
		if f.value != "" {
			filter = append(filter, bson.E{Key: f.key, Value: f.value})
		}
	}
	filter = append(filter, bson.E{Key: "number", Value: bson.D{{Key: "$exists", Value: true}}}) // a draft is nobody's business yet
	return s.Find(ctx, filter, bson.D{{Key: "at", Value: -1}, {Key: "number", Value: -1}}, limit)
}

// numbered finds a document by its number.
func (s documents) numbered(ctx context.Context, number string) (d Document, found bool, err error) {
	return s.First(ctx, bson.D{{Key: "number", Value: number}})
}

// ofOrder lists all documents of an order.
func (s documents) ofOrder(ctx context.Context, orderID string) ([]Document, error) {
	return s.Find(ctx, bson.D{{Key: "order_id", Value: orderID}}, bson.D{{Key: "_id", Value: 1}}, 0)
}

// payable lists documents that may go to the bank on a day, oldest first: credit notes that are due and not paid, and what partners owe us for
// cancelled ones; or invoices that are due.
func (s documents) payable(ctx context.Context, k RunKind, on string, limit int64) ([]Document, error) {
	filter := bson.D{
		{Key: "run", Value: bson.D{{Key: "$exists", Value: false}}}, {Key: "number", Value: bson.D{{Key: "$exists", Value: true}}},
		{Key: "paper.due_on", Value: bson.D{{Key: "$lte", Value: on}}},
	}
	if k == Payout {
		filter = append(filter, bson.E{Key: "kind", Value: CreditNote}, bson.E{Key: "balance.payables", Value: bson.D{{Key: "$ne", Value: 0}}})
	} else {
		filter = append(filter, bson.E{Key: "kind", Value: Invoice}, bson.E{Key: "state", Value: Issued})
	}
	return s.Find(ctx, filter, bson.D{{Key: "at", Value: 1}}, limit)
}

// unfinished lists ids of documents whose steps were begun before a time and are not done, and the owners of numbers that are in no
// document yet, oldest first.
func (s documents) unfinished(ctx context.Context, before time.Time, limit int64) ([]string, error) {
	list, err := s.Find(ctx, openBefore(before), bson.D{{Key: "open_since", Value: 1}}, limit)
	if err != nil {
		return nil, err
	}
	open, err := s.numbers.Open(ctx, before, limit)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, d := range list {
		ids = append(ids, d.ID)
	}
	for _, n := range open {
		ids = append(ids, n.Owner)
	}
	return ids, nil
}

func openBefore(t time.Time) bson.D {
	return bson.D{{Key: "open_since", Value: bson.D{{Key: "$lt", Value: t}}}}
}

type lines struct {
	*repository.Repository[StatementLine, *StatementLine]
}

func (s lines) ensureIndexes(ctx context.Context) error {
	if err := s.Index("at", bson.D{{Key: "at", Value: -1}}, nil)(ctx); err != nil {
		return err
	}
	return s.Index("open_since", bson.D{{Key: "open_since", Value: 1}}, options.Index().SetSparse(true))(ctx)
}

// newest lists statement lines, newest first; unassigned: only those of which nobody knows what they pay, oldest first.
func (s lines) newest(ctx context.Context, unassigned bool, limit int64) ([]StatementLine, error) {
	if unassigned {
		missing := bson.D{{Key: "$exists", Value: false}}
		return s.Find(ctx, bson.D{{Key: "invoice", Value: missing}, {Key: "payout", Value: missing}}, bson.D{{Key: "at", Value: 1}}, limit)
	}
	return s.Find(ctx, bson.D{}, bson.D{{Key: "at", Value: -1}}, limit)
}

// unfinished lists lines whose invoice has not taken their money, oldest first.
func (s lines) unfinished(ctx context.Context, before time.Time, limit int64) ([]StatementLine, error) {
	return s.Find(ctx, openBefore(before), bson.D{{Key: "open_since", Value: 1}}, limit)
}

// maxPDF is more than a document of a thousand lines has, in bytes.
const maxPDF = 8 << 20

// files is the store of documents, where mailing finds what it attaches.
type files struct{ *blob.Store }

// print stores a document as PDF under the number that it is about to get. The same document gives the same file. Where none are kept it is nil.
func (f files) print(ctx context.Context, d Document, number string) (*event.File, error) {
	if !f.Keeps() {
		return nil, nil
	}
	pdf, err := letter.PDF(number, d.Paper)
	if err != nil {
		return nil, err
	}
	info, err := f.Put(ctx, d.ID, "application/pdf", "", bytes.NewReader(pdf), maxPDF)
	if err != nil {
		return nil, err
	}
	return &event.File{Name: number + ".pdf", Key: info.Key, Type: info.Type, Size: info.Size, SHA256: info.SHA256}, nil
}

type runs struct {
	*repository.Repository[Run, *Run]
}

// newest lists runs, newest first.
func (s runs) newest(ctx context.Context, limit int64) ([]Run, error) {
	return s.Find(ctx, bson.D{}, bson.D{{Key: "at", Value: -1}}, limit)
}

// unfinished lists runs whose items are not collected, oldest first.
func (s runs) unfinished(ctx context.Context, before time.Time, limit int64) ([]Run, error) {
	return s.Find(ctx, openBefore(before), bson.D{{Key: "open_since", Value: 1}}, limit)
}

type mandates struct {
	*repository.Repository[Mandate, *Mandate]
}

type customers struct {
	*repository.Repository[Customer, *Customer]
}

type partners struct {
	*repository.Repository[Partner, *Partner]
}

// summer adds up integer fields over a whole collection.
type summer func(ctx context.Context, filter bson.D, paths ...string) (map[string]int64, error)

// balances adds up all journals of some collections by account; an account without bookings has zero.
func balances(ctx context.Context, of ...summer) (map[Account]money.Cents, error) {
	var paths []string
	for _, a := range Accounts() {
		paths = append(paths, "balance."+string(a))
	}
	sum := map[Account]money.Cents{}
	for _, s := range of {
		part, err := s(ctx, bson.D{}, paths...)
		if err != nil {
			return nil, err
		}
		for i, a := range Accounts() {
			sum[a] += money.Cents(part[paths[i]])
		}
	}
	return sum, nil
}
