package pricing

import (
	"context"
	"time"

	"kreislauf/internal/process"
)

// Validity of a quote: long enough to find a card and an address, short enough for a tariff change.
const Validity = 2 * time.Hour

type service struct {
	*process.Process
	key   []byte
	sales store
	zone  *time.Location
}

// New wires an instance; run it with Process.Run.
func New(ctx context.Context, lookup process.Lookup) (*process.Process, error) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return nil, err
	}
	p, err := process.Open(ctx, "pricing", lookup, process.Needs{MongoDB: true, Kafka: true})
	if err != nil {
		return nil, err
	}
	s := &service{Process: p, key: p.Config.Key("KREISLAUF_QUOTE_KEY"), sales: openStore(p.DB), zone: berlin}
	p.HTTP.Handle("GET", "/api/pricing/v1/catalog", s.getCatalog)
	p.HTTP.Handle("GET", "/api/pricing/v1/quotes", s.getQuote)
	p.Consume(s.consume)
	return p, nil
}
