package pricing

import (
	"context"
	"time"

	"kreislauf/internal/money"
	"kreislauf/internal/mongodb"
)

// sale is a quote that became an order.
type sale struct {
	ID       string      `bson:"_id"` // order id
	QuoteID  string      `bson:"quote_id"`
	Postcode string      `bson:"postcode"`
	Waste    string      `bson:"waste_code"`
	SizeM3   int         `bson:"size_m3"`
	Date     string      `bson:"date"`
	Price    money.Price `bson:"price"`
	At       time.Time   `bson:"at"`
}

type store struct{ mongodb.Collection[sale] }

// record stores a sale; a second delivery of the same event finds it there and changes nothing.
func (s store) record(ctx context.Context, v sale) error {
	_, err := s.Insert(ctx, v)
	return err
}
