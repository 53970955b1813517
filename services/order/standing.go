package order

import (
	"errors"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/authz"
	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/quote"
)

// Refusal says why an occurrence of a standing order did not become an order, and is its document. Its id is that of the order.
type Refusal struct {
	aggregate.Root `bson:",inline"`
	StandingID     string `bson:"standing_id"`
	Occurrence     string `bson:"occurrence"`
	Reason         string `bson:"reason"`
}

// standingOrderID is the id of the order of an occurrence: there is never another one.
func standingOrderID(p event.StandingQuoted) string { return idFor(p.StandingID, p.Occurrence) }

// placeStanding makes the order of an occurrence. A site that nobody has told of yet is as the service customer says: it checked it. refusal is
// not nil when it cannot be ordered. today is a local time.
func placeStanding(p event.StandingQuoted, site Site, known bool, key []byte, today time.Time, meta event.Meta) (o Order, refusal *Refusal, err error) {
	by := authz.Caller{UserID: p.Due.UserID, Role: authz.Customer, CompanyID: p.Due.CompanyID}
	q, err := quote.Verify(key, p.Quote, meta.At)
	var reason string
	switch {
	case errors.Is(err, quote.ErrExpired):
		reason = "its price had ended before it could be ordered"
	case err != nil:
		return o, nil, err
	case catalog.CheckDate(q.Postcode, q.Date, today) != nil:
		reason = "its day could not be had any more when it was to be ordered"
	case known && site.takes(by, known, q.Postcode) != nil:
		reason = "its site cannot be ordered for any more"
	}
	if reason != "" {
		r := Refusal{Root: aggregate.New(standingOrderID(p)), StandingID: p.StandingID, Occurrence: p.Occurrence, Reason: reason}
		return o, &r, r.Emit(meta, event.StandingRefused{
			StandingID: p.StandingID, Occurrence: p.Occurrence, UserID: p.Due.UserID, Date: p.Due.Date, Reason: reason,
		})
	}
	request := Request{Quote: p.Quote, Address: p.Due.Address, PublicGround: p.Due.PublicGround, SiteID: p.Due.SiteID}
	o, err = placeFor(by, standingOrderID(p), occurrence{p.StandingID, p.Occurrence}, request, q, meta)
	return o, nil, err
}

// occurrence names what made an order instead of a person; empty otherwise.
type occurrence struct{ standingID, day string }
