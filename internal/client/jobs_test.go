package client_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/client"
)

func TestTheWorkOfAnOrder(t *testing.T) {
	c, requests := serve(t, identity)
	ctx, at := t.Context(), time.Date(2026, 11, 24, 8, 20, 0, 0, time.UTC)
	for _, ask := range []func() (client.Job, error){
		func() (client.Job, error) { return c.Job(ctx, "o-1") },
		func() (client.Job, error) { return c.Assign(ctx, "o-1", "d-1") },
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
		{"POST" + job + "/driver", "", "", "", typ, `{"driver_id":"d-1"}`},
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
