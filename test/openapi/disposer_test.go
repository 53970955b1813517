package openapi_test

import (
	"fmt"
	"strings"
	"testing"

	"kreislauf/internal/authz"
	"kreislauf/internal/client"
	"kreislauf/services/identity"
)

const (
	profile  = "/api/disposer/v1/profile"
	partner  = "/api/disposer/v1/partners/" // and an id
	anywhere = "/api/disposer/v1/partners"
)

// seen is the header of somebody who has read a version.
func seen(version int) map[string]string {
	return map[string]string{"If-Match": fmt.Sprintf("%q", fmt.Sprint(version))}
}

// newPartner is a good partner with one member changed.
func newPartner(member string, value any) map[string]any {
	return with(map[string]any{
		"name": "Neu GmbH", "street": "Weg 3", "postcode": "18055", "city": "Rostock", "email": "office@neu.example", "tax_id": "DE111111117",
		"radius_km": 10, "waste_codes": []string{"200201"}, "auto_accept": false, "active": true,
		"rates":        map[string]any{"trip_cents": 7000, "per_m3_cents": map[string]int{"200201": 2500}, "per_tonne_over_cents": 500},
		"certificates": []any{map[string]any{"kind": "54", "number": "E-1", "valid_until": "2999-12-31"}},
		"drivers":      []any{map[string]any{"id": "d-1", "name": "Ines Vogel"}},
		"vehicles":     []any{map[string]any{"plate": "HRO-N 12", "kind": "roll-off"}},
	}, member, value)
}

// disposer changes the partner p-hand, whose version is 1 at first, and makes others. Nobody orders garden waste in Rostock.
func (p *platform) disposer(t *testing.T, c cast) []exchange {
	t.Helper()
	own := map[string]any{
		"email": "Office@hand.example", "radius_km": 100, "auto_accept": false, "drivers": []any{map[string]any{"id": "d-1", "name": "Jonas Petersen"}},
		"vehicles": []any{map[string]any{"plate": "B-H 1", "kind": "skip"}}, "capacity": []any{map[string]any{"size_m3": 7, "per_day": 500}},
	}
	fresh := map[string]string{"If-None-Match": "*"}
	put := func(name string, who *client.Client, path string, header map[string]string, body any, status int, breaks bool) exchange {
		return exchange{name: name, who: who, method: "PUT", path: path, header: header, body: body, status: status, breaks: breaks}
	}
	mine := func(name string, body any, status int, breaks bool) exchange {
		return put(name, c.hand, profile, seen(2), body, status, breaks)
	}
	office := func(name string, header map[string]string, member string, value any, status int, breaks bool) exchange {
		return put(name, c.office, partner+"p-neu", header, map[string]any{"partner": newPartner(member, value), "reason": "contract of November"}, status, breaks)
	}
	both := seen(1)
	both["If-None-Match"] = "*"
	wrong := seen(1)
	wrong["X-CSRF-Token"] = "wrong"
	why := func(reason any) map[string]any {
		return map[string]any{"partner": newPartner("name", "Neu"), "reason": reason}
	}
	return []exchange{
		{name: "driver who is gone", who: c.former, method: "GET", path: profile, status: 404},
		mine("a version that is not there", own, 409, false),
		put("profile", c.hand, profile, seen(1), own, 200, false),
		put("profile again", c.hand, profile, seen(1), own, 200, false),
		put("profile overwritten blindly", c.hand, profile, seen(1), with(own, "radius_km", 90), 409, false),
		put("no version", c.hand, profile, nil, own, 400, true),
		put("no session", nil, profile, map[string]string{"If-Match": `"1"`, "X-CSRF-Token": "x"}, own, 401, true),
		put("wrong token", c.hand, profile, wrong, own, 403, false),
		put("as driver", c.driver, profile, seen(2), own, 403, false),
		put("partner that is none", p.dispatcherOf(t, "p-gone"), profile, seen(1), own, 404, false),
		mine("malformed", client.Raw(`{"email":`), 400, true),
		mine("rates are the back office's", with(own, "rates", map[string]any{}), 400, true),
		mine("too large", tooLarge(), 413, true),
		mine("no e-mail", with(own, "email", nil), 422, true),
		mine("far away", with(own, "radius_km", 501), 422, true),
		mine("no plate", with(own, "vehicles", []any{map[string]any{"plate": "", "kind": "skip"}}), 422, true),
		mine("no such size", with(own, "capacity", []any{map[string]any{"size_m3": 8, "per_day": 1}}), 422, true),
		mine("a size twice", with(own, "capacity", []any{map[string]any{"size_m3": 7, "per_day": 1}, map[string]any{"size_m3": 7, "per_day": 2}}), 422, false),
		mine("no driver's id", with(own, "drivers", []any{map[string]any{"id": "1", "name": "Ines Vogel"}}), 422, true),

		office("new", fresh, "name", "Neu GmbH", 201, false),
		office("new again", fresh, "name", "Neu GmbH", 200, false),
		office("another new one", fresh, "name", "Anders GmbH", 409, false),
		office("changed", seen(1), "city", "Warnemünde", 200, false),
		office("changed blindly", seen(1), "city", "Bad Doberan", 409, false),
		office("neither new nor changed", nil, "city", "Bad Doberan", 400, false), // a schema cannot ask for one header of two
		office("both", both, "city", "Bad Doberan", 400, false),
		office("no rate", seen(2), "waste_codes", []string{"200201", "170904"}, 422, false),
		office("no wastes", seen(2), "waste_codes", []string{}, 422, true),
		office("no VAT id", seen(2), "tax_id", "111", 422, true),
		office("mistyped VAT id", seen(2), "tax_id", "DE111111171", 422, false),
		office("no permit", seen(2), "certificates", []any{}, 422, false),
		office("unknown member", seen(2), "fax", "1", 400, true),
		put("no reason", c.office, partner+"p-neu", seen(2), why(nil), 422, true),
		put("long reason", c.office, partner+"p-neu", seen(2), why(strings.Repeat("x", 501)), 422, true),
		put("no id", c.office, partner+"neu", fresh, why("contract"), 422, true),
		put("unknown", c.office, partner+"p-nowhere", seen(1), why("contract"), 404, false),
		put("malformed partner", c.office, partner+"p-neu", seen(2), client.Raw(`[]`), 400, true),
		put("large partner", c.office, partner+"p-neu", seen(2), tooLarge(), 413, true),
		put("partner without session", nil, partner+"p-neu", map[string]string{"If-Match": `"1"`, "X-CSRF-Token": "x"}, why("contract"), 401, true),
		put("partner as dispatcher", c.hand, partner+"p-hand", seen(2), why("contract"), 403, false),
		{name: "one", who: c.office, method: "GET", path: partner + "p-neu", status: 200},
		{name: "all", who: c.office, method: "GET", path: anywhere, status: 200},
	}
}

// dispatcherOf signs somebody up for a partner.
func (p *platform) dispatcherOf(t *testing.T, id string) *client.Client {
	t.Helper()
	who, body := p.newPerson(), signUp("email", "disp@gone.example")
	body["invite"] = p.invite(t, identity.Invite{Role: authz.Dispatcher, PartnerID: id})
	p.send(t, exchange{who: who, method: "POST", path: users, header: key(), body: body, status: 201})
	return who
}
