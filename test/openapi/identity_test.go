package openapi_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"kreislauf/internal/authz"
	"kreislauf/internal/backend/mailbox"
	"kreislauf/internal/client"
	"kreislauf/internal/httpserver"
	"kreislauf/services/identity"
	"kreislauf/test/embedded"
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

// accounts is what people do with their sessions and passwords.
func (p *platform) accounts(t *testing.T, c cast) []exchange {
	t.Helper()
	const email, other = "carla@example.org", "another horse battery"
	carla, phone := p.newPerson(), p.newPerson()
	id := p.send(t, exchange{who: carla, method: "POST", path: users, header: key(), body: signUp("email", email), status: 201})["user_id"]
	enter := func() {
		p.send(t, exchange{who: phone, method: "POST", path: sessions, body: map[string]any{"email": email, "password": password}, status: 201})
	}
	enter()
	first := ""
	listed, _ := p.send(t, exchange{who: carla, method: "GET", path: sessions, status: 200})["sessions"].([]any)
	for _, l := range listed {
		if m, _ := l.(map[string]any); m["current"] == false {
			first, _ = m["session_id"].(string)
		}
	}
	const end, pass, resets, confirm = sessions + "/end", "/api/identity/v1/password", "/api/identity/v1/password-resets", "/api/identity/v1/password-resets/confirm"
	none := map[string]string{"X-CSRF-Token": ""}
	forged := map[string]string{"X-CSRF-Token": "x"}
	change := func(old, new string) map[string]any { return map[string]any{"password": old, "new_password": new} }
	out := func(user any, why string) map[string]any { return map[string]any{"user_id": user, "reason": why} }
	reset := func(token, new string) map[string]any { return map[string]any{"token": token, "password": new} }
	return []exchange{
		{name: "end one", who: carla, method: "DELETE", path: sessions + "/" + first, status: 204},
		{name: "end it again", who: carla, method: "DELETE", path: sessions + "/" + first, status: 404},
		{name: "end one without token", who: carla, method: "DELETE", path: sessions + "/" + first, header: none, status: 403, breaks: true},
		{name: "end one as nobody", method: "DELETE", path: sessions + "/" + first, header: forged, status: 401, breaks: true},
		{name: "ended", who: phone, method: "GET", path: current, status: 401},
		{name: "end the others", who: carla, method: "DELETE", path: sessions, status: 204},
		{name: "end the others without token", who: carla, method: "DELETE", path: sessions, header: none, status: 403, breaks: true},
		{name: "end the others as nobody", method: "DELETE", path: sessions, header: forged, status: 401, breaks: true},
		{name: "password malformed", who: carla, method: "PUT", path: pass, body: client.Raw(`{`), status: 400, breaks: true},
		{name: "password of nobody", method: "PUT", path: pass, body: change(password, other), header: forged, status: 401, breaks: true},
		{name: "password without token", who: carla, method: "PUT", path: pass, body: change(password, other), header: none, status: 403, breaks: true},
		{name: "password too large", who: carla, method: "PUT", path: pass, body: tooLarge(), status: 413, breaks: true},
		{name: "password too short", who: carla, method: "PUT", path: pass, body: change(password, "short"), status: 422, breaks: true},
		{name: "wrong password", who: carla, method: "PUT", path: pass, body: change("wrong", other), status: 422},
		{name: "new password", who: carla, method: "PUT", path: pass, body: change(password, other), status: 204},
		{name: "old password", who: phone, method: "POST", path: sessions, body: map[string]any{"email": email, "password": password}, status: 401},
		{name: "with the new one", who: phone, method: "POST", path: sessions, body: map[string]any{"email": email, "password": other}, status: 201},
		{name: "sign out everywhere", who: c.office, method: "POST", path: end, body: out(id, "the telephone was stolen"), status: 204},
		{name: "signed out", who: carla, method: "GET", path: current, status: 401},
		{name: "end malformed", who: c.office, method: "POST", path: end, body: client.Raw(`{`), status: 400, breaks: true},
		{name: "end as nobody", method: "POST", path: end, body: out(id, "the telephone was stolen"), header: forged, status: 401, breaks: true},
		{name: "end as customer", who: c.anna, method: "POST", path: end, body: out(id, "the telephone was stolen"), status: 403},
		{name: "end of nobody", who: c.office, method: "POST", path: end, body: out("u-nobody", "the telephone was stolen"), status: 404},
		{name: "end too large", who: c.office, method: "POST", path: end, body: tooLarge(), status: 413, breaks: true},
		{name: "end without reason", who: c.office, method: "POST", path: end, body: out(id, ""), status: 422, breaks: true},
		{name: "forgotten", method: "POST", path: resets, body: map[string]any{"email": email}, status: 202},
		{name: "forgotten by nobody", method: "POST", path: resets, body: map[string]any{"email": "nobody@example.org"}, status: 202},
		{name: "forgotten malformed", method: "POST", path: resets, body: client.Raw(`{`), status: 400, breaks: true},
		{name: "forgotten too large", method: "POST", path: resets, body: tooLarge(), status: 413, breaks: true},
		{name: "forgotten without address", method: "POST", path: resets, body: map[string]any{"email": "nobody"}, status: 422, breaks: true},
		{name: "confirm malformed", method: "POST", path: confirm, body: client.Raw(`{`), status: 400, breaks: true},
		{name: "confirm too large", method: "POST", path: confirm, body: tooLarge(), status: 413, breaks: true},
		{name: "confirm a short one", method: "POST", path: confirm, body: reset("FORGED", "short"), status: 422, breaks: true},
		{name: "confirm forged", method: "POST", path: confirm, body: reset("FORGED", other), status: 422},
		{name: "confirm with a mail", method: "POST", path: confirm, body: reset(p.mailed(t, "/passwort/neu#"), password), status: 204},
	}
}

