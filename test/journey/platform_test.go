package journey_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kreislauf/internal/event"
	"kreislauf/services"
	"kreislauf/services/identity"
	"kreislauf/test/embedded"
)

const partners = `[
 {"id":"p-auto","name":"Auto GmbH","postcode":"50667","radius_km":200,"waste_codes":["170904","200307"],"auto_accept":true},
 {"id":"p-hand","name":"Hand GmbH","postcode":"10115","radius_km":200,"waste_codes":["170904","200307"],"auto_accept":false}]`

// platform runs one instance of every service on embedded backends, without nginx.
type platform struct {
	t     *testing.T
	b     *embedded.Backends
	addrs map[string]string // service -> address
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
		p.addrs[s.Name] = p.b.Run(t, s.Name+"-1", extra)
	}
	return p
}

func (p *platform) invite(partner string) string {
	p.t.Helper()
	key, err := hex.DecodeString(embedded.Key)
	if err != nil {
		p.t.Fatal(err)
	}
	code, err := identity.SealInvite(key, identity.Invite{PartnerID: partner, Until: time.Now().Add(time.Hour)})
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

// browser is one person; it finds the service's address from the path, as nginx does.
type browser struct {
	t      *testing.T
	p      *platform
	client *http.Client
	header http.Header // sent with every request
}

// entry is where the cookies live; requests go to the instance behind it.
var entry = &url.URL{Scheme: "http", Host: "127.0.0.1"}

func (p *platform) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return &browser{t: p.t, p: p, client: &http.Client{Jar: jar, Timeout: 20 * time.Second}, header: http.Header{}}
}

// on reports to another test.
func (b *browser) on(t *testing.T) *browser {
	c := *b
	c.t = t
	return &c
}

type answer map[string]any

func (a answer) str(k string) string { s, _ := a[k].(string); return s }

// raw is a body that is sent as it is.
type raw string

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
	var r io.Reader
	switch v := body.(type) {
	case nil:
	case raw:
		r = strings.NewReader(string(v))
	default:
		j, err := json.Marshal(v)
		if err != nil {
			b.t.Fatal(err)
		}
		r = bytes.NewReader(j)
	}
	service := strings.Split(path, "/")[2]
	req, err := http.NewRequest(method, "http://"+b.p.addrs[service]+path, r)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header = b.header.Clone()
	req.Header.Set("Content-Type", "application/json")
	for _, c := range b.client.Jar.Cookies(entry) {
		if c.Name == "kreislauf_csrf" {
			req.Header.Set("X-CSRF-Token", c.Value)
		}
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if res.StatusCode != status {
		b.t.Fatalf("%s %s: %s, want %d: %s", method, path, res.Status, status, text)
	}
	a := answer{}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &a); err != nil {
			b.t.Fatalf("%s %s answers %q: %v", method, path, text, err)
		}
	}
	return a, res.Header
}

func (b *browser) must(method, path string, body any, status int) answer {
	b.t.Helper()
	a, _ := b.do(method, path, body, status, nil)
	return a
}

func (b *browser) cookies() string {
	var list []string
	for _, c := range b.client.Jar.Cookies(entry) {
		list = append(list, c.Name+"="+c.Value)
	}
	return strings.Join(list, "; ")
}

func (b *browser) signUp(email, invite string) {
	b.t.Helper()
	body := map[string]any{"email": email, "password": "correct horse battery", "name": "Test Person"}
	if invite != "" {
		body["invite"] = invite
	}
	b.do("POST", "/api/identity/v1/users", body, 201, map[string]string{"Idempotency-Key": event.NewID("k")})
}

func (b *browser) earliest() string {
	b.t.Helper()
	return b.must("GET", "/api/pricing/v1/catalog", nil, 200).str("earliest_date")
}

func (b *browser) orderBody(postcode, waste string, size int) map[string]any {
	b.t.Helper()
	q := b.must("GET", "/api/pricing/v1/quotes?postcode="+postcode+"&waste="+waste+"&size="+jsonText(size)+"&date="+b.earliest(), nil, 200)
	return map[string]any{
		"quote": q.str("quote"), "visit_id": "visit-1",
		"address": map[string]string{"name": "Test Person", "street": "Hauptstraße 1", "city": "Köln"},
	}
}

func jsonText(v any) string { b, _ := json.Marshal(v); return string(b) }

func (b *browser) order(postcode, waste string, size int) answer {
	b.t.Helper()
	a, _ := b.do("POST", "/api/order/v1/orders", b.orderBody(postcode, waste, size), 201, map[string]string{"Idempotency-Key": event.NewID("k")})
	return a
}

// await polls until a member of the answer has the value.
func (b *browser) await(path, member, value string) answer {
	b.t.Helper()
	return b.awaitFunc(path, func(a answer) bool { return a.str(member) == value })
}

func (b *browser) awaitFunc(path string, done func(answer) bool) answer {
	b.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		a := b.must("GET", path, nil, 200)
		if done(a) {
			return a
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("GET %s never became as wanted: %v", path, a)
		}
	}
}
