package pricing

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"

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

type store struct{ sales *mongo.Collection }

func openStore(db *mongodb.Database) store { return store{db.Collection("sales")} }

// record stores a sale; a second delivery of the same event finds it there and changes nothing.
func (s store) record(ctx context.Context, v sale) error {
	if _, err := s.sales.InsertOne(ctx, v); err != nil && !mongo.IsDuplicateKeyError(err) {
		return mongodb.Problem("record sale", err)
	}
	return nil
}
