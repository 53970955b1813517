package identity_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kreislauf/internal/authz"
	"kreislauf/internal/backend/mailbox"
	"kreislauf/internal/client"
	"kreislauf/internal/event"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/session"
	"kreislauf/services/identity"
	"kreislauf/test/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	resets   = "/api/identity/v1/password-resets"
	password = "correct horse battery"
)

// platform is identity, two instances of it, with mailing.
type platform struct {
	b      *embedded.Backends
	addrs  []string
	events func() []event.Event // of identity
}

func start(t *testing.T, extra map[string]string) *platform {
	t.Helper()
	p := &platform{b: embedded.Start(t)}
	for _, instance := range []string{"identity-1", "identity-2"} {
		p.addrs = append(p.addrs, p.b.Run(t, instance, extra))
	}
	p.b.Run(t, "mailing-1", nil)
	p.events = p.b.Read(t, "statistics")
	return p
}

// person is somebody whose requests come to one of the instances from an address of its own.
func (p *platform) person(instance int, addr string) *client.Client {
	return client.New(client.Entry("http://"+p.addrs[instance]), nil).With("X-Forwarded-For", addr)
}

func (p *platform) signUp(t *testing.T, email string) *client.Client {
	t.Helper()
	c := p.person(0, "192.0.2.1")
	if _, err := c.SignUp(t.Context(), client.Account{Email: email, Password: password, Name: "Erika Muster"}); err != nil {
		t.Fatal(err)
	}
	return c
}

// refusal is what the caller sees of an error.
type refusal struct {
	Status int
	Detail string
	Fields string
}

func refused(err error) (r refusal, wait time.Duration) {
	if p, ok := errors.AsType[*client.Problem](err); ok {
		return refusal{p.Status, p.Detail, fmt.Sprint(p.Errors)}, p.RetryAfter
	}
	return r, 0
}

