package openapi_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/mongod"
	"kreislauf/internal/event"
	"kreislauf/services"
	"kreislauf/services/identity"
	"kreislauf/test/embedded"
)

const partners = `[
 {"id":"p-auto","name":"Auto GmbH","postcode":"50667","radius_km":100,"waste_codes":["170904"],"auto_accept":true},
 {"id":"p-hand","name":"Hand GmbH","postcode":"10115","radius_km":100,"waste_codes":["170904"],"auto_accept":false}]`

// platform runs the services on embedded backends, without nginx, and compares every answer with the documents.
type platform struct {
	b     *embedded.Backends
	extra map[string]string
	addrs map[string]string // service -> address
	docs  map[string]document
	seen  map[operation]map[string]bool // statuses that were answered
}

func startPlatform(t *testing.T) *platform {
	t.Helper()
	p := &platform{b: embedded.Start(t), addrs: map[string]string{}, docs: loadAll(t), seen: map[operation]map[string]bool{}}
	file := filepath.Join(t.TempDir(), "partners.json")
	if err := os.WriteFile(file, []byte(partners), 0o600); err != nil {
		t.Fatal(err)
	}
	p.extra = map[string]string{"KREISLAUF_PARTNERS_FILE": file}
	for _, s := range services.All() {
		p.addrs[s.Name] = p.b.Run(t, s.Name+"-1", p.extra)
	}
	return p
}

// withoutStores replaces the services by instances whose session store, or for statistics whose database, is away.
func (p *platform) withoutStores(t *testing.T) {
	t.Helper()
	extra := map[string]string{"KREISLAUF_REDIS_ADDR": "127.0.0.1:1", "KREISLAUF_PARTNERS_FILE": p.extra["KREISLAUF_PARTNERS_FILE"]}
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

func (p *platform) invite(t *testing.T, partner string) string {
	t.Helper()
	key, err := hex.DecodeString(embedded.Key)
	if err != nil {
		t.Fatal(err)
	}
	code, err := identity.SealInvite(key, identity.Invite{PartnerID: partner, Until: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// person is one browser's cookies.
type person struct{ cookies map[string]string }

func newPerson() *person { return &person{map[string]string{}} }

// raw is a body that is sent as it is.
type raw string

// exchange is one request and the status that it must get.
type exchange struct {
	name         string
	who          *person // nil: without cookies
	method, path string
	body         any
	header       map[string]string
	status       int
	breaks       bool // the request is against the document, which must notice it; else it must be in order
	replayed     bool // the answer must be marked as a repetition
}

// key is a fresh Idempotency-Key.
func key() map[string]string { return map[string]string{"Idempotency-Key": event.NewID("k")} }

func (e exchange) text(t *testing.T) []byte {
	t.Helper()
	switch v := e.body.(type) {
	case nil:
		return nil
	case raw:
		return []byte(v)
	}
	b, err := json.Marshal(e.body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (p *platform) request(t *testing.T, e exchange) *http.Request {
	t.Helper()
	service := strings.Split(e.path, "/")[2]
	body := e.text(t)
	req, err := http.NewRequest(e.method, "http://"+p.addrs[service]+e.path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if e.who != nil {
		for name, value := range e.who.cookies {
			req.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		if csrf := e.who.cookies["kreislauf_csrf"]; csrf != "" && e.method != http.MethodGet {
			req.Header.Set("X-CSRF-Token", csrf)
		}
	}
	for name, value := range e.header {
		req.Header.Set(name, value)
		if value == "" {
			req.Header.Del(name)
		}
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
	client := http.Client{Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	res, err := client.Do(p.request(t, e))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != e.status {
		t.Fatalf("%s %s: %s, want %d: %s", e.method, e.path, res.Status, e.status, body)
	}
	if got := res.Header.Get("Idempotency-Replayed") == "true"; got != e.replayed {
		t.Errorf("Idempotency-Replayed is %t, want %t", got, e.replayed)
	}
	p.compare(t, doc, e, res, body)
	if e.who != nil {
		for _, c := range res.Cookies() {
			e.who.cookies[c.Name] = c.Value
		}
	}
	var answer map[string]any
	if len(body) > 0 {
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Fatal(err)
		}
	}
	return answer
}

// poll repeats a good GET until the answer is as wanted.
func (p *platform) poll(t *testing.T, who *person, path string, done func(map[string]any) bool) {
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
