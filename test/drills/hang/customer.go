package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

// tryLimit is how long a customer tries to get a request through.
const tryLimit = 30 * time.Second

// request is one try of one request, as the customer saw it.
type request struct {
	what       string // "POST /api/order/v1/orders"
	began      time.Time
	took       time.Duration
	status     int // 0 without an answer
	retryAfter string
	err        error
}

func (r request) failed() bool { return r.err != nil || r.status >= http.StatusInternalServerError }

func (r request) String() string {
	return fmt.Sprintf("%s: %d, Retry-After %q, %v after %.2f s", r.what, r.status, r.retryAfter, r.err, r.took.Seconds())
}

// customer is one browser, with its account.
type customer struct {
	entry, address  string // address: from where it claims to come; nginx believes it from loopback
	email, password string
	client          *http.Client

	mu       sync.Mutex // guards requests and orders
	requests []request
	orders   []string // acknowledged
}

func newCustomer(entry string, n int) *customer {
	jar, _ := cookiejar.New(nil) // fails never without options
	return &customer{
		entry: entry, address: fmt.Sprintf("91.65.12.%d", 1+n%250), email: "hang-" + rand.Text() + "@example.org", password: rand.Text(),
		client: &http.Client{Jar: jar, Timeout: tryLimit, Transport: &http.Transport{MaxIdleConnsPerHost: 2}},
	}
}

// once sends a request and remembers what came of it.
func (c *customer) once(ctx context.Context, method, path, key string, body []byte) (request, []byte) {
	r := request{what: method + " " + path, began: time.Now()}
	req, err := http.NewRequestWithContext(ctx, method, c.entry+path, bytes.NewReader(body))
	if err != nil {
		r.err = err
		return r, nil
	}
	req.GetBody = nil // net/http would repeat a POST with an Idempotency-Key by itself, and nobody would count it
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", c.address)
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	u, _ := url.Parse(c.entry) // it comes from run.json and was used already
	for _, k := range c.client.Jar.Cookies(u) {
		if k.Name == "kreislauf_csrf" {
			req.Header.Set("X-CSRF-Token", k.Value)
		}
	}
	var answer []byte
	res, err := c.client.Do(req)
	if err == nil {
		answer, err = io.ReadAll(res.Body)
		r.status, r.retryAfter = res.StatusCode, res.Header.Get("Retry-After")
		res.Body.Close()
	}
	r.took, r.err = time.Since(r.began), err
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r)
	return r, answer
}

// do sends a request until it gets through, as the page does: again after a failure with the same key, after a new sign-in when the session
// is unknown.
func (c *customer) do(ctx context.Context, method, path, key string, in, out any) error {
	var body []byte
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = b
	}
	for began := time.Now(); ; {
		r, answer := c.once(ctx, method, path, key, body)
		switch {
		case r.err == nil && r.status < 300:
			if out == nil {
				return nil
			}
			return json.Unmarshal(answer, out)
		case r.status == http.StatusUnauthorized && path != sessions:
			if err := c.signIn(ctx); err != nil {
				return err
			}
			continue
		case !r.failed() && r.status != http.StatusTooManyRequests:
			return fmt.Errorf("%v: %s", r, answer)
		case time.Since(began) > tryLimit || ctx.Err() != nil:
			return fmt.Errorf("it does not get through: %v: %s", r, answer)
		}
		pause, err := strconv.Atoi(r.retryAfter)
		if err != nil || pause > 1 {
			pause = 0
		}
		select {
		case <-ctx.Done():
		case <-time.After(100*time.Millisecond + time.Duration(pause)*400*time.Millisecond):
		}
	}
}

const sessions = "/api/identity/v1/sessions"

func (c *customer) signUp(ctx context.Context) error {
	return c.do(ctx, "POST", "/api/identity/v1/users", rand.Text(),
		map[string]string{"email": c.email, "password": c.password, "name": "Hanna Hang"}, nil)
}

func (c *customer) signIn(ctx context.Context) error {
	return c.do(ctx, "POST", sessions, "", map[string]string{"email": c.email, "password": c.password}, nil)
}

// visit does what a customer does: look, ask for the price, order, look at the order.
func (c *customer) visit(ctx context.Context) error {
	var cat struct {
		Earliest string `json:"earliest_date"`
	}
	if err := c.do(ctx, "GET", "/api/pricing/v1/catalog", "", nil, &cat); err != nil {
		return err
	}
	var q struct {
		Quote string `json:"quote"`
	}
	if err := c.do(ctx, "GET", "/api/pricing/v1/quotes?postcode=50667&waste=170904&size=7&date="+cat.Earliest, "", nil, &q); err != nil {
		return err
	}
	if err := c.do(ctx, "POST", "/api/statistics/v1/events", "", map[string]string{"type": "order-attempt", "id": rand.Text()}, nil); err != nil {
		return err
	}
	var o struct {
		ID string `json:"order_id"`
	}
	err := c.do(ctx, "POST", "/api/order/v1/orders", rand.Text(), map[string]any{
		"quote": q.Quote, "address": map[string]string{"name": "Hanna Hang", "street": "Domkloster 4", "city": "Köln"},
	}, &o)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.orders = append(c.orders, o.ID)
	c.mu.Unlock()
	return c.do(ctx, "GET", "/api/order/v1/orders/"+o.ID, "", nil, nil)
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
	return until(ctx, time.Minute, "all orders of "+c.email+" are there once and matched", func() (bool, error) {
		var list struct {
			Orders []struct {
				ID    string `json:"order_id"`
				State string `json:"state"`
			}
		}
		if err := c.do(ctx, "GET", "/api/order/v1/orders", "", nil, &list); err != nil {
			return false, err
		}
		var have []string
		matched := 0
		for _, o := range list.Orders {
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
