package openapi_test

import (
	"strings"
	"testing"

	"kreislauf/internal/authz"
	"kreislauf/internal/client"
	"kreislauf/internal/httpserver"
	"kreislauf/services/identity"
)

const (
	users             = client.UsersPath
	sessions          = client.SessionsPath
	driverInvitations = "/api/identity/v1/driver-invitations"
	current           = client.SessionPath

	password = "correct horse battery"
)

// tooLarge is a valid JSON object beyond the limit.
func tooLarge() client.Raw {
	return client.Raw(`{"name":"` + strings.Repeat("x", httpserver.BodyLimit) + `"}`)
}

// cast is the people of the play.
type cast struct{ anna, bert, hand, auto, driver, former, office *client.Client }

func newCast(t *testing.T, p *platform) cast {
	t.Helper()
	c := cast{p.newPerson(), p.newPerson(), p.newPerson(), p.newPerson(), p.newPerson(), p.newPerson(), p.newPerson()}
	join := func(who *client.Client, email string, i identity.Invite) {
		body := signUp("email", email)
		if i.Role != "" {
			body["invite"] = p.invite(t, i)
		}
		p.send(t, exchange{who: who, method: "POST", path: users, header: key(), body: body, status: 201})
	}
	join(c.anna, "anna@example.org", identity.Invite{})
	join(c.bert, "bert@example.org", identity.Invite{})
	join(c.hand, "disp@hand.example", identity.Invite{Role: authz.Dispatcher, PartnerID: "p-hand"})
	join(c.auto, "disp@auto.example", identity.Invite{Role: authz.Dispatcher, PartnerID: "p-auto"})
	join(c.driver, "driver@hand.example", identity.Invite{Role: authz.Driver, PartnerID: "p-hand", DriverID: "d-1"})
	join(c.former, "former@hand.example", identity.Invite{Role: authz.Driver, PartnerID: "p-hand", DriverID: "d-9"})
	join(c.office, "office@kreislauf.example", identity.Invite{Role: authz.BackOffice})
	return c
}

// signUp is a good body with one member changed.
func signUp(member string, value any) map[string]any {
	return with(map[string]any{"email": "new@example.org", "password": password, "name": "Test Person"}, member, value)
}

// with copies a body and sets one member; nil removes it.
func with(body map[string]any, member string, value any) map[string]any {
	c := map[string]any{}
	for k, v := range body {
		c[k] = v
	}
	c[member] = value
	if value == nil {
		delete(c, member)
	}
	return c
}

