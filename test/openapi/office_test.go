package openapi_test

import "testing"

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
	return list
}
