package order_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/authz"
	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/money"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/quote"
	"kreislauf/internal/session"
	"kreislauf/services/order"
	"kreislauf/test/embedded"
)

const (
	mySite    = "s-aaaaaaaaaaaaaaaa"
	otherSite = "s-bbbbbbbbbbbbbbbb"
)

// quoted signs a quote for 7 m³ of mixed construction waste in Köln.
func quoted(t *testing.T, until time.Time) (token, date string) {
	t.Helper()
	key, err := hex.DecodeString(embedded.Key)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := catalog.Window("50667", time.Now())
	date = first.Format(time.DateOnly)
	token, err = quote.Sign(key, quote.Quote{
		ID: "q-1", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: date, Price: money.FromNet(483_00), IncludedDays: 10, ValidUntil: until,
	})
	if err != nil {
		t.Fatal(err)
	}
	return token, date
}

// TestOrderForASite: an order is for an active site of the caller at the postcode of the quote; the partner reads how to get there once it has
// the order; the site manager sees the order without money, and wishes the pick-up.
func TestOrderForASite(t *testing.T) {
	f := start(t)
	site := event.SiteChanged{
		SiteID: mySite, Version: 2, UserID: "u-anna", Name: "Neubau", Postcode: "50667", Access: "Code 4711", Contact: "Polier", Phone: "0170 1", Active: true,
	}
	old := site
	old.Version, old.Access = 1, "Code 1234"
	elsewhere, resting := site, site
	elsewhere.SiteID, elsewhere.Postcode = "s-cccccccccccccccc", "10115"
	resting.SiteID, resting.Active = "s-dddddddddddddddd", false
	theirs := site
	theirs.SiteID, theirs.UserID = otherSite, "u-bert"
	for _, s := range []event.SiteChanged{elsewhere, resting, theirs, site, old} {
		f.Publish(t, event.TopicCustomer, s.SiteID, s)
	}
	token, _ := quoted(t, time.Now().Add(time.Hour))
	body := func(site string) map[string]any {
		return map[string]any{"quote": token, "site_id": site, "address": event.Address{Name: "Anna Beispiel", Street: "Weg 1", City: "Köln"}}
	}
	key := event.NewID("key")
	var placed answer
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) { // until the site is known
		var status int
		if placed, status = f.try(t, f.anna, "POST", orders, body(mySite), "Idempotency-Key", key); status == 201 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the order was never taken: %v", placed)
		}
	}
	id := placed["order_id"].(string)
	for _, wrong := range []string{elsewhere.SiteID, resting.SiteID, otherSite, "s-eeeeeeeeeeeeeeee"} {
		a := f.ask(t, f.anna, "POST", orders, body(wrong), 422, "Idempotency-Key", event.NewID("key"))
		if p := a["errors"].([]any)[0].(map[string]any)["pointer"]; p != "/site_id" {
			t.Errorf("%s: %v", wrong, a)
		}
	}
	f.ask(t, f.dispatcher, "GET", jobs+"/"+id, nil, 404) // nobody has taken it, so nobody reads the code of the gate
	f.accept(t, id)
	want := map[string]any{"notes": "Code 4711", "contact": "Polier", "phone": "0170 1"}
	if diff := cmp.Diff(want, f.ask(t, f.dispatcher, "GET", jobs+"/"+id, nil, 200)["access"]); diff != "" {
		t.Errorf("access (-want +got):\n%s", diff)
	}
	list := f.ask(t, f.dispatcher, "GET", jobs, nil, 200)["jobs"].([]any)
	if diff := cmp.Diff(any(want), list[0].(map[string]any)["access"]); diff != "" {
		t.Errorf("access in the list (-want +got):\n%s", diff)
	}

	manager := f.SignedIn(t, session.Session{UserID: "l-1", Role: string(authz.SiteManager), SiteID: mySite})
	stranger := f.SignedIn(t, session.Session{UserID: "l-2", Role: string(authz.SiteManager), SiteID: otherSite})
	f.ask(t, stranger, "GET", orders+"/"+id, nil, 404)
	f.ask(t, stranger, "POST", orders+"/"+id+"/pick-up", map[string]any{"date": "2026-12-04"}, 404)
	if l := f.ask(t, stranger, "GET", orders+"?site_id="+mySite, nil, 200)["orders"].([]any); len(l) != 0 {
		t.Errorf("the manager of another site sees %v", l)
	}
	f.ask(t, f.dispatcher, "POST", jobs+"/"+id+"/on-site", map[string]any{"container": "K 17"}, 200)
	first, _ := catalog.Window("50667", time.Now())
	f.ask(t, manager, "POST", orders+"/"+id+"/pick-up", map[string]any{"date": first.Format(time.DateOnly)}, 200)
	seen := f.ask(t, manager, "GET", orders, nil, 200)["orders"].([]any)[0].(map[string]any)
	if seen["pick_up_on"] != first.Format(time.DateOnly) || seen["price"] != nil || seen["invoice"] != nil || seen["address"] != nil {
		t.Errorf("the manager sees %v", seen)
	}
	f.ask(t, manager, "POST", orders+"/"+id+"/cancel", map[string]any{"reason": "no longer needed"}, 403)
}

// TestStandingOrderIsPlacedOnce: an occurrence becomes one order however often it comes, and one that has ended becomes one refusal.
func TestStandingOrderIsPlacedOnce(t *testing.T) {
	f := start(t)
	quotedOnce := func(standing string, until time.Time) event.StandingQuoted {
		token, date := quoted(t, until)
		return event.StandingQuoted{StandingID: standing, Occurrence: date, Quote: token, Due: event.StandingDue{
			StandingID: standing, Occurrence: date, UserID: "u-anna", SiteID: mySite, Date: date, Address: event.Address{Name: "Anna", Street: "Weg 1", City: "Köln"},
		}}
	}
	good, ended := quotedOnce("so-good", time.Now().Add(time.Hour)), quotedOnce("so-ended", time.Now().Add(-time.Hour))
	f.Publish(t, event.TopicPricing, "so-1", good, good, ended, ended)
	last := quotedOnce("so-last", time.Now().Add(time.Hour))
	f.Publish(t, event.TopicPricing, "so-1", last) // the same partition: when it is an order, the others were handled
	var list []any
	for deadline := time.Now().Add(time.Minute); len(list) < 2; time.Sleep(20 * time.Millisecond) {
		list = f.ask(t, f.anna, "GET", orders, nil, 200)["orders"].([]any)
		if time.Now().After(deadline) {
			t.Fatalf("orders: %v", list)
		}
	}
	got := map[any]int{}
	for _, o := range list {
		got[o.(map[string]any)["standing_id"]]++
	}
	if diff := cmp.Diff(map[any]int{"so-good": 1, "so-last": 1}, got); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	refusals := mongodb.OpenCollection[order.Refusal](f.Database(t, "order"), "refusals", "refusal")
	n := 0
	if err := refusals.Each(t.Context(), func(order.Refusal) error { n++; return nil }); err != nil || n != 1 {
		t.Errorf("%d refusals, %v", n, err)
	}
}
