package openapi_test

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"kreislauf/internal/client"
	"kreislauf/internal/signed"
	"kreislauf/test/embedded"
)

const (
	sites     = "/api/customer/v1/sites"
	visits    = "/api/customer/v1/visits"
	cart      = "/api/customer/v1/cart"
	drafts    = "/api/customer/v1/drafts"
	standings = "/api/customer/v1/standing-orders"

	noSite     = "s-aaaaaaaaaaaaaaaa"
	noStanding = "so-aaaaaaaaaaaaaaaa"
)

func newSite(name string) map[string]any {
	return map[string]any{
		"name": name, "street": "Hafenstraße 1", "postcode": "50667", "city": "Köln", "access": "Tor 2", "contact": "Polier Kranz",
		"phone": "0170 1234567", "active": true,
	}
}

func newPlan(site string) map[string]any {
	return map[string]any{"site_id": site, "waste_code": "170904", "size_m3": 7, "every_weeks": 2, "weekday": 1, "from": "2026-12-07", "state": "active"}
}

// sitePass is the code of a link to a site that is not there.
func sitePass(t *testing.T) string {
	t.Helper()
	key, err := hex.DecodeString(embedded.Key)
	if err != nil {
		t.Fatal(err)
	}
	code, err := signed.Seal(key, "s1", map[string]any{"site_id": noSite, "number": 1, "until": time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// customerCalls are all calls of customers, each with a good body, and where there is one that is always refused, with that (422).
func customerCalls(c cast, site, standing string) []exchange {
	choice := map[string]any{"postcode": "50667", "size_m3": 7}
	good := func(who *client.Client, method, path string, body map[string]any, header map[string]string, refused map[string]any) []exchange {
		e := exchange{who: who, method: method, path: path, header: header}
		if body != nil {
			e.body = body
		}
		if refused == nil {
			return []exchange{e}
		}
		bad := e
		bad.body, bad.status, bad.breaks = refused, 422, true
		return []exchange{e, bad}
	}
	one := sites + "/" + site
	var list []exchange
	for _, calls := range [][]exchange{
		good(c.anna, "POST", sites, newSite("Altbau"), key(), with(newSite("Altbau"), "name", "A")),
		good(c.anna, "PUT", one, newSite("Neubau"), seen(1), with(newSite("Neubau"), "city", "")),
		good(c.anna, "POST", one+"/links", map[string]any{"label": "Polier", "days": 30}, key(), map[string]any{"label": "Polier", "days": 0}),
		good(c.anna, "GET", one+"/links", nil, nil, nil),
		good(c.anna, "DELETE", one+"/links/1", nil, nil, nil),
		good(nil, "PUT", cart, choice, nil, map[string]any{"postcode": "5066"}),
		good(c.anna, "POST", cart+"/take-over", nil, nil, nil),
		good(c.anna, "PUT", drafts+"/9f86d081884c7d65", choice, nil, map[string]any{"postcode": "5066"}),
		good(c.anna, "DELETE", drafts+"/9f86d081884c7d65", nil, nil, nil),
		good(c.anna, "POST", standings, newPlan(site), key(), with(newPlan(site), "every_weeks", 27)),
		good(c.anna, "PUT", standings+"/"+standing, newPlan(site), seen(1), with(newPlan(site), "every_weeks", 27)),
		good(c.anna, "DELETE", one, nil, seen(1), nil),
	} {
		list = append(list, calls...)
	}
	return list
}

// customer asks each call in every way that fails, and leads a site, its link and a standing order through what can become of them.
func (p *platform) customer(t *testing.T, c cast) []exchange {
	t.Helper()
	made := func(path string, body map[string]any, id string) string {
		return fmt.Sprint(p.send(t, exchange{who: c.anna, method: "POST", path: path, header: key(), body: body, status: 201})[id])
	}
	site := made(sites, newSite("Neubau"), "site_id")
	standing := made(standings, newPlan(site), "standing_id")
	p.send(t, exchange{who: c.anna, method: "PUT", path: standings + "/" + standing, header: seen(1), body: with(newPlan(site), "every_weeks", 4), status: 200})
	p.send(t, exchange{who: c.anna, method: "DELETE", path: sites + "/" + made(sites, newSite("Altbau"), "site_id"), header: seen(1), status: 204})
	var list []exchange
	for _, e := range customerCalls(c, site, standing) {
		as := func(name string, status int, breaks bool, change func(*exchange)) {
			e := e
			e.status, e.breaks = status, breaks
			change(&e)
			e.name = name + " " + e.method + " " + e.path
			list = append(list, e)
		}
		if e.status == 422 {
			as("refused", 422, true, func(*exchange) {})
			continue
		}
		if e.body != nil {
			as("malformed", 400, true, func(e *exchange) { e.body = client.Raw(`{"x":`) })
			as("too large", 413, true, func(e *exchange) { e.body = tooLarge() })
		}
		if e.who == nil {
			continue
		}
		as("nobody", 401, true, func(e *exchange) {
			header := map[string]string{"X-CSRF-Token": "x"}
			for k, v := range e.header {
				header[k] = v
			}
			e.who, e.header = nil, header
		})
		as("wrong role", 403, false, func(e *exchange) { e.who = c.auto })
		switch e.path {
		case sites, cart + "/take-over", drafts + "/9f86d081884c7d65":
		case standings, standings + "/" + standing: // the site is looked at first
			as("stranger", 422, false, func(e *exchange) { e.who = c.bert })
		default:
			as("stranger", 404, false, func(e *exchange) { e.who = c.bert })
		}
	}
	add := func(name string, who *client.Client, method, path string, header map[string]string, body any, status int, breaks bool) {
		list = append(list, exchange{name: name, who: who, method: method, path: path, header: header, body: body, status: status, breaks: breaks})
	}
	one, plan := sites+"/"+site, standings+"/"+standing
	add("no version", c.anna, "DELETE", one, nil, nil, 400, true)
	add("site", c.anna, "GET", one, nil, nil, 200, false)
	add("sites", c.anna, "GET", sites, nil, nil, 200, false)
	add("changed", c.anna, "PUT", one, seen(2), with(newSite("Neubau"), "active", false), 200, false)
	add("changed blindly", c.anna, "PUT", one, seen(1), newSite("Anders"), 409, false)
	add("order for a site that is not active", c.anna, "POST", standings, key(), newPlan(site), 422, false)
	link := exchange{who: c.anna, method: "POST", path: one + "/links", header: key(), body: map[string]any{"label": "Polier", "days": 30}, status: 201}
	code := fmt.Sprint(p.send(t, link)["code"])
	link.name, link.replayed = "link again", true
	list = append(list, link)
	manager := p.newPerson()
	p.send(t, exchange{who: manager, method: "POST", path: visits, body: map[string]any{"code": code}, status: 201})
	add("no link", nil, "POST", visits, nil, map[string]any{"code": "s1.e30.AAAA"}, 422, false)
	add("link of a site that is gone", nil, "POST", visits, nil, map[string]any{"code": sitePass(t)}, 422, false)
	add("malformed visit", nil, "POST", visits, nil, client.Raw(`{"code":`), 400, true)
	add("large visit", nil, "POST", visits, nil, tooLarge(), 413, true)
	add("the manager's site", manager, "GET", one, nil, nil, 200, false)
	add("who the manager is", manager, "GET", current, nil, nil, 200, false)
	add("the manager's orders", manager, "GET", orders, nil, nil, 200, false)
	add("links", c.anna, "GET", one+"/links", nil, nil, 200, false)
	add("revoke", c.anna, "DELETE", one+"/links/1", nil, nil, 204, false)
	add("revoke nothing", c.anna, "DELETE", one+"/links/9", nil, nil, 404, false)
	add("the manager is out", manager, "GET", one, nil, nil, 401, false)
	visitor := p.newPerson()
	add("empty cart", visitor, "GET", cart, nil, nil, 200, false)
	add("cart", visitor, "PUT", cart, nil, map[string]any{"postcode": "50667", "address": map[string]any{"street": "Weg 1"}}, 200, false)
	add("kept cart", visitor, "GET", cart, nil, nil, 200, false)
	add("cart forgotten", visitor, "DELETE", cart, nil, nil, 204, false)
	add("take over", c.anna, "POST", cart+"/take-over", nil, nil, 200, false)
	add("draft", c.anna, "PUT", drafts+"/9f86d081884c7d65", nil, map[string]any{"postcode": "50667"}, 200, false)
	add("drafts", c.anna, "GET", drafts, nil, nil, 200, false)
	add("draft forgotten", c.anna, "DELETE", drafts+"/9f86d081884c7d65", nil, nil, 204, false)
	add("no draft", c.anna, "DELETE", drafts+"/short", nil, nil, 422, true)
	add("standing orders", c.anna, "GET", standings, nil, nil, 200, false)
	add("standing order of nobody", c.anna, "PUT", standings+"/"+noStanding, seen(1), with(newPlan(site), "state", "ended"), 404, false)
	add("ended blindly", c.anna, "PUT", plan, seen(99), with(newPlan(site), "state", "ended"), 409, false)
	add("site deleted blindly", c.anna, "DELETE", one, seen(1), nil, 409, false)
	return list
}