// companies is what a company's people do, and what the back office does with the company.
func (p *platform) companies(t *testing.T, c cast) []exchange {
	t.Helper()
	const own, join, invitations, all = "/api/identity/v1/company", "/api/identity/v1/company/join", "/api/identity/v1/company/invitations", "/api/identity/v1/companies/"
	const members = own + "/members/"
	boss, member, private := p.newPerson(), p.newPerson(), p.newPerson()
	details := map[string]any{"name": "Muster Bau GmbH", "street": "Weg 1", "postcode": "50667", "city": "Köln", "email": "rechnung@bau.example", "vat_id": "DE123456788"}
	p.send(t, exchange{who: boss, method: "POST", path: users, header: key(), body: with(signUp("email", "boss@bau.example"), "company", details), status: 201})
	private_, _ := p.send(t, exchange{who: private, method: "POST", path: users, header: key(), body: signUp("email", "private@bau.example"), status: 201})["user_id"].(string)
	invite := func(email string) (id string, code any) {
		i := p.send(t, exchange{who: boss, method: "POST", path: invitations, header: key(), body: map[string]any{"email": email}, status: 201})
		id, _ = i["invitation_id"].(string)
		return id, i["invite"]
	}
	_, code := invite("member@bau.example")
	_, forPrivate := invite("private@bau.example")
	open, _ := invite("open@bau.example")
	colleague, _ := p.send(t, exchange{who: member, method: "POST", path: users, header: key(), body: with(signUp("email", "member@bau.example"), "invite", code), status: 201})["user_id"].(string)
	company, _ := p.send(t, exchange{who: member, method: "GET", path: own, status: 200})["company"].(map[string]any)
	version, _ := company["version"].(float64)
	id := all + fmt.Sprint(company["company_id"])
	reverse := id + "/reverse-charge"
	seen := func(v float64) map[string]string {
		return map[string]string{"If-Match": fmt.Sprintf("%q", fmt.Sprint(v))}
	}
	create := map[string]string{"If-None-Match": "*"}
	forged, none := map[string]string{"X-CSRF-Token": "x"}, map[string]string{"X-CSRF-Token": ""}
	yes := map[string]any{"reverse_charge": true, "reason": "the form was seen"}
	twice := exchange{name: "invite", who: boss, method: "POST", path: invitations, header: key(), body: map[string]any{"email": "third@bau.example"}, status: 201}
	replayed, other := twice, twice
	replayed.replayed = true
	other.body, other.status = map[string]any{"email": "fourth@bau.example"}, 409
	moved := with(details, "city", "Bonn")
	return []exchange{
		{name: "own", who: boss, method: "GET", path: own, status: 200},
		{name: "change", who: boss, method: "PUT", path: own, header: seen(version), body: moved, status: 200},
		{name: "late change", who: boss, method: "PUT", path: own, header: seen(version), body: with(moved, "city", "Ulm"), status: 409},
		{name: "change by a member", who: member, method: "PUT", path: own, header: seen(version), body: details, status: 403},
		{name: "change of none", who: private, method: "PUT", path: own, header: seen(version), body: details, status: 404},
		{name: "change without version", who: boss, method: "PUT", path: own, body: details, status: 400},
		{name: "change by nobody", method: "PUT", path: own, header: forged, body: details, status: 401, breaks: true},
		{name: "change too large", who: boss, method: "PUT", path: own, header: seen(version), body: tooLarge(), status: 413, breaks: true},
		{name: "wrong VAT id", who: boss, method: "PUT", path: own, header: seen(version), body: with(details, "vat_id", "DE123456789"), status: 422},
		twice, replayed, other,
		{name: "invite without key", who: boss, method: "POST", path: invitations, body: map[string]any{"email": "x@bau.example"}, status: 400, breaks: true},
		{name: "invite as nobody", method: "POST", path: invitations, header: map[string]string{"X-CSRF-Token": "x", "Idempotency-Key": client.NewKey()}, body: map[string]any{"email": "x@bau.example"}, status: 401, breaks: true},
		{name: "invite as member", who: member, method: "POST", path: invitations, header: key(), body: map[string]any{"email": "x@bau.example"}, status: 403},
		{name: "invite as private person", who: private, method: "POST", path: invitations, header: key(), body: map[string]any{"email": "x@bau.example"}, status: 404},
		{name: "invite too large", who: boss, method: "POST", path: invitations, header: key(), body: tooLarge(), status: 413, breaks: true},
		{name: "invite nobody", who: boss, method: "POST", path: invitations, header: key(), body: map[string]any{"email": "x"}, status: 422, breaks: true},
		{name: "take back", who: boss, method: "DELETE", path: invitations + "/" + open, status: 204},
		{name: "take back again", who: boss, method: "DELETE", path: invitations + "/" + open, status: 404},
		{name: "take back as member", who: member, method: "DELETE", path: invitations + "/" + open, status: 403},
		{name: "take back as nobody", method: "DELETE", path: invitations + "/" + open, header: forged, status: 401, breaks: true},
		{name: "join", who: private, method: "POST", path: join, body: map[string]any{"invite": forPrivate}, status: 200},
		{name: "join another", who: boss, method: "POST", path: join, body: map[string]any{"invite": forPrivate}, status: 200}, // its own: nothing happens
		{name: "join with a forged one", who: private, method: "POST", path: join, body: map[string]any{"invite": "i2.e30.AAAA"}, status: 422},
		{name: "join malformed", who: private, method: "POST", path: join, body: client.Raw(`{`), status: 400, breaks: true},
		{name: "join as nobody", method: "POST", path: join, header: forged, body: map[string]any{"invite": forPrivate}, status: 401, breaks: true},
		{name: "join without token", who: private, method: "POST", path: join, header: none, body: map[string]any{"invite": forPrivate}, status: 403, breaks: true},
		{name: "join too large", who: private, method: "POST", path: join, body: tooLarge(), status: 413, breaks: true},
		{name: "administrator leaves", who: boss, method: "DELETE", path: members + p.userID(t, boss), status: 409},
		{name: "member removes another", who: member, method: "DELETE", path: members + private_, status: 403},
		{name: "remove as nobody", method: "DELETE", path: members + private_, header: forged, status: 401, breaks: true},
		{name: "remove nobody", who: boss, method: "DELETE", path: members + "u-nobody", status: 404},
		{name: "remove", who: boss, method: "DELETE", path: members + colleague, status: 204},
		{name: "found", who: c.bert, method: "PUT", path: own, header: create, body: details, status: 201},
		{name: "join from another company", who: c.bert, method: "POST", path: join, body: map[string]any{"invite": p.companyInvite(t, boss, "bert@example.org")}, status: 409},
		{name: "look", who: c.office, method: "GET", path: id, status: 200},
		{name: "reverse charge", who: c.office, method: "PUT", path: reverse, header: seen(p.companyVersion(t, boss) + 5), body: yes, status: 409},
		{name: "reverse charge without version", who: c.office, method: "PUT", path: reverse, body: yes, status: 400, breaks: true},
		{name: "reverse charge as nobody", method: "PUT", path: reverse, header: map[string]string{"X-CSRF-Token": "x", "If-Match": `"1"`}, body: yes, status: 401, breaks: true},
		{name: "reverse charge as administrator", who: boss, method: "PUT", path: reverse, header: seen(1), body: yes, status: 403},
		{name: "reverse charge of nobody", who: c.office, method: "PUT", path: all + "c-nobody/reverse-charge", header: seen(1), body: yes, status: 404},
		{name: "reverse charge too large", who: c.office, method: "PUT", path: reverse, header: seen(1), body: tooLarge(), status: 413, breaks: true},
		{name: "reverse charge without reason", who: c.office, method: "PUT", path: reverse, header: seen(1), body: with(yes, "reason", ""), status: 422, breaks: true},
		{name: "no reverse charge", who: c.office, method: "PUT", path: reverse, header: seen(1), body: with(yes, "reverse_charge", false), status: 200},
	}
}

