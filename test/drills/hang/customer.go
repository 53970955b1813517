package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"kreislauf/internal/client"
)

// tryLimit is how long a customer tries to get a request through.
const tryLimit = 30 * time.Second

// request is one try of one request, as the customer saw it.
type request struct {
	what  string // "POST /api/order/v1/orders"
	began time.Time
	took  time.Duration
	err   error // a *client.Problem when it was refused
}

// failed leaves out what is the customer's own fault.
func (r request) failed() bool {
	p, refused := errors.AsType[*client.Problem](r.err)
	return r.err != nil && (!refused || p.Status >= http.StatusInternalServerError)
}

func (r request) String() string {
	return fmt.Sprintf("%s after %.2f s: %v", r.what, r.took.Seconds(), r.err)
}

// customer is one person with an account, at an address of its own, as nginx limits sign-ins by address.
type customer struct {
	*client.Client
	account client.Account

	mu       sync.Mutex // guards requests and orders
	requests []request
	orders   []string // acknowledged
}

func newCustomer(entry string, n int) *customer {
	one := client.New(client.Entry(entry), &http.Transport{MaxIdleConnsPerHost: 2})
	return &customer{
		Client:  one.With("X-Forwarded-For", fmt.Sprintf("91.65.12.%d", 1+n%250)),
		account: client.Account{Email: "hang-" + rand.Text() + "@example.org", Password: rand.Text(), Name: "Hanna Hang"},
	}
}

// once sends a request and remembers what came of it.
func (c *customer) once(ctx context.Context, call client.Call) (request, []byte) {
	r := request{what: call.Method + " " + call.Path, began: time.Now()}
	a, err := c.Do(ctx, call)
	if r.took = time.Since(r.began); err == nil {
		err = a.Err()
	}
	r.err = err
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r)
	return r, a.Body
}

// send sends a request until it gets through, as the page does: again after a failure, with the same key, and after a new sign-in when the
// session is unknown, because Redis forgets up to a second when it is killed.
func (c *customer) send(ctx context.Context, call client.Call, out any) error {
	for began := time.Now(); ; {
		r, body := c.once(ctx, call)
		if r.err == nil {
			if out == nil {
				return nil
			}
			return json.Unmarshal(body, out)
		}
		p, refused := errors.AsType[*client.Problem](r.err)
		switch {
		case refused && p.Status == http.StatusUnauthorized && call.Path != client.SessionsPath:
			if err := c.signIn(ctx); err != nil {
				return err
			}
			continue
		case !r.failed() && p.Status != http.StatusTooManyRequests:
			return fmt.Errorf("refused: %v", r)
		case time.Since(began) > tryLimit || ctx.Err() != nil:
			return fmt.Errorf("it does not get through: %v", r)
		}
		pause := 100 * time.Millisecond
		if refused && p.RetryAfter > 0 {
			pause = min(p.RetryAfter, 500*time.Millisecond)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (c *customer) signUp(ctx context.Context) error {
	return c.send(ctx, client.Call{Method: http.MethodPost, Path: client.UsersPath, Key: client.NewKey(), Body: c.account}, nil)
}

func (c *customer) signIn(ctx context.Context) error {
	body := map[string]string{"email": c.account.Email, "password": c.account.Password}
	return c.send(ctx, client.Call{Method: http.MethodPost, Path: client.SessionsPath, Body: body}, nil)
}

// visit does what a customer does: look, ask for the price, order, look at the order.
func (c *customer) visit(ctx context.Context) error {
	get := func(path string, out any) error {
		return c.send(ctx, client.Call{Method: http.MethodGet, Path: path}, out)
	}
	var cat client.Catalog
	if err := get(client.CatalogPath, &cat); err != nil {
		return err
	}
	var q client.Quote
	if err := get(client.QuoteRequest{Postcode: "50667", Waste: "170904", SizeM3: 7, Date: cat.EarliestDate}.Path(), &q); err != nil {
		return err
	}
	attempt := client.Event{Type: "order-attempt", ID: rand.Text()}
	if err := c.send(ctx, client.Call{Method: http.MethodPost, Path: client.EventsPath, Body: attempt}, nil); err != nil {
		return err
	}
	order := client.NewOrder{Quote: q.Token, Address: client.Address{Name: "Hanna Hang", Street: "Domkloster 4", City: "Köln"}}
	var o client.Order
	if err := c.send(ctx, client.Call{Method: http.MethodPost, Path: client.OrdersPath, Key: client.NewKey(), Body: order}, &o); err != nil {
		return err
	}
	c.mu.Lock()
	c.orders = append(c.orders, o.ID)
	c.mu.Unlock()
	return get(client.OrdersPath+"/"+o.ID, nil)
}

// shop visits again and again until ctx ends, and signs in anew now and then. A visit that has begun is finished.
func (c *customer) shop(ctx context.Context) error {
	whole := context.WithoutCancel(ctx)
	for n := 1; ctx.Err() == nil; n++ {
		if err := c.visit(whole); err != nil {
			return err
		}
		if n%5 == 0 {
			if err := c.signIn(whole); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(150 * time.Millisecond):
		}
	}
	return nil
}

// settled demands that the customer has each order that was acknowledged, no other one, and that all are matched.
func (c *customer) settled(ctx context.Context) error {
	return until(ctx, time.Minute, "all orders of "+c.account.Email+" are there once and matched", func() (bool, error) {
		list, err := c.Orders(ctx)
		if err != nil {
			return false, err
		}
		var have []string
		matched := 0
		for _, o := range list {
			have = append(have, o.ID)
			if o.State == "matched" {
				matched++
			}
		}
		want := slices.Sorted(slices.Values(c.orders))
		slices.Sort(have)
		if !slices.Equal(want, have) {
			return false, fmt.Errorf("acknowledged %d orders %v, there are %d: %v", len(want), want, len(have), have)
		}
		return matched == len(want), fmt.Errorf("%d of %d orders are matched", matched, len(want))
	})
}
