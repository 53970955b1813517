package openapi_test

import (
	"strings"
	"testing"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/client"
	"kreislauf/internal/event"
	"kreislauf/internal/mongodb"
	"kreislauf/services/mailing"
)

// office asks what the back office searches and looks after; who may not ask is found by the roles.
func (p *platform) office(t *testing.T, c cast) []exchange {
	t.Helper()
	placed := p.place(t, c.anna, "50667", "170904")
	var list []exchange
	ask := func(path string, status int, breaks bool) {
		list = append(list, exchange{name: path, who: c.office, method: "GET", path: path, status: status, breaks: breaks})
	}
	for service, lists := range map[string]string{
		"order": "not-weighed", "matching": "offers-ending", "payment": "overdue-invoices", "disposer": "certificates-ending", "mailing": "failed-mails",
	} {
		at := "/api/" + service + "/v1/worklists"
		ask(at+"?list="+lists, 200, false)
		ask(at+"?list=nothing", 422, false)
		ask(at+"?list="+lists+"&offset=501", 422, true)
	}
	for service, subject := range map[string]string{
		"order": "order/" + placed, "matching": "order/" + placed, "payment": "invoice/R-2026-000001", "disposer": "partner/p-auto", "identity": "user/u-1",
	} {
		at := "/api/" + service + "/v1/audit?subject="
		ask(at+subject, 200, false)
		ask(at+"moon/1", 422, false)
	}
	for _, path := range []string{"/api/order/v1/search", "/api/payment/v1/search", "/api/disposer/v1/search", "/api/identity/v1/users"} {
		ask(path+"?q=ab", 422, true)
	}
	for _, typed := range []string{placed, placed[:5], "Person%20Test", "50667%20hauptstrasse", "k%2017"} {
		ask("/api/order/v1/search?q="+typed, 200, false)
	}
	ask("/api/disposer/v1/search?q=potsdam", 200, false)
	ask("/api/identity/v1/users?q=anna", 200, false)
	ask("/api/payment/v1/search?q=R-2026", 200, false)
	ask("/api/mailing/v1/mails?order_id="+placed, 200, false)
	ask("/api/mailing/v1/mails?order_id=x", 422, true)
	ask(orders+"/"+placed+"/record", 200, false)
	ask(matches+"/"+placed+"/choices", 200, false)
	return append(list, p.retries(t, c, placed)...)
}

// retries are of mails that no mail server has seen.
func (p *platform) retries(t *testing.T, c cast, orderID string) []exchange {
	t.Helper()
	mails := mongodb.OpenCollection[mailing.Mail](p.b.Database(t, "mailing"), "mails", "mail")
	for id, state := range map[string]mailing.State{"e-failed": mailing.Failed, "e-sent": mailing.Sent} {
		if _, err := mails.Insert(t.Context(), mailing.Mail{Root: aggregate.New(id), State: state, OrderID: orderID, Event: event.Event{Type: "order.placed"}}); err != nil {
			t.Fatal(err)
		}
	}
	reasoned := map[string]any{"reason": "the mail server was away"}
	retry := func(name string, who *client.Client, id string, body any, status int, breaks bool) exchange {
		return exchange{name: name, who: who, method: "POST", path: "/api/mailing/v1/mails/" + id + "/retry", body: body, status: status, breaks: breaks}
	}
	nobody := retry("retry without session", nil, "e-failed", reasoned, 401, true)
	nobody.header = map[string]string{"X-CSRF-Token": "x"}
	return []exchange{
		nobody,
		retry("retry as a customer", c.anna, "e-failed", reasoned, 403, false),
		retry("retry unknown", c.office, "e-nothing", reasoned, 404, false),
		retry("retry what was sent", c.office, "e-sent", reasoned, 409, false),
		retry("retry without a reason", c.office, "e-failed", map[string]any{}, 422, true),
		retry("retry malformed", c.office, "e-failed", client.Raw(`{"reason":`), 400, true),
		retry("retry too much", c.office, "e-failed", map[string]any{"reason": strings.Repeat("x", 70_000)}, 413, true),
		retry("retry", c.office, "e-failed", reasoned, 200, false),
		retry("retry again", c.office, "e-failed", reasoned, 200, false),
	}
}
