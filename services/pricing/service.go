package pricing

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/health"
	"kreislauf/internal/network"
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
	known    knowledge

	snapshot atomic.Pointer[snapshot] // of what is known; renewed by look
}

// lookEvery is how old a snapshot gets.
const lookEvery = 2 * time.Second

// look renews the snapshot for as long as the process serves. While the database is away the last one stays.
func (s *service) look(ctx context.Context, log zerolog.Logger) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	failing := false
	for {
		health.Tick(ctx)
		seen, err := s.known.read(ctx, s.now().In(s.zone).Format(catalog.DateFormat))
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			s.snapshot.Store(seen)
		} else if !failing { // one line for each time that it begins to fail
			log.Warn().Err(err).Str("event.action", "pricing.look").Msg("read partners and full days; trying again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return fmt.Errorf("load time zone: %w", err)
	}
	s := &service{
		key: p.Config.Key("KREISLAUF_QUOTE_KEY"), sales: store{process.Collection[sale](p, "sales", "sale")}, now: p.Now, zone: berlin,
		known:    knowledge{process.Collection[network.Partner](p, "network", "partner"), process.Collection[fullDay](p, "full_days", "full day")},
		standing: process.Repository[StandingQuote](p, "standing_quotes", "quote of a standing order", event.TopicPricing), meta: p.Meta,
	}
	s.snapshot.Store(&snapshot{})
	p.Background("network snapshot", func(ctx context.Context) error { return s.look(ctx, p.Log) })
	p.Handle("GET", "/api/pricing/v1/catalog", s.getCatalog)
	p.Handle("GET", "/api/pricing/v1/quotes", s.getQuote)
	p.Consume(s.consume)
	return nil
}
