package client_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/client"
	"kreislauf/internal/money"
)

func TestTheWorkOfAnOrder(t *testing.T) {
	c, requests := serve(t, identity)
	ctx, at := t.Context(), time.Date(2026, 11, 24, 8, 20, 0, 0, time.UTC)
	for _, ask := range []func() (client.Job, error){
		func() (client.Job, error) { return c.Job(ctx, "o-1") },
		func() (client.Job, error) { return c.Plan(ctx, "o-1", client.Plan{Day: "2026-11-24", DriverID: "d-1"}) },
		func() (client.Job, error) {
			return c.FailTrip(ctx, "o-1", client.FailedTrip{Key: "trip-0001", Reason: "blocked"})
		},
		func() (client.Job, error) { return c.PutOnSite(ctx, "o-1", client.Placing{Container: "K 17", At: at}) },
		func() (client.Job, error) { return c.Collect(ctx, "o-1", time.Time{}) },
		func() (client.Job, error) {
			return c.Weigh(ctx, "o-1", client.Weighing{GrossKg: 3200, TareKg: 1200, Slip: "W-1", Confirmed: true})
		},
	} {
		if j, err := ask(); err != nil || j.OrderID != "o-1" || j.State != "matched" {
			t.Errorf("job %+v, %v", j, err)
		}
	}
	if _, err := c.Jobs(ctx, "on_site", 50); err != nil {
		t.Error(err)
	}
	for _, ask := range []func() (client.Order, error){
		func() (client.Order, error) { return c.AskPickUp(ctx, "o-1", "2026-12-04") },
		func() (client.Order, error) { return c.Cancel(ctx, "o-1", "no longer needed") },
	} {
		if o, err := ask(); err != nil || o.ID != "o-1" {
			t.Errorf("order %+v, %v", o, err)
		}
	}
	const typ, job = "application/json", " " + client.JobsPath + "/o-1"
	want := []seen{
		{"GET" + job, "", "", "", "", ""},
		{"POST" + job + "/plan", "", "", "", typ, `{"day":"2026-11-24","driver_id":"d-1"}`},
		{"POST" + job + "/failed-trip", "", "", "trip-0001", typ, `{"reason":"blocked"}`},
		{"POST" + job + "/on-site", "", "", "", typ, `{"container":"K 17","at":"2026-11-24T08:20:00Z"}`},
		{"POST" + job + "/collected", "", "", "", typ, `{}`},
		{"POST" + job + "/weighed", "", "", "", typ, `{"gross_kg":3200,"tare_kg":1200,"slip":"W-1","confirmed":true}`},
		{"GET " + client.JobsPath + "?limit=50&state=on_site", "", "", "", "", ""},
		{"POST " + client.OrdersPath + "/o-1/pick-up", "", "", "", typ, `{"date":"2026-12-04"}`},
		{"POST " + client.OrdersPath + "/o-1/cancel", "", "", "", typ, `{"reason":"no longer needed"}`},
	}
	if d := cmp.Diff(want, requests()); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
}

func TestTheMoneyOfAnOrder(t *testing.T) {
	c, requests := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case client.PartnersPath:
			_, _ = io.WriteString(w, `{"partners":[{"partner_id":"p-1","active":true},{"partner_id":"p-2","active":false}]}`)
		case client.InvoicesPath:
			_, _ = io.WriteString(w, `{"invoices":[{"number":"R-2026-000001","state":"issued","order_id":"o-1","total":{"gross_cents":119},"open_cents":119}]}`)
		default:
			_, _ = io.WriteString(w, `{"number":"R-2026-000001","state":"paid","invoice":"R-2026-000001"}`)
		}
	})
	ctx := t.Context()
	partners, err := c.Partners(ctx)
	if d := cmp.Diff([]client.Partner{{ID: "p-1", Active: true}, {ID: "p-2"}}, partners); d != "" || err != nil {
		t.Errorf("partners: %v (-want +got):\n%s", err, d)
	}
	list, err := c.Invoices(ctx, "issued")
	open := []client.Invoice{{Number: "R-2026-000001", State: "issued", OrderID: "o-1", Total: money.Price{GrossCents: 119}, Open: 119}}
	if d := cmp.Diff(open, list); d != "" || err != nil {
		t.Errorf("invoices: %v (-want +got):\n%s", err, d)
	}
	if _, err := c.Invoices(ctx, ""); err != nil {
		t.Error(err)
	}
	if i, err := c.Invoice(ctx, "R-2026-000001"); err != nil || i.State != "paid" {
		t.Errorf("%+v, %v", i, err)
	}
	r := client.Receipt{ID: "b-1", BookedOn: "2026-12-01", Cents: 119, Remitter: "Anna", Reference: "R-2026-000001"}
	if pays, err := c.Receive(ctx, r); err != nil || pays != "R-2026-000001" {
		t.Errorf("pays %q, %v", pays, err)
	}
	if err := c.AssignReceipt(ctx, "b-1", "R-2026-000001"); err != nil {
		t.Error(err)
	}
	if err := c.Decline(ctx, "o-1", "price"); err != nil {
		t.Error(err)
	}
	const typ = "application/json"
	want := []seen{
		{"GET " + client.PartnersPath, "", "", "", "", ""},
		{"GET " + client.InvoicesPath + "?state=issued", "", "", "", "", ""},
		{"GET " + client.InvoicesPath, "", "", "", "", ""},
		{"GET " + client.InvoicesPath + "/R-2026-000001", "", "", "", "", ""},
		{
			"POST " + client.StatementLinesPath, "", "", "", typ,
			`{"id":"b-1","booked_on":"2026-12-01","amount_cents":119,"remitter":"Anna","reference":"R-2026-000001"}`,
		},
		{"POST " + client.StatementLinesPath + "/b-1/assign", "", "", "", typ, `{"invoice":"R-2026-000001"}`},
		{"POST " + client.OffersPath + "/o-1/decline", "", "", "", typ, `{"reason":"price"}`},
	}
	if d := cmp.Diff(want, requests()); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
}