// demo is about the people of a platform on one machine: it asks an instance that believes to be there.
func (p *platform) demo(t *testing.T) []exchange {
	t.Helper()
	const demo = "/api/identity/v1/demo-sessions"
	good := exchange{name: "elsewhere", method: "POST", path: demo, body: map[string]any{"code": demoCode()}, status: 404}
	p.send(t, good)
	before := p.addrs["identity"]
	t.Cleanup(func() { p.addrs["identity"] = before })
	p.addrs["identity"] = p.b.Run(t, "identity-3", map[string]string{"KREISLAUF_ENV": "local"})
	good.name, good.status = "here", 201
	return []exchange{
		good,
		{name: "forged", method: "POST", path: demo, body: map[string]any{"code": "d1.e30.AAAA"}, status: 422},
		{name: "malformed", method: "POST", path: demo, body: client.Raw(`{`), status: 400, breaks: true},
		{name: "too large", method: "POST", path: demo, body: tooLarge(), status: 413, breaks: true},
	}
}

// demoCode is that of a good link.
func demoCode() string {
	k, err := hex.DecodeString(embedded.Key)
	if err != nil {
		panic(err)
	}
	code, err := identity.SealDemo(k, identity.DemoPeople()[0], "", "", time.Now().Add(time.Hour))
	if err != nil {
		panic(err)
	}
	return code
}

