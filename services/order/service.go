package order

import (
	"context"
	"fmt"
	"time"

	"kreislauf/internal/audit"
	"kreislauf/internal/event"
	"kreislauf/internal/process"
)

// service is what the handlers need.
//
//	customer, back office -> http.go ---+
//	partner ------------> http_jobs.go -+-> Order (pure) -> orders (MongoDB) -> relay -> kreislauf.order.v1
//	matching, payment --> consumer.go --+
type service struct {
	orders store
	files  files
	meta   func(context.Context) event.Meta
	now    func() time.Time
	key    []byte
	zone   *time.Location
	look   func(context.Context, audit.Entry) error // writes down who has read what
	trail  func(ctx context.Context, subject string, limit int64) ([]audit.Entry, error)
}

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return fmt.Errorf("load time zone: %w", err)
	}
	s := &service{
		orders: store{process.Repository[Order](p, "orders", "order", event.TopicOrder)},
		files:  files{p.Blobs},
		meta:   p.Meta, now: p.Now, key: p.Config.Key("KREISLAUF_QUOTE_KEY"), zone: berlin,
	}
	p.Late(s.orders.ensureIndexes)
	trail := p.AuditLog("orders")
	s.look, s.trail = trail.Append, trail.BySubject
	p.Handle("POST", "/api/order/v1/orders", s.postOrder)
	p.Handle("GET", "/api/order/v1/orders", s.getOrders)
	p.Handle("GET", "/api/order/v1/orders/{id}", s.getOrder)
	p.Handle("POST", "/api/order/v1/orders/{id}/cancel", s.postCancel)
	p.Handle("POST", "/api/order/v1/orders/{id}/pick-up", s.postPickUp)
	p.Handle("GET", "/api/order/v1/jobs", s.getJobs)
	p.Handle("GET", "/api/order/v1/jobs/{id}", s.getJob)
	p.Handle("POST", "/api/order/v1/jobs/{id}/driver", s.postDriver)
	p.Handle("POST", "/api/order/v1/jobs/{id}/failed-trip", s.postFailedTrip)
	p.Handle("POST", "/api/order/v1/jobs/{id}/on-site", s.postOnSite)
	p.Handle("POST", "/api/order/v1/jobs/{id}/collected", s.postCollected)
	p.Handle("POST", "/api/order/v1/jobs/{id}/weighed", s.postWeighed)
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