func (p *platform) identity(t *testing.T, c cast) []exchange {
	t.Helper()
	again := key()
	post := func(name string, body any, status int, breaks bool) exchange {
		return exchange{name: name, method: "POST", path: users, body: body, header: key(), status: status, breaks: breaks}
	}
	keyed := func(e exchange, header map[string]string) exchange { e.header = header; return e }
	replayed := post("replay", signUp("email", "twice@example.org"), 201, false)
	replayed.replayed = true
	in := func(name string, who *client.Client, body any, status int, breaks bool) exchange {
		return exchange{name: name, who: who, method: "POST", path: sessions, body: body, status: status, breaks: breaks}
	}
	invite := func(name string, who *client.Client, body any, status int, breaks bool) exchange {
		return exchange{name: name, who: who, method: "POST", path: driverInvitations, body: body, status: status, breaks: breaks}
	}
	d1 := map[string]any{"driver_id": "d-1"}
	nobody := invite("nobody's driver", nil, d1, 401, true)
	nobody.header = map[string]string{"X-CSRF-Token": "x"}
	return []exchange{
		invite("a driver", c.hand, d1, 201, false),
		invite("malformed", c.hand, client.Raw(`{"x":`), 400, true),
		nobody,
		invite("a customer's driver", c.anna, d1, 403, false),
		invite("too large", c.hand, tooLarge(), 413, true),
		invite("no driver", c.hand, map[string]any{"driver_id": "Jonas"}, 422, true),
		keyed(post("first", signUp("email", "twice@example.org"), 201, false), again),
		keyed(replayed, again),
		post("e-mail taken", signUp("email", "twice@example.org"), 409, false),
		post("shortest", with(signUp("email", "s@example.org"), "password", "0123456789"), 201, false),
		post("short name", with(signUp("email", "n@example.org"), "name", "Bo"), 201, false),
		post("longest name", with(signUp("email", "l@example.org"), "name", strings.Repeat("ä", 100)), 201, false),
		post("longest password", with(signUp("email", "p@example.org"), "password", strings.Repeat("x", 256)), 201, false),
		keyed(post("no key", signUp("name", "Nobody"), 400, true), nil),
		keyed(post("short key", signUp("name", "Nobody"), 400, true), map[string]string{"Idempotency-Key": "1234567"}),
		keyed(post("long key", signUp("name", "Nobody"), 400, true), map[string]string{"Idempotency-Key": strings.Repeat("k", 65)}),
		keyed(post("other type", signUp("name", "Nobody"), 400, true), map[string]string{"Idempotency-Key": "type-key-1", "Content-Type": "text/xml"}),
		post("malformed", client.Raw(`{"email":`), 400, true),
		post("empty", client.Raw(``), 400, true),
		post("unknown member", signUp("mail", "x"), 400, true),
		post("wrong type", signUp("name", 7), 400, true),
		post("too large", tooLarge(), 413, true),
		post("no e-mail", signUp("email", nil), 422, true),
		post("bad e-mail", signUp("email", "new"), 422, true),
		post("long e-mail", signUp("email", strings.Repeat("x", 250)+"@example.org"), 422, true),
		post("short password", signUp("password", "012345678"), 422, true),
		post("long password", signUp("password", strings.Repeat("x", 257)), 422, true),
		post("password of 400 bytes", signUp("password", strings.Repeat("ä", 200)), 422, false), // a schema cannot count bytes
		post("short name", signUp("name", "B"), 422, true),
		post("long name", signUp("name", strings.Repeat("ä", 101)), 422, true),
		post("invisible sign in the e-mail", signUp("email", "twice\u200b@example.org"), 422, true),
		post("invisible sign in the name", signUp("name", "Test\u202ePerson"), 422, false),
		post("forged invitation", signUp("invite", "i2.e30.AAAA"), 422, false),
		in("customer", c.anna, map[string]any{"email": "Anna@example.org", "password": password}, 201, false),
		in("partner", c.hand, map[string]any{"email": "disp@hand.example", "password": password}, 201, false),
		in("malformed", nil, client.Raw(`[]`), 400, true),
		in("unknown member", nil, map[string]any{"email": "anna@example.org", "password": password, "remember": true}, 400, true),
		in("wrong password", nil, map[string]any{"email": "anna@example.org", "password": "wrong"}, 401, false),
		in("unknown e-mail", nil, map[string]any{"email": "nobody@example.org", "password": password}, 401, false),
		in("no password", nil, map[string]any{"email": "anna@example.org"}, 401, true),
		in("too large", nil, tooLarge(), 413, true),
		{name: "customer's session", who: c.anna, method: "GET", path: current, status: 200},
		{name: "partner's session", who: c.hand, method: "GET", path: current, status: 200},
		{name: "driver's session", who: c.driver, method: "GET", path: current, status: 200},
		{name: "back office's session", who: c.office, method: "GET", path: current, status: 200},
		{name: "no session", method: "GET", path: current, status: 401, breaks: true},
		{name: "forged session", who: p.forged(), method: "GET", path: current, status: 401},
	}
}

// forged is somebody whose cookies nobody has set.
func (p *platform) forged() *client.Client {
	return p.newPerson().With("Cookie", "kreislauf_session=forged; kreislauf_csrf=forged").With("X-CSRF-Token", "forged")
}

func (p *platform) signingOut(c cast) []exchange {
	return []exchange{
		{name: "no session", method: "DELETE", path: current, header: map[string]string{"X-CSRF-Token": "x"}, status: 401, breaks: true},
		{name: "forged session", who: p.forged(), method: "DELETE", path: current, status: 401},
		{name: "no token", who: c.bert, method: "DELETE", path: current, header: map[string]string{"X-CSRF-Token": ""}, status: 403, breaks: true},
		{name: "wrong token", who: c.bert, method: "DELETE", path: current, header: map[string]string{"X-CSRF-Token": "wrong"}, status: 403},
		{name: "out", who: c.bert, method: "DELETE", path: current, status: 204},
	}
}
