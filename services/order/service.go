package order

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/health"
	"kreislauf/internal/network"
	"kreislauf/internal/process"
	"kreislauf/internal/repository"
)

// service is what the handlers need.
//
//	customer, back office -> http.go ---+
//	partner ------------> http_jobs.go -+-> Order (pure) -> orders (MongoDB) -> relay -> kreislauf.order.v1
//	matching, payment --> consumer.go --+
type service struct {
	orders   store
	places   capacity
	takers   takers
	files    files
	sites    sites                                     // of customers
	refusals *repository.Repository[Refusal, *Refusal] // of occurrences of standing orders
	meta     func(context.Context) event.Meta
	now      func() time.Time
	key      []byte
	zone     *time.Location
	look     func(context.Context, audit.Entry) error // writes down who has read what
	trail    func(ctx context.Context, subject string, limit int64) ([]audit.Entry, error)
}

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return fmt.Errorf("load time zone: %w", err)
	}
	s := &service{
		orders:   store{process.Repository[Order](p, "orders", "order", event.TopicOrder)},
		files:    files{p.Blobs, newDarkroom()},
		takers:   takers{process.Collection[Taker](p, "takers", "partner")},
		sites:    sites{process.Collection[Site](p, "sites", "site")},
		refusals: process.Repository[Refusal](p, "refusals", "refusal", event.TopicOrder),
		meta:     p.Meta, now: p.Now, key: p.Config.Key("KREISLAUF_QUOTE_KEY"), zone: berlin,
	}
	s.places = capacity{
		days:     days{process.Repository[Day](p, "days", "day", event.TopicOrder)},
		partners: partners{process.Collection[network.Partner](p, "network", "partner")},
		orders:   s.orders, meta: p.Meta, zone: berlin,
	}
	p.Late(s.orders.ensureIndexes)
	p.Late(s.places.days.ensureIndexes)
	p.Background("capacity sweep", func(ctx context.Context) error { return s.places.run(ctx, p.Log) })
	trail := p.AuditLog("orders")
	s.look, s.trail = trail.Append, trail.BySubject
	p.Handle("POST", "/api/order/v1/orders", s.postOrder)
	p.Handle("GET", "/api/order/v1/orders", s.getOrders)
	p.Handle("GET", "/api/order/v1/orders/{id}", s.getOrder)
	p.Handle("POST", "/api/order/v1/orders/{id}/cancel", s.postCancel)
	p.Handle("POST", "/api/order/v1/orders/{id}/pick-up", s.postPickUp)
	p.Handle("GET", "/api/order/v1/proof", s.getProof)
	p.Handle("GET", "/api/order/v1/jobs", s.getJobs)
	p.Handle("GET", "/api/order/v1/jobs/{id}", s.getJob)
	p.Handle("POST", "/api/order/v1/jobs/{id}/plan", s.postPlan)
	p.Handle("POST", "/api/order/v1/jobs/{id}/failed-trip", s.postFailedTrip)
	p.Handle("POST", "/api/order/v1/jobs/{id}/on-site", s.postOnSite)
	p.Handle("POST", "/api/order/v1/jobs/{id}/swapped", s.postSwapped)
	p.Handle("POST", "/api/order/v1/jobs/{id}/collected", s.postCollected)
	p.Handle("POST", "/api/order/v1/jobs/{id}/weighed", s.postWeighed)
	p.Handle("POST", "/api/order/v1/orders/{id}/correct", s.postCorrect)
	p.Handle("POST", "/api/order/v1/jobs/{id}/correct", s.postJobCorrect)
	p.HandleUpload("PUT", "/api/order/v1/jobs/{id}/documents/{sha256}", maxDocument, s.putDocument)
	p.Handle("GET", "/api/order/v1/jobs/{id}/documents/{sha256}", s.getDocument)
	p.Handle("GET", "/api/order/v1/orders/{id}/documents/{sha256}", s.getDocument)
	p.Handle("GET", "/api/order/v1/search", s.getSearch)
	p.Handle("GET", "/api/order/v1/orders/{id}/record", s.getRecord)
	p.Handle("GET", "/api/order/v1/worklists", s.getWorklists)
	p.Handle("GET", "/api/order/v1/audit", s.getAudit)
	p.Consume(s.consume)
	return nil
}

// run sweeps for as long as the process serves. Each instance does: sweeps at the same moment do no harm.
func (c capacity) run(ctx context.Context, log zerolog.Logger) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	failing, last := false, time.Time{}
	for {
		health.Tick(ctx)
		if time.Since(last) >= sweepEvery {
			last = time.Now()
			err := c.sweep(ctx)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil && !failing { // one line for each time that it begins to fail
				log.Warn().Err(err).Str("event.action", "capacity.sweep").Msg("give back places that no order holds; trying again")
			}
			failing = err != nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