func do(t *testing.T, c *client.Client, method, path string, body any) client.Answer {
	t.Helper()
	a, err := c.Do(t.Context(), client.Call{Method: method, Path: path, Body: body, Key: client.NewKey()})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func want(t *testing.T, what string, a client.Answer, status int) {
	t.Helper()
	if a.Status != status {
		t.Fatalf("%s: %d %s, want %d", what, a.Status, a.Body, status)
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

// mails are the texts of all mails to an address with a subject, newest first.
func (p *platform) mails(t *testing.T, to, subject string) []string {
	t.Helper()
	list, err := mailbox.List(p.b.Mails, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, m := range list {
		full, err := mailbox.Read(p.b.Mails, m.ID)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(full.To, to) && strings.Contains(full.Subject, subject) {
			texts = append(texts, full.Text)
		}
	}
	return texts
}

// TestLockout: whoever asks, at whatever instance, learns the same of an address with and without an account; only the owner gets a mail, one.
func TestLockout(t *testing.T) {
	p := start(t, nil)
	signedIn := p.signUp(t, "erika@example.org")
	try := func(i int, email, password, addr string) (refusal, time.Duration) {
		_, err := p.person(i%2, addr).SignIn(t.Context(), email, password)
		return refused(err)
	}
	for i := range 8 {
		known, knownWait := try(i, " Erika@example.org", "wrong", "192.0.2.7")
		unknown, unknownWait := try(i, "nobody@example.org", "wrong", "192.0.2.7")
		status, wait := 401, time.Duration(0)
		if i >= 5 {
			status, wait = 429, 30*time.Second
		}
		if known.Status != status || knownWait > wait || status == 429 && knownWait < wait-20*time.Second {
			t.Errorf("try %d: %+v, wait %v, want %d, %v", i+1, known, knownWait, status, wait)
		}
		if known.Status != unknown.Status || knownWait-unknownWait > 10*time.Second || unknownWait-knownWait > 10*time.Second {
			t.Errorf("try %d: with an account %+v %v, without %+v %v", i+1, known, knownWait, unknown, unknownWait)
		}
	}
	if r, _ := try(0, "erika@example.org", password, "203.0.113.9"); r.Status != 429 {
		t.Errorf("with the right password, from elsewhere: %+v", r)
	}
	if _, err := signedIn.WhoAmI(t.Context()); err != nil {
		t.Errorf("who is signed in: %v", err)
	}
	const locked = "Viele Anmeldeversuche"
	await(t, "the owner gets no mail", func() bool { return len(p.mails(t, "erika@example.org", locked)) > 0 })

	// The way around is the mail; then tries are free again.
	want(t, "ask for a new password", do(t, p.person(1, "203.0.113.9"), "POST", resets, map[string]string{"email": "erika@example.org"}), 202)
	await(t, "no mail with a link", func() bool { return len(p.mails(t, "erika@example.org", "Ein neues Passwort")) > 0 })
	_, rest, _ := strings.Cut(p.mails(t, "erika@example.org", "Ein neues Passwort")[0], "/passwort/neu#")
	token := strings.Fields(rest)[0]
	want(t, "choose", do(t, p.person(0, "203.0.113.9"), "POST", resets+"/confirm", map[string]string{"token": token, "password": "another horse"}), 204)
	want(t, "choose again", do(t, p.person(0, "203.0.113.9"), "POST", resets+"/confirm", map[string]string{"token": token, "password": "a third horse"}), 422)
	if r, _ := try(0, "erika@example.org", "another horse", "203.0.113.9"); r.Status != 0 {
		t.Errorf("with the new password: %+v", r)
	}
	if _, err := signedIn.WhoAmI(t.Context()); err == nil {
		t.Error("a session outlived the new password")
	}
	if n := len(p.mails(t, "erika@example.org", locked)); n != 1 {
		t.Errorf("%d mails about tries", n)
	}
	if n := len(p.mails(t, "nobody@example.org", "")); n != 0 {
		t.Errorf("%d mails to somebody without an account", n)
	}
	p.secretStaysIn(t, token)
}

// secretStaysIn looks for a secret where it must not be: events, lines, databases.
func (p *platform) secretStaysIn(t *testing.T, secret string) {
	t.Helper()
	for _, e := range p.events() {
		if strings.Contains(string(e.Data), secret) {
			t.Errorf("the secret is in %s", e.Type)
		}
	}
	for service, instances := range map[string][]string{"identity": {"identity-1", "identity-2"}, "mailing": {"mailing-1"}} {
		for _, instance := range instances {
			text, err := os.ReadFile(p.b.LogFile(service, instance))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), secret) {
				t.Errorf("the secret is in a line of %s", instance)
			}
		}
	}
	for service, collection := range map[string]string{"identity": "users", "mailing": "mails"} {
		docs := mongodb.OpenCollection[map[string]any](p.b.Database(t, service), collection, "document")
		list, err := docs.Find(t.Context(), nil, nil, 0)
		if err != nil || len(list) == 0 || strings.Contains(fmt.Sprint(list), secret) {
			t.Errorf("%s of %s hold the secret, or cannot be read: %v", collection, service, err)
		}
	}
}

// TestNetworkLimit: tries at many addresses from one network have to wait too, and an own account is no way around that.
func TestNetworkLimit(t *testing.T) {
	p := start(t, nil)
	p.signUp(t, "own@example.org")
	locked := 0
	for i := range 35 {
		email, word := fmt.Sprintf("a%d@example.org", i), "wrong"
		if i%5 == 4 {
			email, word = "own@example.org", password
		}
		_, err := p.person(i%2, fmt.Sprintf("2001:db8::%x", i)).SignIn(t.Context(), email, word)
		if r, _ := refused(err); r.Status == 429 {
			locked++
		}
	}
	if locked != 0 {
		t.Errorf("%d of 28 wrong tries and 7 right ones had to wait", locked)
	}
	for i := range 3 {
		_, err := p.person(0, "2001:db8::ffff").SignIn(t.Context(), fmt.Sprintf("b%d@example.org", i), "wrong")
		if r, wait := refused(err); r.Status != 401 && i < 2 || i == 2 && (r.Status != 429 || wait > 10*time.Second) {
			t.Errorf("wrong try %d: %+v, wait %v", 29+i, r, wait)
		}
	}
	if _, err := p.person(0, "2001:db8:0:1::1").SignIn(t.Context(), "own@example.org", password); err != nil {
		t.Errorf("another network: %v", err)
	}
}

func TestPasswordChange(t *testing.T) {
	p := start(t, nil)
	here, there := p.signUp(t, "erika@example.org"), p.person(1, "192.0.2.2")
	if _, err := there.SignIn(t.Context(), "erika@example.org", password); err != nil {
		t.Fatal(err)
	}
	want(t, "ask for a link", do(t, there, "POST", resets, map[string]string{"email": "erika@example.org"}), 202)
	await(t, "no mail with a link", func() bool { return len(p.mails(t, "erika@example.org", "Ein neues Passwort")) > 0 })
	want(t, "change", do(t, here, "PUT", "/api/identity/v1/password", map[string]string{"password": password, "new_password": "another horse"}), 204)
	if _, err := here.WhoAmI(t.Context()); err != nil {
		t.Errorf("the session that changed it: %v", err)
	}
	if _, err := there.WhoAmI(t.Context()); err == nil {
		t.Error("another session goes on")
	}
	_, rest, _ := strings.Cut(p.mails(t, "erika@example.org", "Ein neues Passwort")[0], "/passwort/neu#")
	want(t, "a link from before", do(t, there, "POST", resets+"/confirm", map[string]string{"token": strings.Fields(rest)[0], "password": "a third horse"}), 422)
	await(t, "the owner is not told", func() bool { return len(p.mails(t, "erika@example.org", "wurde geändert")) == 1 })
}

// TestWhatFollowsIsDoneByAnybody: an instance dies after it has stored that sessions end and a company is founded, and before they are.
func TestWhatFollowsIsDoneByAnybody(t *testing.T) {
	p := start(t, nil)
	c := p.signUp(t, "erika@example.org")
	me, err := c.WhoAmI(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	users := mongodb.OpenCollection[identity.User](p.b.Database(t, "identity"), "users", "account")
	u, err := users.Get(t.Context(), me.ID)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	u.CompanyID, u.Founding = "c-1", &identity.Details{Name: "Muster Bau GmbH"}
	u.Ending, u.DueAt, u.Version = &identity.Ending{Before: now.Add(time.Second).Truncate(time.Millisecond)}, &now, u.Version+1
	if err := users.Put(t.Context(), u.ID, u); err != nil {
		t.Fatal(err)
	}
	await(t, "the session goes on", func() bool {
		_, err := c.WhoAmI(t.Context())
		return err != nil
	})
	await(t, "it is not written down as done", func() bool {
		u, err := users.Get(t.Context(), me.ID)
		return err == nil && u.Ending == nil && u.Founding == nil && u.DueAt == nil
	})
	companies := mongodb.OpenCollection[identity.Company](p.b.Database(t, "identity"), "companies", "company")
	if c, err := companies.Get(t.Context(), "c-1"); err != nil || c.Name != "Muster Bau GmbH" {
		t.Errorf("the company: %+v, %v", c, err)
	}
}

// TestSessionsOfTheBackOffice: it ends somebody's sessions with a reason, which is kept.
func TestSessionsOfTheBackOffice(t *testing.T) {
	p := start(t, nil)
	c := p.signUp(t, "erika@example.org")
	me, err := c.WhoAmI(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	office := p.b.SignedIn(t, session.Session{UserID: "u-office", Role: string(authz.BackOffice)})
	body := strings.NewReader(`{"user_id":"` + me.ID + `","reason":"the telephone was stolen"}`)
	res, err := office.Post("http://"+p.addrs[1]+"/api/identity/v1/sessions/end", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if _, err := c.WhoAmI(t.Context()); err == nil || res.StatusCode != 204 {
		t.Errorf("%s, and the session: %v", res.Status, err)
	}
	type entry struct{ Operation, Subject, Reason string }
	log := mongodb.OpenCollection[entry](p.b.Database(t, "identity"), "audit", "entry")
	var list []entry
	await(t, "no audit entry", func() bool {
		list, err = log.Find(context.Background(), nil, nil, 0)
		return err == nil && len(list) > 0
	})
	if diff := cmp.Diff([]entry{{"sessions.end", "user/" + me.ID, "the telephone was stolen"}}, list); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}
}

const company, members, invitations = "/api/identity/v1/company", "/api/identity/v1/company/members", "/api/identity/v1/company/invitations"

func details(city string) map[string]any {
	return map[string]any{"name": "Muster Bau GmbH", "street": "Weg 1", "postcode": "50667", "city": city, "email": "rechnung@bau.example", "vat_id": "DE 123456788"}
}

// signUpWith signs up, with more members than a private person's.
func (p *platform) signUpWith(t *testing.T, email string, more map[string]any, status int) *client.Client {
	t.Helper()
	c := p.person(0, "192.0.2.1")
	body := map[string]any{"email": email, "password": password, "name": "Erika Muster"}
	for k, v := range more {
		body[k] = v
	}
	want(t, "sign up "+email, do(t, c, "POST", client.UsersPath, body), status)
	return c
}

func decoded[T any](t *testing.T, a client.Answer, status int) (v T) {
	t.Helper()
	want(t, "answer", a, status)
	if err := json.Unmarshal(a.Body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

type invitation struct {
	ID    string `json:"invitation_id"`
	Email string `json:"email"`
	Code  string `json:"invite"`
}

// TestCompany follows a company from its founding by the first order's account to a colleague who leaves.
func TestCompany(t *testing.T) {
	p := start(t, nil)
	boss := p.signUpWith(t, "boss@bau.example", map[string]any{"company": details("Köln")}, 201)
	stranger := p.signUpWith(t, "stranger@other.example", map[string]any{"company": details("Ulm")}, 201)
	a := do(t, boss, "GET", company, nil)
	first := decoded[struct{ Company map[string]any }](t, a, 200).Company
	id, _ := first["company_id"].(string)
	if first["vat_id"] != "DE123456788" || first["admin"] != true || id == "" || a.Header.Get("ETag") != `"1"` {
		t.Fatalf("company %v, %s", first, a.Header.Get("ETag"))
	}
	put := func(c *client.Client, city, name, value string) client.Answer {
		return do(t, c.With(name, value), "PUT", company, details(city))
	}
	want(t, "a change", put(boss, "Bonn", "If-Match", `"1"`), 200)
	want(t, "the same again", put(boss, "Bonn", "If-Match", `"1"`), 200)
	want(t, "a change of what has changed", put(boss, "Aachen", "If-Match", `"1"`), 409)
	want(t, "a second company", put(boss, "Bonn", "If-None-Match", "*"), 409)

	// A new colleague, and one who has an account.
	code := decoded[invitation](t, do(t, boss, "POST", invitations, map[string]string{"email": "New@bau.example"}), 201).Code
	await(t, "the invitation is not mailed", func() bool {
		list := p.mails(t, "new@bau.example", "Einladung")
		return len(list) == 1 && strings.Contains(list[0], "/konto/einladung#"+code)
	})
	p.signUpWith(t, "thief@bau.example", map[string]any{"invite": code}, 422)
	colleague := p.signUpWith(t, "new@bau.example", map[string]any{"invite": code}, 201)
	p.signUpWith(t, "second@bau.example", map[string]any{"invite": code}, 422)
	private := p.signUp(t, "old@bau.example")
	join := func(c *client.Client, code string, status int) {
		t.Helper()
		want(t, "join", do(t, c, "POST", company+"/join", map[string]string{"invite": code}), status)
	}
	taken := decoded[invitation](t, do(t, boss, "POST", invitations, map[string]string{"email": "old@bau.example"}), 201)
	want(t, "take back", do(t, boss, "DELETE", invitations+"/"+taken.ID, nil), 204)
	join(private, taken.Code, 422)
	again := decoded[invitation](t, do(t, boss, "POST", invitations, map[string]string{"email": "old@bau.example"}), 201)
	join(stranger, again.Code, 422)
	join(private, again.Code, 200)
	join(private, again.Code, 200)
	p.secretStaysIn(t, again.Code)

	// What colleagues see, and nobody else.
	type list struct {
		Members []struct {
			ID    string `json:"user_id"`
			Email string `json:"email"`
			Admin bool   `json:"admin"`
		} `json:"members"`
		Invitations []invitation `json:"invitations"`
	}
	l := decoded[list](t, do(t, colleague, "GET", company, nil), 200)
	if len(l.Members) != 3 || l.Members[0].Email != "boss@bau.example" || !l.Members[0].Admin || l.Members[1].Admin || len(l.Invitations) != 0 {
		t.Errorf("members %+v", l)
	}
	for _, c := range []*client.Client{boss, colleague, private} {
		if u := decoded[map[string]any](t, do(t, c, "GET", client.SessionPath, nil), 200); u["company_id"] != id {
			t.Errorf("session %v of a member of %s", u, id)
		}
	}
	want(t, "a member's change", put(colleague, "Ulm", "If-Match", `"2"`), 403)
	want(t, "a member's invitation", do(t, colleague, "POST", invitations, map[string]string{"email": "x@bau.example"}), 403)
	want(t, "a member removes another", do(t, colleague, "DELETE", members+"/"+l.Members[2].ID, nil), 403)
	want(t, "a stranger removes one", do(t, stranger, "DELETE", members+"/"+l.Members[2].ID, nil), 404)
	want(t, "the administrator leaves", do(t, boss, "DELETE", members+"/"+l.Members[0].ID, nil), 409)
	want(t, "remove", do(t, boss, "DELETE", members+"/"+l.Members[2].ID, nil), 204)
	if _, err := private.WhoAmI(t.Context()); err == nil {
		t.Error("the session of a removed member goes on")
	}
	if _, err := private.SignIn(t.Context(), "old@bau.example", password); err != nil {
		t.Fatal(err)
	}
	if l := decoded[struct{ Company any }](t, do(t, private, "GET", company, nil), 200); l.Company != nil {
		t.Errorf("a private person's company: %v", l.Company)
	}
	join(private, again.Code, 422)
	want(t, "an own one", put(private, "Trier", "If-None-Match", "*"), 201)
	want(t, "an own one", do(t, private, "GET", company, nil), 200)

	// What is told of the first company.
	var versions []string
	await(t, "the events do not come", func() bool {
		versions = nil
		seen := map[string]bool{}
		for _, e := range p.events() {
			if c, err := event.Decode[event.CompanyChanged](e); err == nil && c.CompanyID == id && !seen[e.ID] {
				seen[e.ID] = true // an event may come more than once
				versions = append(versions, fmt.Sprint(c.Version, " ", c.City, " ", c.VATID))
			}
		}
		return len(versions) >= 2
	})
	if diff := cmp.Diff([]string{"1 Köln DE123456788", "2 Bonn DE123456788"}, versions); diff != "" {
		t.Errorf("told of the company (-want +got):\n%s", diff)
	}
}

// TestDemoPeople: on one machine a link signs in as each of them, again and again; everywhere else there is neither route nor account.
func TestDemoPeople(t *testing.T) {
	const demo = "/api/identity/v1/demo-sessions"
	key, err := hex.DecodeString(embedded.Key)
	if err != nil {
		t.Fatal(err)
	}
	for _, env := range []string{"test", "production", "local"} {
		p := start(t, map[string]string{"KREISLAUF_ENV": env})
		got := map[string]string{}
		for _, who := range identity.DemoPeople() {
			code, err := identity.SealDemo(key, who, "p-berlin", "d-1", time.Now().Add(time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			old, err := identity.SealDemo(key, who, "p-berlin", "d-1", time.Now().Add(-time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			for i := range 2 {
				c := p.person(i, "192.0.2.1")
				a := do(t, c, "POST", demo, map[string]string{"code": code})
				if env != identity.DemoEnv {
					nowhere := do(t, c, "POST", "/api/identity/v1/nowhere", nil)
					if a.Status != 404 || !strings.Contains(string(nowhere.Body), "There is no resource at") || !strings.Contains(string(a.Body), "There is no resource at") {
						t.Errorf("%s in %s: %d %s", who.As, env, a.Status, a.Body)
					}
					continue
				}
				want(t, who.As, a, 201)
				me, err := c.WhoAmI(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got[who.As] = strings.TrimSpace(me.Role + " " + me.PartnerID)
				want(t, "a link that has ended", do(t, c, "POST", demo, map[string]string{"code": old}), 422)
				if who.As == "company" {
					if l := decoded[struct{ Company map[string]any }](t, do(t, c, "GET", company, nil), 200); l.Company["admin"] != true {
						t.Errorf("company %v", l.Company)
					}
				}
			}
		}
		accounts := 0
		if env == identity.DemoEnv {
			accounts = len(identity.DemoPeople())
			if diff := cmp.Diff(map[string]string{
				"customer": "customer", "company": "customer", "dispatcher": "dispatcher p-berlin", "driver": "driver p-berlin", "back_office": "back_office", "ops": "ops",
			}, got); diff != "" {
				t.Errorf("people (-want +got):\n%s", diff)
			}
		}
		list, err := mongodb.OpenCollection[identity.User](p.b.Database(t, "identity"), "users", "account").Find(t.Context(), nil, nil, 0)
		if err != nil || len(list) != accounts {
			t.Errorf("%d accounts in %s, want %d, %v", len(list), env, accounts, err)
		}
	}
}
