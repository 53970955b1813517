// Package quote owns the signed quote: what pricing promises and order accepts without asking pricing, so that an order can be
// placed while every pricing instance is down. It is the contract between the two services; both hold the same key.
//
// Invariants: a token that verifies was made by a holder of the key and is unchanged; it ends at ValidUntil. It is readable by
// anybody and holds no secret. It may be used for more than one order: it is a price, not a voucher.
package quote

import (
	"errors"
	"time"

	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/signed"
)

// Quote is what was promised.
type Quote struct {
	ID           string      `json:"id"`
	Postcode     string      `json:"postcode"`
	Waste        string      `json:"waste_code"`
	SizeM3       int         `json:"size_m3"`
	Date         string      `json:"date"` // YYYY-MM-DD, Europe/Berlin
	Price        money.Price `json:"price"`
	IncludedDays int         `json:"included_days"`
	IncludedKg   int         `json:"included_kg,omitempty"` // weight that the price includes; 0: any, in quotes of before tariff 2026-12

	// Net, and 0 in quotes of before tariff 2026-12, so that what these did not say is not charged.
	ExtraDayNetCents   money.Cents `json:"extra_day_net_cents,omitempty"`   // each day beyond IncludedDays
	ExtraTonneNetCents money.Cents `json:"extra_tonne_net_cents,omitempty"` // each tonne above IncludedKg

	Tariff     string    `json:"tariff"` // version of the price table
	ValidUntil time.Time `json:"valid_until"`

	// The members below are empty in quotes of before tariff 2027-01, which are flat.

	// Model is Flat or Weight. With Weight the price is that of the service and of IncludedKg, which is the least that is billed.
	Model          string            `json:"model,omitempty"`
	Lines          []event.PriceLine `json:"lines,omitempty"`            // what Price consists of, net
	PermitNetCents money.Cents       `json:"permit_net_cents,omitempty"` // the line of kind "permit"; 0: the customer has one where it is needed
	Window         string            `json:"window,omitempty"`           // of the day, see catalog.FindWindow
}

// The models of prices.
const (
	Flat   = "flat"   // one price for what fits into the container
	Weight = "weight" // a price for the service, and one for each tonne that is weighed
)

// FailedTripNet is what a customer pays for each truck that came in vain. Quotes tell it before anybody orders, invoices bill it.
const FailedTripNet money.Cents = 55_00

// ErrExpired is Verify's error for a quote that was ours and has ended.
var ErrExpired = errors.New("the quote has ended")

const kind = "q1"

// Sign makes the token.
func Sign(key []byte, q Quote) (string, error) { return signed.Seal(key, kind, q) }

// Verify reads a token; the error is signed.ErrForged, or ErrExpired together with the quote.
func Verify(key []byte, token string, now time.Time) (Quote, error) {
	var q Quote
	if err := signed.Open(key, kind, token, &q); err != nil {
		return Quote{}, err
	}
	if now.After(q.ValidUntil) {
		return q, ErrExpired
	}
	return q, nil
}
