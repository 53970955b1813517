package pricing

import (
	"context"
	"fmt"
	"time"

	"kreislauf/internal/event"
	"kreislauf/internal/process"
	"kreislauf/internal/repository"
)

// Validity of a quote: long enough to find a card and an address, short enough for a tariff change.
const Validity = 2 * time.Hour

type service struct {
	key      []byte
	sales    store
	standing *repository.Repository[StandingQuote, *StandingQuote] // of occurrences of standing orders
	meta     func(context.Context) event.Meta
	now      func() time.Time
	zone     *time.Location
}

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return fmt.Errorf("load time zone: %w", err)
	}
	s := &service{
		key: p.Config.Key("KREISLAUF_QUOTE_KEY"), sales: store{process.Collection[sale](p, "sales", "sale")}, now: p.Now, zone: berlin,
		standing: process.Repository[StandingQuote](p, "standing_quotes", "quote of a standing order", event.TopicPricing), meta: p.Meta,
	}
	p.Handle("GET", "/api/pricing/v1/catalog", s.getCatalog)
	p.Handle("GET", "/api/pricing/v1/quotes", s.getQuote)
	p.Consume(s.consume)
	return nil
}
