package journey_test

import (
	"testing"
	"time"

	"kreislauf/internal/client"
)

// TestWorkOnAnOrder: the partner's dispatcher leads an order to its weighing, the customer follows it, and the funnel shows each step.
func TestWorkOnAnOrder(t *testing.T) {
	p := startPlatform(t)
	c, partner := p.browser(), p.browser()
	c.signUp("nora@example.org", "")
	partner.signUp("disp@p-auto.example", p.invite("p-auto"))
	const traceID = "5bf92f3577b34da6a3ce929d0e0e4736"
	work := partner.with("traceparent", "00-"+traceID+"-00f067aa0ba902b7-01")
	id := c.order("50667", "170904", 7).ID
	jobs := func() ([]client.Job, error) { return work.Jobs(t.Context(), "matched", 10) }
	await(t, "the partner's jobs", jobs, func(list []client.Job) bool { return len(list) == 1 && list[0].OrderID == id })
	must := func(_ client.Job, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(work.PutOnSite(t.Context(), id, client.Placing{Container: "K 17"}))
	date := c.earliest("50667")
	if _, err := c.AskPickUp(t.Context(), id, date); err != nil {
		t.Fatal(err)
	}
	if j, err := work.Job(t.Context(), id); err != nil || j.PickUpOn != date || j.Container != "K 17" {
		t.Errorf("job %+v, %v; the customer wants it fetched on %s", j, err, date)
	}
	must(work.Collect(t.Context(), id, time.Time{}))
	for range 2 { // again: the same
		must(work.Weigh(t.Context(), id, client.Weighing{GrossKg: 3200, TareKg: 1200, Slip: "W-1"}))
	}
	if o, err := c.Order(t.Context(), id); err != nil || len(o.History) < 5 || o.History[4].State != "weighed" {
		t.Errorf("the customer's order: %+v, %v", o, err)
	}
	deadline := time.Now().Add(time.Minute)
	for _, action := range []string{"order.on-site", "order.collected", "order.weighed"} {
		for !hasLine(t, p.b.LogFile("statistics", "statistics-1"), traceID, action) {
			if time.Now().After(deadline) {
				t.Fatalf("no line of statistics with %s under the trace", action)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// TestCustomerCancels: an order that a partner has taken ends without a bill, and can no longer be worked on.
func TestCustomerCancels(t *testing.T) {
	p := startPlatform(t)
	c, partner := p.browser(), p.browser()
	c.signUp("olga@example.org", "")
	partner.signUp("disp@p-auto.example", p.invite("p-auto"))
	id := c.order("50667", "170904", 7).ID
	c.awaitState(id, "matched")
	for range 2 {
		if o, err := c.Cancel(t.Context(), id, "no longer needed"); err != nil || o.State != "cancelled" {
			t.Fatalf("cancel: %+v, %v", o, err)
		}
	}
	partner.must("POST", client.JobsPath+"/"+id+"/on-site", client.Placing{Container: "K 17"}, 409)
	if list, err := partner.Jobs(t.Context(), "", 10); err != nil || len(list) != 0 {
		t.Errorf("open jobs: %v, %v", list, err)
	}
}
