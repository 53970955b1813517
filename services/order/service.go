package order

import (
	"context"
	"time"

	"kreislauf/internal/event"
	"kreislauf/internal/outbox"
	"kreislauf/internal/process"
	"kreislauf/internal/session"
)

type service struct {
	*process.Process
	key    []byte
	orders store
	relay  *outbox.Relay
	zone   *time.Location
}

// New wires an instance; run it with Process.Run.
func New(ctx context.Context, lookup process.Lookup) (*process.Process, error) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return nil, err
	}
	p, err := process.Open(ctx, "order", lookup, process.Needs{MongoDB: true, Sessions: true, Kafka: true})
	if err != nil {
		return nil, err
	}
	s := &service{Process: p, key: p.Config.Key("KREISLAUF_QUOTE_KEY"), orders: openStore(p.DB), zone: berlin}
	s.relay = outbox.New(s.orders.orders, event.TopicOrder, p.Producer, p.Log)
	p.Late(s.orders.ensureIndexes)
	p.Relay(s.relay)
	p.HTTP.Handle("POST", "/api/order/v1/orders", p.Sessions.Require(session.RoleCustomer, s.postOrder))
	p.HTTP.Handle("GET", "/api/order/v1/orders", p.Sessions.Require(session.RoleCustomer, s.getOrders))
	p.HTTP.Handle("GET", "/api/order/v1/orders/{id}", p.Sessions.Require(session.RoleCustomer, s.getOrder))
	p.Consume(s.consume)
	return p, nil
}
