package pricing

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
	"kreislauf/internal/quote"
)

// StandingQuote is the answer to an occurrence of a standing order, and its document: there is one of each, and it is told of once.
type StandingQuote struct {
	aggregate.Root `bson:",inline"` // ID is the standing order's and the day of its plan
	Price          money.Price      `bson:"price,omitempty"`
	Reason         string           `bson:"reason,omitempty"` // why there is no price
}

// quoteStanding gives an occurrence the price of the day on which it is told of, as any customer would get it. It holds until the day of
// placing: whoever is away meanwhile, the customer pays what was promised. today is a local time.
func quoteStanding(due event.StandingDue, key []byte, today time.Time, meta event.Meta) (StandingQuote, error) {
	s := StandingQuote{Root: aggregate.New(due.StandingID + "/" + due.Occurrence)}
	q, _, _, err := price(url.Values{
		"postcode": {due.Postcode}, "waste": {due.Waste}, "size": {strconv.Itoa(due.SizeM3)}, "date": {due.Date},
	}, today)
	if err != nil {
		s.Reason = reasonOf(err)
		return s, s.Emit(meta, event.QuoteRefused{
			StandingID: due.StandingID, Occurrence: due.Occurrence, UserID: due.UserID, Date: due.Date, Reason: s.Reason,
		})
	}
	day, err := time.ParseInLocation(time.DateOnly, q.Date, today.Location())
	if err != nil {
		return s, err
	}
	q.ValidUntil, s.Price = day.UTC(), q.Price
	token, err := quote.Sign(key, q)
	if err != nil {
		return s, err
	}
	return s, s.Emit(meta, event.StandingQuoted{StandingID: due.StandingID, Occurrence: due.Occurrence, Due: due, Quote: token, Price: q.Price})
}

// reasonOf is what a customer may be told of a refused price.
func reasonOf(err error) string {
	p, ok := errors.AsType[*problem.Error](err)
	if !ok {
		return "it has no price"
	}
	if len(p.Fields) > 0 {
		return p.Fields[0].Detail
	}
	return p.Detail
}
