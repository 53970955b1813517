package main

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"kreislauf/internal/httpserver"
	"kreislauf/internal/money"
)

const path = "/api/order/v1/orders"

// order is the body of a request: as many bytes and members as an order has.
type order struct {
	Quote        string  `json:"quote"`
	Address      address `json:"address"`
	PublicGround bool    `json:"public_ground"`
	VisitID      string  `json:"visit_id,omitempty"`
}

type address struct {
	Name   string `json:"name"`
	Street string `json:"street"`
	City   string `json:"city"`
}

// answer has the shape of the order service's answer.
type answer struct {
	ID           string      `json:"order_id"`
	State        string      `json:"state"`
	Waste        string      `json:"waste_code"`
	SizeM3       int         `json:"size_m3"`
	Date         string      `json:"date"`
	Postcode     string      `json:"postcode"`
	Address      address     `json:"address"`
	PublicGround bool        `json:"public_ground"`
	Price        money.Price `json:"price"`
	History      []step      `json:"history"`
}

type step struct {
	State string    `json:"state"`
	At    time.Time `json:"at"`
}

// serve is the work that all variants share: decode strictly, answer.
func serve(w http.ResponseWriter, r *http.Request) error {
	var o order
	if err := httpserver.Decode(r, &o); err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	w.Header().Set("Location", path+"/"+orderID)
	return httpserver.JSON(w, http.StatusCreated, answer{
		ID: orderID, State: "placed", Waste: "170904", SizeM3: 7, Date: "2026-12-01", Postcode: "50667", Address: o.Address,
		PublicGround: o.PublicGround, Price: money.FromNet(48300), History: []step{{"placed", now}},
	})
}

const (
	orderID = "o-4tq3xm6zq2lw5c7d"
	userID  = "u-7h2k5n9p3r6t8v1x4z"
)

// body is a request with a quote token of the usual length.
var body = []byte(`{"quote":"q1.` + string(bytes.Repeat([]byte("eyJpZCI6"), 40)) + `.9ZrVqY0Jw3m1o5uT7c2Xb8Kd4Lf6Hg0Np2Rs4Tv6Xz8",` +
	`"address":{"name":"Erika Mustermann","street":"Domkloster 4","city":"Köln"},"public_ground":true,"visit_id":"v-2f1c9a7be8d04c55"}`)

// caller sends the same request again and again, with the headers that nginx adds. Its own cost is small and equal for all variants.
type caller struct {
	template *http.Request
	body     bytes.Reader
	writer   writer
}

func newCaller() *caller {
	r, err := http.NewRequest(http.MethodPost, path, nil)
	if err != nil {
		panic(err) // constant arguments
	}
	r.ContentLength, r.RequestURI = int64(len(body)), path
	for k, v := range map[string]string{
		"Content-Type": "application/json", "Idempotency-Key": "k-0123456789abcdef", "X-Request-Id": "4bf92f3577b34da6a3ce929d0e0e4736",
		"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "X-Forwarded-For": "203.0.113.9", "User-Agent": "bench",
	} {
		r.Header.Set(k, v)
	}
	return &caller{template: r, writer: writer{header: http.Header{}}}
}

func (c *caller) call(h http.Handler) {
	r := *c.template
	c.body.Reset(body)
	r.Body = io.NopCloser(&c.body)
	clear(c.writer.header)
	c.writer.status = 0
	h.ServeHTTP(&c.writer, &r)
	if c.writer.status != http.StatusCreated {
		panic("the answer is " + http.StatusText(c.writer.status)) // the figures would mean nothing
	}
}

// writer takes an answer and forgets it.
type writer struct {
	header http.Header
	status int
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) { w.status = status }

func (w *writer) Write(b []byte) (int, error) { return len(b), nil }
