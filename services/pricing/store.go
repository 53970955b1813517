package pricing

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/network"
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

// knowledge is what pricing keeps of what other services tell of partners and their days.
type knowledge struct {
	partners mongodb.Collection[network.Partner]
	days     mongodb.Collection[fullDay]
}

func (k knowledge) learnPartner(ctx context.Context, p network.Partner) error {
	_, err := k.partners.PutNewer(ctx, p.ID, p.Version, p)
	return err
}

func (k knowledge) learnDay(ctx context.Context, e event.CapacityChanged) error {
	id := dayID(e.PartnerID, e.SizeM3, e.Date)
	_, err := k.days.PutNewer(ctx, id, e.Version, fullDay{id, e.Version, e.Date, e.Full})
	return err
}

// read makes a snapshot with the days from a date on.
func (k knowledge) read(ctx context.Context, date string) (*snapshot, error) {
	partners, err := k.partners.Find(ctx, bson.D{}, nil, 0)
	if err != nil {
		return nil, err
	}
	days, err := k.days.Find(ctx, bson.D{{Key: "date", Value: bson.D{{Key: "$gte", Value: date}}}, {Key: "full", Value: true}}, nil, 0)
	if err != nil {
		return nil, err
	}
	s := &snapshot{partners, make(map[string]bool, len(days))}
	for _, d := range days {
		s.full[d.ID] = true
	}
	return s, nil
}
