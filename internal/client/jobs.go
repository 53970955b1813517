package client

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// JobsPath is where a partner's people find the orders that it has taken.
const JobsPath = "/api/order/v1/jobs"

// Job is an order as the partner sees it that has taken it.
type Job struct {
	OrderID   string `json:"order_id"`
	State     string `json:"state"`
	Waste     string `json:"waste_code"`
	SizeM3    int    `json:"size_m3"`
	Date      string `json:"date"`       // of placing, YYYY-MM-DD
	PickUpOn  string `json:"pick_up_on"` // the day on which the customer wants it fetched; empty: none yet
	Container string `json:"container"`
	History   []Step `json:"history"`
}

// Jobs lists the partner's open jobs by the day of placing; in one state (matched, on_site, collected), or with "" in all of them.
func (c *Client) Jobs(ctx context.Context, state string, limit int) ([]Job, error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if state != "" {
		q.Set("state", state)
	}
	var v struct {
		Jobs []Job `json:"jobs"`
	}
	_, err := c.call(ctx, Call{Method: http.MethodGet, Path: JobsPath + "?" + q.Encode()}, &v)
	return v.Jobs, err
}

// Job reads one job.
func (c *Client) Job(ctx context.Context, id string) (Job, error) {
	var j Job
	_, err := c.call(ctx, Call{Method: http.MethodGet, Path: JobsPath + "/" + url.PathEscape(id)}, &j)
	return j, err
}

// step takes a step of a job. Taking it again with the same content answers the job as it is.
func (c *Client) step(ctx context.Context, id, name, key string, body any) (Job, error) {
	var j Job
	_, err := c.call(ctx, Call{Method: http.MethodPost, Path: JobsPath + "/" + url.PathEscape(id) + "/" + name, Key: key, Body: body}, &j)
	return j, err
}

// Plan says when the partner comes next, and who drives.
type Plan struct {
	Day      string `json:"day"`              // YYYY-MM-DD
	Window   string `json:"window,omitempty"` // morning or afternoon; empty: the whole day
	DriverID string `json:"driver_id,omitempty"`
	Vehicle  string `json:"vehicle,omitempty"`
	Position int    `json:"position,omitempty"` // in the driver's day
}

// Plan plans a job's next trip; another plan takes the place of the first.
func (c *Client) Plan(ctx context.Context, id string, p Plan) (Job, error) {
	return c.step(ctx, id, "plan", "", p)
}

// Placing says which container stands where it was ordered, and since when; the zero time is now, here and in the steps below.
type Placing struct {
	Container string    `json:"container"`
	At        time.Time `json:"at,omitzero"`
}

// PutOnSite says that the container stands where it was ordered.
func (c *Client) PutOnSite(ctx context.Context, id string, p Placing) (Job, error) {
	return c.step(ctx, id, "on-site", "", p)
}

// PutSwapped says that the container stands where it was ordered, and that the same truck took the one with it that the job swaps.
func (c *Client) PutSwapped(ctx context.Context, id string, p Placing) (Job, error) {
	return c.step(ctx, id, "swapped", "", p)
}

// Collect says that the container was fetched.
func (c *Client) Collect(ctx context.Context, id string, at time.Time) (Job, error) {
	return c.step(ctx, id, "collected", "", struct {
		At time.Time `json:"at,omitzero"`
	}{at})
}

// Weighing is what the scale said.
type Weighing struct {
	GrossKg   int       `json:"gross_kg"`
	TareKg    int       `json:"tare_kg"`
	Slip      string    `json:"slip"`                // number of the weighing slip
	Confirmed bool      `json:"confirmed,omitempty"` // the weight is right although it is not plausible
	At        time.Time `json:"at,omitzero"`
}

// Weigh ends the work: customer and partner are billed and credited by it.
func (c *Client) Weigh(ctx context.Context, id string, w Weighing) (Job, error) {
	return c.step(ctx, id, "weighed", "", w)
}

// FailedTrip is a truck that came in vain.
type FailedTrip struct {
	Key    string    `json:"-"`      // Idempotency-Key; empty: a fresh one
	Reason string    `json:"reason"` // blocked, no-access, wrong-filling, overfilled or other
	Note   string    `json:"note,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// FailTrip records a failed trip.
func (c *Client) FailTrip(ctx context.Context, id string, f FailedTrip) (Job, error) {
	return c.step(ctx, id, "failed-trip", cmp.Or(f.Key, NewKey()), f)
}

// Cancel ends an order that is not on site, as its customer or as the back office.
func (c *Client) Cancel(ctx context.Context, orderID, reason string) (Order, error) {
	var o Order
	_, err := c.call(ctx, Call{
		Method: http.MethodPost, Path: OrdersPath + "/" + url.PathEscape(orderID) + "/cancel", Body: map[string]string{"reason": reason},
	}, &o)
	return o, err
}

// AskPickUp says on which day (YYYY-MM-DD) the customer wants the container fetched.
func (c *Client) AskPickUp(ctx context.Context, orderID, date string) (Order, error) {
	var o Order
	_, err := c.call(ctx, Call{
		Method: http.MethodPost, Path: OrdersPath + "/" + url.PathEscape(orderID) + "/pick-up", Body: map[string]string{"date": date},
	}, &o)
	return o, err
}
