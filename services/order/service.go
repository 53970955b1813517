package order

import (
	"context"
	"fmt"
	"time"

	"kreislauf/internal/event"
	"kreislauf/internal/process"
	"kreislauf/internal/session"
)

type service struct {
	orders store
	meta   func(context.Context) event.Meta
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
		meta:   p.Meta, key: p.Config.Key("KREISLAUF_QUOTE_KEY"), zone: berlin,
	}
	p.Late(s.orders.ensureIndexes)
	p.HTTP.Handle("POST", "/api/order/v1/orders", p.Sessions.Require(session.RoleCustomer, s.postOrder))
	p.HTTP.Handle("GET", "/api/order/v1/orders", p.Sessions.Require(session.RoleCustomer, s.getOrders))
	p.HTTP.Handle("GET", "/api/order/v1/orders/{id}", p.Sessions.Require(session.RoleCustomer, s.getOrder))
	p.Consume(s.consume)
	return nil
}
