package journey_test

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kreislauf/internal/authz"
	"kreislauf/internal/catalog/postcodes"
	"kreislauf/internal/client"
	"kreislauf/services"
	"kreislauf/services/identity"
	"kreislauf/test/embedded"
)

const password = "correct horse battery"

const partners = `[
 {"id":"p-auto","name":"Auto GmbH","street":"Weg 1","postcode":"50667","city":"Köln","email":"office@auto.example","tax_id":"DE136695976","radius_km":200,
  "waste_codes":["170904","200307"],"auto_accept":true,"active":true,
  "rates":{"trip_cents":7800,"per_m3_cents":{"170904":4200,"200307":3500},"per_tonne_over_cents":600},
  "certificates":[{"kind":"53","number":"A-1"}],"drivers":[],"vehicles":[]},
 {"id":"p-hand","name":"Hand GmbH","street":"Weg 1","postcode":"10115","city":"Berlin","email":"office@hand.example","tax_id":"DE123456788","radius_km":200,
  "waste_codes":["170904","200307"],"auto_accept":false,"active":true,
  "rates":{"trip_cents":7800,"per_m3_cents":{"170904":4200,"200307":3500},"per_tonne_over_cents":600},
  "certificates":[{"kind":"53","number":"A-1"}],"drivers":[{"id":"d-1","name":"Jonas Petersen"}],"vehicles":[]}]`

// platform runs one instance of every service on embedded backends, without nginx.
type platform struct {
	t     *testing.T
	b     *embedded.Backends
	addrs map[string]string // service -> address, of those with routes
}

func startPlatform(t *testing.T) *platform {
	t.Helper()
	t.Parallel()
	p := &platform{t: t, b: embedded.Start(t), addrs: map[string]string{}}
	file := filepath.Join(t.TempDir(), "partners.json")
	if err := os.WriteFile(file, []byte(partners), 0o600); err != nil {
		t.Fatal(err)
	}
	extra := map[string]string{"KREISLAUF_PARTNERS_FILE": file}
	for _, s := range services.All() {
		if addr := p.b.Run(t, s.Name+"-1", extra); s.HTTP {
			p.addrs[s.Name] = addr
		}
	}
	p.b.AwaitPartners(t, 2)
	return p
}

func (p *platform) invite(partner string) string {
	p.t.Helper()
	key, err := hex.DecodeString(embedded.Key)
	if err != nil {
		p.t.Fatal(err)
	}
	code, err := identity.SealInvite(key, identity.Invite{Role: authz.Dispatcher, PartnerID: partner, Until: time.Now().Add(time.Hour)})
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

// browser is one person.
type browser struct {
	*client.Client
	t *testing.T
}

// browser opens one; it finds the service's address from the path, as nginx does.
func (p *platform) browser() *browser {
	return &browser{client.New(func(service string) string { return "http://" + p.addrs[service] }, nil), p.t}
}

// on reports to another test.
func (b *browser) on(t *testing.T) *browser { return &browser{b.Client, t} }

// with sends a header with every request.
func (b *browser) with(name, value string) *browser { return &browser{b.With(name, value), b.t} }

type answer map[string]any

func (a answer) str(k string) string { s, _ := a[k].(string); return s }

func with(m map[string]any, key string, value any) map[string]any {
	c := map[string]any{key: value}
	for k, v := range m {
		if k != key {
			c[k] = v
		}
	}
	return c
}

// do sends a request and demands a status.
func (b *browser) do(method, path string, body any, status int, header map[string]string) (answer, http.Header) {
	b.t.Helper()
	got, err := b.Do(b.t.Context(), client.Call{Method: method, Path: path, Body: body, Header: header})
	if err != nil {
		b.t.Fatal(err)
	}
	if got.Status != status {
		b.t.Fatalf("%s %s: %d, want %d: %s", method, path, got.Status, status, got.Body)
	}
	a := answer{}
	if len(got.Body) > 0 {
		if err := json.Unmarshal(got.Body, &a); err != nil {
			b.t.Fatalf("%s %s answers %q: %v", method, path, got.Body, err)
		}
	}
	return a, got.Header
}

func (b *browser) must(method, path string, body any, status int) answer {
	b.t.Helper()
	a, _ := b.do(method, path, body, status, nil)
	return a
}

func (b *browser) signUp(email, invite string) {
	b.t.Helper()
	if _, err := b.SignUp(b.t.Context(), client.Account{Email: email, Password: password, Name: "Test Person", Invite: invite}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) earliest(postcode string) string {
	b.t.Helper()
	c, err := b.Catalog(b.t.Context(), postcode)
	if err != nil {
		b.t.Fatal(err)
	}
	return c.EarliestDate
}

func (b *browser) quote(postcode, waste string, size int) string {
	b.t.Helper()
	q, err := b.Quote(b.t.Context(), client.QuoteRequest{Postcode: postcode, Waste: waste, SizeM3: size, Date: b.earliest(postcode)})
	if err != nil {
		b.t.Fatal(err)
	}
	return q.Token
}

// orderBody is a good order, to be changed by a test.
func (b *browser) orderBody(postcode, waste string, size int) map[string]any {
	b.t.Helper()
	return map[string]any{
		"quote": b.quote(postcode, waste, size), "visit_id": "visit-1",
		"address": map[string]string{"name": "Test Person", "street": "Hauptstraße 1", "city": postcodes.Towns(postcode)[0]},
	}
}

func (b *browser) order(postcode, waste string, size int) client.Order {
	b.t.Helper()
	o, err := b.Place(b.t.Context(), client.NewOrder{
		Quote: b.quote(postcode, waste, size), VisitID: "visit-1",
		Address: client.Address{Name: "Test Person", Street: "Hauptstraße 1", City: postcodes.Towns(postcode)[0]},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return o
}

// awaitState polls an order until it is in the state.
func (b *browser) awaitState(id, state string) client.Order {
	b.t.Helper()
	order := func() (client.Order, error) { return b.Order(b.t.Context(), id) }
	return await(b.t, "order "+id, order, func(o client.Order) bool { return o.State == state })
}

// await asks again and again until the answer is as wanted.
func await[T any](t *testing.T, what string, ask func() (T, error), done func(T) bool) T {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		v, err := ask()
		if err != nil {
			t.Fatal(err)
		}
		if done(v) {
			return v
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s never became as wanted: %v", what, v)
		}
	}
}