func (p *platform) userID(t *testing.T, who *client.Client) string {
	t.Helper()
	id, _ := p.send(t, exchange{who: who, method: "GET", path: current, status: 200})["user_id"].(string)
	return id
}

func (p *platform) companyVersion(t *testing.T, who *client.Client) float64 {
	t.Helper()
	c, _ := p.send(t, exchange{who: who, method: "GET", path: "/api/identity/v1/company", status: 200})["company"].(map[string]any)
	v, _ := c["version"].(float64)
	return v
}

func (p *platform) companyInvite(t *testing.T, boss *client.Client, email string) any {
	t.Helper()
	return p.send(t, exchange{who: boss, method: "POST", path: "/api/identity/v1/company/invitations", header: key(), body: map[string]any{"email": email}, status: 201})["invite"]
}

// mailed asks for a new password of an account, and gives what stands behind the link of the mail.
func (p *platform) mailed(t *testing.T, link string) string {
	t.Helper()
	p.send(t, exchange{method: "POST", path: users, header: key(), body: signUp("email", "reset@example.org"), status: 201})
	p.send(t, exchange{method: "POST", path: "/api/identity/v1/password-resets", body: map[string]any{"email": "reset@example.org"}, status: 202})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		list, err := mailbox.List(p.b.Mails, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			full, err := mailbox.Read(p.b.Mails, m.ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, rest, found := strings.Cut(full.Text, link); found && strings.Contains(full.To, "reset@example.org") {
				return strings.Fields(rest)[0]
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("no mail has a link %s", link)
		}
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
