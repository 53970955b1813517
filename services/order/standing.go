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

// whyNot checks an occurrence, and says why it cannot be ordered; reason is empty when it can. A site that nobody has told of yet is as the
// service customer says: it checked it. today is a local time.
func whyNot(p event.StandingQuoted, site Site, known bool, key []byte, today, at time.Time) (q quote.Quote, reason string, err error) {
	q, err = quote.Verify(key, p.Quote, at)
	switch {
	case errors.Is(err, quote.ErrExpired):
		return q, "its price had ended before it could be ordered", nil
	case err != nil:
		return q, "", err
	case catalog.CheckDate(q.Postcode, q.Date, today) != nil:
		reason = "its day could not be had any more when it was to be ordered"
	case known && site.takes(standingCaller(p), known, q.Postcode) != nil:
		reason = "its site cannot be ordered for any more"
	}
	return q, reason, nil
}

// standingCaller is for whom an occurrence is ordered.
func standingCaller(p event.StandingQuoted) authz.Caller {
	return authz.Caller{UserID: p.Due.UserID, Role: authz.Customer, CompanyID: p.Due.CompanyID}
}

// placeStanding makes the order of an occurrence that can be ordered.
func placeStanding(p event.StandingQuoted, q quote.Quote, slot string, meta event.Meta) (Order, error) {
	request := Request{Quote: p.Quote, Address: p.Due.Address, PublicGround: p.Due.PublicGround, SiteID: p.Due.SiteID}
	return placeFor(standingCaller(p), standingOrderID(p), occurrence{p.StandingID, p.Occurrence}, request, q, slot, nil, meta)
}

// refuseStanding makes the refusal of an occurrence and tells of it.
func refuseStanding(p event.StandingQuoted, reason string, meta event.Meta) (Refusal, error) {
	r := Refusal{Root: aggregate.New(standingOrderID(p)), StandingID: p.StandingID, Occurrence: p.Occurrence, Reason: reason}
	return r, r.Emit(meta, event.StandingRefused{
		StandingID: p.StandingID, Occurrence: p.Occurrence, UserID: p.Due.UserID, Date: p.Due.Date, Reason: reason,
	})
}

// occurrence names what made an order instead of a person; empty otherwise.
type occurrence struct{ standingID, day string }
