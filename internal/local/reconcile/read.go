package reconcile

import (
	"context"
	"fmt"
	"maps"
	"time"

	"kreislauf/internal/mongodb"
	"kreislauf/internal/numbering"
	"kreislauf/services/customer"
	"kreislauf/services/disposer"
	"kreislauf/services/mailing"
	"kreislauf/services/matching"
	"kreislauf/services/order"
	"kreislauf/services/payment"
)

// look is one look: all that was read, and what was found.
type look struct {
	now    time.Time
	berlin *time.Location
	report Report

	orders    map[string]order.Order
	documents map[string][]payment.Document // by order
	lines     map[string]payment.StatementLine
	numbers   []numbering.Number
	billed    map[string]payment.Partner // partners as payment knows them
	matches   map[string]matching.Match
	network   map[string]matching.Partner
	partners  map[string]disposer.Partner
	mails     map[string][]mailing.Mail // by order
	standing  map[string]customer.Standing

	// What was read whole. What depends on something else is not compared.
	ordersRead, paymentRead, matchesRead, partnersRead, mailsRead, standingRead bool
}

// read reads the databases, the orders first: what comes meanwhile is then known further on, and is young.
func (l *look) read(ctx context.Context, dbs map[string]*mongodb.Database) {
	l.documents, l.mails = map[string][]payment.Document{}, map[string][]mailing.Mail{}
	l.standingRead = byID(ctx, l, dbs, "customer", "standing", &l.standing, func(s customer.Standing) string { return s.ID })
	l.ordersRead = byID(ctx, l, dbs, "order", "orders", &l.orders, func(o order.Order) string { return o.ID })
	maps.DeleteFunc(l.orders, func(_ string, o order.Order) bool { return o.State == order.Void }) // nobody was told of it
	l.matchesRead = byID(ctx, l, dbs, "matching", "matches", &l.matches, func(m matching.Match) string { return m.ID })
	documents := all(ctx, l, dbs, "payment", "documents", func(d payment.Document) { l.documents[d.OrderID] = append(l.documents[d.OrderID], d) })
	lines := byID(ctx, l, dbs, "payment", "statement_lines", &l.lines, func(s payment.StatementLine) string { return s.ID })
	numbers := all(ctx, l, dbs, "payment", "numbers", func(n numbering.Number) { l.numbers = append(l.numbers, n) })
	l.paymentRead = documents && lines && numbers
	l.mailsRead = all(ctx, l, dbs, "mailing", "mails", func(m mailing.Mail) { l.mails[m.OrderID] = append(l.mails[m.OrderID], m) })
	partners := byID(ctx, l, dbs, "disposer", "partners", &l.partners, func(p disposer.Partner) string { return p.ID })
	network := byID(ctx, l, dbs, "matching", "network", &l.network, func(p matching.Partner) string { return p.ID })
	billed := byID(ctx, l, dbs, "payment", "partners", &l.billed, func(p payment.Partner) string { return p.ID })
	l.partnersRead = partners && network && billed
}

// all reads a collection; ok is false when that is not possible.
func all[T any](ctx context.Context, l *look, dbs map[string]*mongodb.Database, service, collection string, keep func(T)) (ok bool) {
	db := dbs[service]
	if db == nil {
		return false // told already
	}
	err := mongodb.OpenCollection[T](db, collection, service+"/"+collection).Each(ctx, func(doc T) error { keep(doc); return nil })
	if err != nil {
		l.unreadable(fmt.Errorf("%s: %w", service, err))
	}
	return err == nil
}

func byID[T any](ctx context.Context, l *look, dbs map[string]*mongodb.Database, service, collection string, into *map[string]T, id func(T) string) bool {
	*into = map[string]T{}
	return all(ctx, l, dbs, service, collection, func(doc T) { (*into)[id(doc)] = doc })
}
