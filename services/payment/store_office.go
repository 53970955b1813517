package payment

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/internal/words"
)

// ensureOfficeIndexes creates what the work lists of the back office are read by.
func (s documents) ensureOfficeIndexes(ctx context.Context) error {
	return s.Index("kind_state_due", bson.D{{Key: "kind", Value: 1}, {Key: "state", Value: 1}, {Key: "paper.due_on", Value: 1}}, nil)(ctx)
}

func (s lines) ensureOfficeIndexes(ctx context.Context) error {
	return s.Index("invoice_at", bson.D{{Key: "invoice", Value: 1}, {Key: "at", Value: 1}}, nil)(ctx)
}

// beginning lists documents whose number begins with a text, in the order of their numbers.
func (s documents) beginning(ctx context.Context, number string, limit int64) ([]Document, error) {
	within := bson.D{{Key: "$gte", Value: number}, {Key: "$lt", Value: words.After(number)}}
	return s.Find(ctx, bson.D{{Key: "number", Value: within}}, bson.D{{Key: "number", Value: 1}}, limit)
}

// numberedOfOrder lists what was issued of an order, oldest first.
func (s documents) numberedOfOrder(ctx context.Context, orderID string, limit int64) ([]Document, error) {
	return s.Find(ctx, bson.D{{Key: "order_id", Value: orderID}, {Key: "number", Value: bson.D{{Key: "$exists", Value: true}}}}, bson.D{{Key: "at", Value: 1}}, limit)
}

// overdue lists invoices that were due before a day and are not paid, the longest first.
func (s documents) overdue(ctx context.Context, today string, limit int64) ([]Document, error) {
	return s.Find(ctx, bson.D{
		{Key: "kind", Value: Invoice}, {Key: "state", Value: Issued}, {Key: "paper.due_on", Value: bson.D{{Key: "$lt", Value: today}}},
	}, bson.D{{Key: "paper.due_on", Value: 1}}, limit)
}

// objected lists credit notes that lost their effect, the longest first.
func (s documents) objected(ctx context.Context, limit int64) ([]Document, error) {
	return s.Find(ctx, bson.D{{Key: "kind", Value: CreditNote}, {Key: "state", Value: Objected}}, bson.D{{Key: "at", Value: 1}}, limit)
}
