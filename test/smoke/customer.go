package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"kreislauf/internal/client"
)

// customer is one browser.
type customer struct {
	*client.Client
	visit string
}

// newCustomer comes from a public address; nginx believes it from loopback.
func newCustomer(entry string) *customer {
	return &customer{client.New(client.Entry(entry), nil).With("X-Forwarded-For", "91.65.12.34"), rand.Text()}
}

// firstOrder signs up and orders.
func (c *customer) firstOrder(ctx context.Context) (orderID, traceID string, err error) {
	a := client.Account{Email: "smoke-" + rand.Text() + "@example.org", Password: "correct horse battery", Name: "Smoke Test"}
	if _, err = c.SignUp(ctx, a); err != nil {
		return "", "", err
	}
	return c.order(ctx)
}

// order gets a quote and orders it under a trace id of its own choice.
func (c *customer) order(ctx context.Context) (orderID, traceID string, err error) {
	catalog, err := c.Catalog(ctx, "50667")
	if err != nil {
		return "", "", err
	}
	q, err := c.Quote(ctx, client.QuoteRequest{Postcode: "50667", Waste: "170904", SizeM3: 7, Date: catalog.EarliestDate})
	if err != nil {
		return "", "", err
	}
	if err := c.Report(ctx, client.Event{Type: "order-attempt", VisitID: c.visit}); err != nil {
		return "", "", err
	}
	raw := make([]byte, 24)
	rand.Read(raw) // never fails (crypto/rand)
	traceID = fmt.Sprintf("%x", raw[:16])
	o, err := c.With("traceparent", fmt.Sprintf("00-%s-%x-01", traceID, raw[16:])).Place(ctx, client.NewOrder{
		Quote: q.Token, VisitID: c.visit, Address: client.Address{Name: "Smoke Test", Street: "Domkloster 4", City: "Köln"},
	})
	return o.ID, traceID, err
}

// awaitState polls an order until it is in the state.
func (c *customer) awaitState(ctx context.Context, orderID, state string) error {
	for {
		o, err := c.Order(ctx, orderID)
		if err != nil {
			return err
		}
		if o.State == state {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("order " + orderID + " is " + o.State + ", not " + state)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
