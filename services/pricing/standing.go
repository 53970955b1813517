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

// answerStanding gives an occurrence a price, or says why it has none.
func (s *service) answerStanding(due event.StandingDue, meta event.Meta) (StandingQuote, error) {
	q, _, _, err := s.price(url.Values{
		"postcode": {due.Postcode}, "waste": {due.Waste}, "size": {strconv.Itoa(due.SizeM3)}, "date": {due.Date},
	}, meta.At.In(s.zone))
	if err != nil {
		return refuseStanding(due, reasonOf(err), meta)
	}
	return quoteStanding(due, q, s.key, s.zone, meta)
}

// refuseStanding answers an occurrence that has no price.
func refuseStanding(due event.StandingDue, reason string, meta event.Meta) (StandingQuote, error) {
	s := StandingQuote{Root: aggregate.New(due.StandingID + "/" + due.Occurrence), Reason: reason}
	return s, s.Emit(meta, event.QuoteRefused{
		StandingID: due.StandingID, Occurrence: due.Occurrence, UserID: due.UserID, Date: due.Date, Reason: reason,
	})
}

// quoteStanding gives an occurrence the price q of the day on which it is told of, as any customer would get it. It holds until the day of
// placing: whoever is away meanwhile, the customer pays what was promised. zone is where the day is.
func quoteStanding(due event.StandingDue, q quote.Quote, key []byte, zone *time.Location, meta event.Meta) (StandingQuote, error) {
	s := StandingQuote{Root: aggregate.New(due.StandingID + "/" + due.Occurrence)}
	day, err := time.ParseInLocation(time.DateOnly, q.Date, zone)
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
