package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"time"
)

// customer is one browser.
type customer struct {
	entry  string
	client *http.Client
	visit  string
	addr   string // public address it claims to come from; nginx believes it from loopback
}

func newCustomer(entry string) *customer {
	jar, _ := cookiejar.New(nil) // fails never without options
	return &customer{entry: entry, client: &http.Client{Jar: jar, Timeout: 20 * time.Second}, visit: rand.Text(), addr: "91.65.12.34"}
}

// do sends a request and reads the answer into out; the returned header is the answer's.
func (c *customer) do(ctx context.Context, method, path string, body, out any, header map[string]string) (http.Header, error) {
	var b bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&b).Encode(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.entry+path, &b)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", c.addr)
	u, err := url.Parse(c.entry)
	if err != nil {
		return nil, err
	}
	for _, k := range c.client.Jar.Cookies(u) {
		if k.Name == "kreislauf_csrf" {
			req.Header.Set("X-CSRF-Token", k.Value)
		}
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, res.Status, answer)
	}
	if out == nil {
		return res.Header, nil
	}
	return res.Header, json.Unmarshal(answer, out)
}

// firstOrder signs up and orders.
func (c *customer) firstOrder(ctx context.Context) (orderID, traceID string, err error) {
	_, err = c.do(ctx, "POST", "/api/identity/v1/users",
		map[string]string{"email": "smoke-" + rand.Text() + "@example.org", "password": "correct horse battery", "name": "Smoke Test"}, nil,
		map[string]string{"Idempotency-Key": rand.Text()})
	if err != nil {
		return "", "", err
	}
	return c.order(ctx)
}

// order gets a quote and orders it under a trace id of its own choice.
func (c *customer) order(ctx context.Context) (orderID, traceID string, err error) {
	var cat struct {
		Earliest string `json:"earliest_date"`
	}
	if _, err := c.do(ctx, "GET", "/api/pricing/v1/catalog", nil, &cat, nil); err != nil {
		return "", "", err
	}
	var q struct {
		Quote string `json:"quote"`
	}
	if _, err := c.do(ctx, "GET", "/api/pricing/v1/quotes?postcode=50667&waste=170904&size=7&date="+cat.Earliest, nil, &q, nil); err != nil {
		return "", "", err
	}
	if _, err := c.do(ctx, "POST", "/api/statistics/v1/events", map[string]string{"type": "order-attempt", "visit_id": c.visit}, nil, nil); err != nil {
		return "", "", err
	}
	raw := make([]byte, 24)
	rand.Read(raw) // never fails (crypto/rand)
	traceID = fmt.Sprintf("%x", raw[:16])
	var o struct {
		ID    string `json:"order_id"`
		State string `json:"state"`
	}
	_, err = c.do(ctx, "POST", "/api/order/v1/orders", map[string]any{
		"quote": q.Quote, "visit_id": c.visit,
		"address": map[string]string{"name": "Smoke Test", "street": "Domkloster 4", "city": "Köln"},
	}, &o, map[string]string{"Idempotency-Key": rand.Text(), "traceparent": fmt.Sprintf("00-%s-%x-01", traceID, raw[16:])})
	return o.ID, traceID, err
}

// awaitState polls an order until it is in the state.
func (c *customer) awaitState(ctx context.Context, orderID, state string) error {
	for {
		var o struct {
			State string `json:"state"`
		}
		if _, err := c.do(ctx, "GET", "/api/order/v1/orders/"+orderID, nil, &o, nil); err != nil {
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
