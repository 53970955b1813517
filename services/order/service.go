package order

import (
	"context"
	"fmt"
	"time"

	"kreislauf/internal/event"
	"kreislauf/internal/process"
)

type service struct {
	orders store
	meta   func(context.Context) event.Meta
	now    func() time.Time
	key    []byte
	zone   *time.Location
}

// Wire gives a process the work of an instance.
func Wire(p *process.Process) error {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return fmt.Errorf("load time zone: %w", err)
	}
	s := &service{
		orders: store{process.Repository[Order](p, "orders", "order", event.TopicOrder)},
		meta:   p.Meta, now: p.Now, key: p.Config.Key("KREISLAUF_QUOTE_KEY"), zone: berlin,
	}
	p.Late(s.orders.ensureIndexes)
	p.Handle("POST", "/api/order/v1/orders", s.postOrder)
	p.Handle("GET", "/api/order/v1/orders", s.getOrders)
	p.Handle("GET", "/api/order/v1/orders/{id}", s.getOrder)
	p.Consume(s.consume)
	return nil
}
