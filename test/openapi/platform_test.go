package openapi_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/authz"
	"kreislauf/internal/backend/mongod"
	"kreislauf/internal/client"
	"kreislauf/internal/session"
	"kreislauf/services"
	"kreislauf/services/identity"
	"kreislauf/test/embedded"
)

const partners = `[
 {"id":"p-auto","name":"Auto GmbH","street":"Weg 1","postcode":"50667","city":"Köln","email":"office@auto.example","tax_id":"DE136695976","radius_km":100,
  "waste_codes":["170904"],"auto_accept":true,"active":true,
  "rates":{"trip_cents":7800,"per_m3_cents":{"170904":4200},"per_tonne_over_cents":600},
  "certificates":[{"kind":"53","number":"A-1"}],"drivers":[],"vehicles":[],"capacity":[{"size_m3":5,"per_day":0}]},
 {"id":"p-hand","name":"Hand GmbH","street":"Weg 1","postcode":"10115","city":"Berlin","email":"office@hand.example","tax_id":"DE123456788","radius_km":100,
  "waste_codes":["170904"],"auto_accept":false,"active":true,
  "rates":{"trip_cents":7800,"per_m3_cents":{"170904":4200},"per_tonne_over_cents":600},
  "certificates":[{"kind":"53","number":"A-1"}],"drivers":[{"id":"d-1","name":"Jonas Petersen"}],"vehicles":[]},
 {"id":"p-next","name":"Next GmbH","street":"Weg 1","postcode":"14467","city":"Potsdam","email":"office@next.example","tax_id":"DE136695976","radius_km":100,
  "waste_codes":["170904"],"auto_accept":false,"active":true,
  "rates":{"trip_cents":7800,"per_m3_cents":{"170904":4200},"per_tonne_over_cents":600},
  "certificates":[{"kind":"53","number":"A-1"}],"drivers":[],"vehicles":[]}]`

// platform runs the services on embedded backends, without nginx, and compares every answer with the documents.
type platform struct {
	b         *embedded.Backends
	extra     map[string]string
	addrs     map[string]string // service -> address
	transport *http.Transport
	docs      map[string]document
	seen      map[operation]map[string]bool // statuses that were answered
}

func startPlatform(t *testing.T) *platform {
	t.Helper()
	p := &platform{
		b: embedded.Start(t), transport: &http.Transport{}, addrs: map[string]string{}, docs: loadAll(t), seen: map[operation]map[string]bool{},
	}
	t.Cleanup(p.transport.CloseIdleConnections)
	file := filepath.Join(t.TempDir(), "partners.json")
	if err := os.WriteFile(file, []byte(partners), 0o600); err != nil {
		t.Fatal(err)
	}
	p.extra = map[string]string{"KREISLAUF_PARTNERS_FILE": file}
	for _, s := range services.All() {
		p.addrs[s.Name] = p.b.Run(t, s.Name+"-1", p.extra)
	}
	p.b.AwaitPartners(t, 3)
	return p
}

// withoutStores replaces the services by instances whose session store, or for statistics whose database, is away.
func (p *platform) withoutStores(t *testing.T) {
	t.Helper()
	extra := map[string]string{"KREISLAUF_ENV": "local", "KREISLAUF_REDIS_ADDR": "127.0.0.1:1", "KREISLAUF_PARTNERS_FILE": p.extra["KREISLAUF_PARTNERS_FILE"]}
	for _, s := range services.All() {
		if s.Needs.Sessions {
			p.addrs[s.Name] = p.b.Run(t, s.Name+"-2", extra)
		}
	}
	m, err := mongod.New(mongod.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	p.addrs["statistics"] = p.b.Run(t, "statistics-2", map[string]string{"KREISLAUF_MONGODB_URI": "mongodb://" + m.Addr()})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := m.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}

func (p *platform) invite(t *testing.T, i identity.Invite) string {
	t.Helper()
	key, err := hex.DecodeString(embedded.Key)
	if err != nil {
		t.Fatal(err)
	}
	i.Until = time.Now().Add(time.Hour)
	code, err := identity.SealInvite(key, i)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// backOffice has a session without an account.
func (p *platform) backOffice(t *testing.T) *client.Client {
	t.Helper()
	token, csrf := p.b.Session(t, session.Session{UserID: "u-office", Role: string(authz.BackOffice)})
	return p.newPerson().With("Cookie", session.Cookie+"="+token).With(session.CSRFHeader, csrf)
}

// exchange is one request and the status that it must get.
type exchange struct {
	name         string
	who          *client.Client // nil: somebody without a session
	method, path string
	body         any
	header       map[string]string
	status       int
	breaks       bool // the request is against the document, which must notice it; else it must be in order
	replayed     bool // the answer must be marked as a repetition
}

// key is a fresh Idempotency-Key.
func key() map[string]string { return map[string]string{"Idempotency-Key": client.NewKey()} }

// newPerson has no session yet. The path says which service is asked, as with nginx.
func (p *platform) newPerson() *client.Client {
	return client.New(func(service string) string { return "http://" + p.addrs[service] }, p.transport)
}

// by is who sends the exchange, and what.
func (p *platform) by(e exchange) (*client.Client, client.Call) {
	who := e.who
	if who == nil {
		who = p.newPerson()
	}
	return who, client.Call{Method: e.method, Path: e.path, Body: e.body, Header: e.header}
}

func (p *platform) request(t *testing.T, e exchange) *http.Request {
	t.Helper()
	who, call := p.by(e)
	req, err := who.Request(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// send does the exchange, holds both sides against the document and gives the answer's members.
func (p *platform) send(t *testing.T, e exchange) map[string]any {
	t.Helper()
	doc := p.docs[strings.Split(e.path, "/")[2]]
	ok, errs := doc.check.ValidateHttpRequestSync(p.request(t, e))
	switch {
	case ok && e.breaks:
		t.Errorf("%s %s: the document has nothing against this request", e.method, e.path)
	case !ok && !e.breaks:
		report(t, "request "+e.method+" "+e.path, errs)
	}
	who, call := p.by(e)
	a, err := who.Do(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != e.status {
		t.Fatalf("%s %s: %d, want %d: %s", e.method, e.path, a.Status, e.status, a.Body)
	}
	if got := a.Header.Get("Idempotency-Replayed") == "true"; got != e.replayed {
		t.Errorf("Idempotency-Replayed is %t, want %t", got, e.replayed)
	}
	p.compare(t, doc, e, a)
	var answer map[string]any
	if strings.Contains(a.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(a.Body, &answer); err != nil {
			t.Fatal(err)
		}
	}
	return answer
}

// poll repeats a good GET until the answer is as wanted.
func (p *platform) poll(t *testing.T, who *client.Client, path string, done func(map[string]any) bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		a := p.send(t, exchange{who: who, method: "GET", path: path, status: 200})
		if done(a) || t.Failed() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("GET %s never became as wanted: %v", path, a)
		}
	}
}
