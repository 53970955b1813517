package journey_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"kreislauf/internal/client"
	"kreislauf/internal/money"
	"kreislauf/internal/quote"
	"kreislauf/test/asked"
	"kreislauf/test/embedded"
)

func TestMain(m *testing.M) { os.Exit(asked.By(m, "journey").Run()) }

func TestOrderIsMatchedAutomatically(t *testing.T) {
	p := startPlatform(t)
	c := p.browser()
	c.signUp("anna@example.org", "")
	o := c.order("50667", "170904", 7)
	if o.State != "placed" || o.ID == "" {
		t.Fatalf("new order: %v", o)
	}
	got := c.awaitState(o.ID, "matched")
	if got.PartnerID != "p-auto" {
		t.Errorf("partner %q, want p-auto", got.PartnerID)
	}
	if n := len(got.History); n != 2 {
		t.Errorf("history has %d steps, want 2", n)
	}
	list, err := c.Orders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(list); n != 1 {
		t.Errorf("%d orders listed, want 1", n)
	}
}

func TestPartnerAcceptsByHand(t *testing.T) {
	p := startPlatform(t)
	c, mine, other := p.browser(), p.browser(), p.browser()
	c.signUp("bert@example.org", "")
	mine.signUp("disp@p-hand.example", p.invite("p-hand"))
	other.signUp("disp@p-auto.example", p.invite("p-auto"))
	id := c.order("10115", "200307", 5).ID
	offers := func() ([]client.Offer, error) { return mine.Offers(t.Context()) }
	await(t, "the partner's offers", offers, func(list []client.Offer) bool { return len(list) == 1 })
	if list, err := other.Offers(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("another partner sees the offer: %v, %v", list, err)
	}
	refused := func(who *browser, status int) {
		t.Helper()
		_, err := who.Accept(t.Context(), id)
		if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != status {
			t.Fatalf("accepting gives %v, want status %d", err, status)
		}
	}
	refused(other, 404)
	refused(c, 403)
	for range 2 { // again: the same
		if o, err := mine.Accept(t.Context(), id); err != nil || o.State != "accepted" {
			t.Fatalf("accept: %v, %v", o, err)
		}
	}
	c.awaitState(id, "matched")
}

func TestNobodyTakesTheOrder(t *testing.T) {
	p := startPlatform(t)
	c := p.browser()
	c.signUp("lena@example.org", "")
	o := c.order("80331", "170504", 3) // no partner takes soil
	got := c.awaitState(o.ID, "unmatched")
	if got.PartnerID != "" || len(got.History) != 2 {
		t.Errorf("unmatched order: %v", got)
	}
}

func TestOneTraceThroughAllServices(t *testing.T) {
	p := startPlatform(t)
	c := p.browser()
	c.signUp("clara@example.org", "")
	const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	o := c.with("traceparent", "00-"+traceID+"-00f067aa0ba902b7-01").order("50667", "170904", 7)
	c.awaitState(o.ID, "matched")
	want := map[string][]string{
		"order":      {"order.placed", "event.consumed"},
		"matching":   {"event.consumed"},
		"pricing":    {"event.consumed"},
		"statistics": {"event.consumed", "order.placed", "matching.offered", "matching.accepted", "order.matched"},
	}
	deadline := time.Now().Add(20 * time.Second)
	for service, actions := range want {
		for _, action := range actions {
			for !hasLine(t, p.b.LogFile(service, service+"-1"), traceID, action) {
				if time.Now().After(deadline) {
					t.Fatalf("no line of %s with %s under the trace", service, action)
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
	}
}

// hasLine looks for a log or event line of the trace with the action; it also checks that every line is JSON.
func hasLine(t *testing.T, path, traceID, action string) bool {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var line map[string]any
		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v in %s", path, err, s.Text())
		}
		if line["trace.id"] == traceID && line["event.action"] == action {
			return true
		}
	}
	return false
}

func TestReplayedAndReusedKeys(t *testing.T) {
	p := startPlatform(t)
	c := p.browser()
	c.signUp("dora@example.org", "")
	body := c.orderBody("50667", "170904", 7)
	key := map[string]string{"Idempotency-Key": "key-for-dora-1"}
	first, h1 := c.do("POST", "/api/order/v1/orders", body, 201, key)
	c.awaitState(first.str("order_id"), "matched")
	again, h2 := c.do("POST", "/api/order/v1/orders", body, 201, key)
	if h1.Get("Idempotency-Replayed") != "" || h2.Get("Idempotency-Replayed") != "true" {
		t.Errorf("Idempotency-Replayed: first %q, again %q", h1.Get("Idempotency-Replayed"), h2.Get("Idempotency-Replayed"))
	}
	if a, b := fmt.Sprint(first), fmt.Sprint(again); a != b {
		t.Errorf("the replay answers differently:\n%s\n%s", a, b)
	}
	body["public_ground"] = true
	c.do("POST", "/api/order/v1/orders", body, 422, key)
	if list := c.must("GET", "/api/order/v1/orders", nil, 200); len(list["orders"].([]any)) != 1 {
		t.Errorf("orders after replays: %v", list)
	}
	signUp := map[string]any{"email": "emil@example.org", "password": "long enough 1", "name": "Emil"}
	for i, want := range []string{"", "true"} {
		_, h := p.browser().do("POST", "/api/identity/v1/users", signUp, 201, map[string]string{"Idempotency-Key": "emil-key-1"})
		if h.Get("Idempotency-Replayed") != want {
			t.Errorf("sign-up %d: Idempotency-Replayed %q, want %q", i+1, h.Get("Idempotency-Replayed"), want)
		}
	}
	p.browser().do("POST", "/api/identity/v1/users", signUp, 409, map[string]string{"Idempotency-Key": "emil-key-2"})
	ev := map[string]any{"type": "order-attempt", "id": "attempt-0001"}
	c.must("POST", "/api/statistics/v1/events", ev, 202)
	if _, h := c.do("POST", "/api/statistics/v1/events", ev, 202, nil); h.Get("Idempotency-Replayed") != "true" {
		t.Error("a repeated event is not recognised")
	}
}

func TestBadInput(t *testing.T) {
	p := startPlatform(t)
	c := p.browser()
	c.signUp("fritz@example.org", "")
	good := c.orderBody("50667", "170904", 7)
	key := func() map[string]string { return map[string]string{"Idempotency-Key": client.NewKey()} }
	quoteURL := func(plz, waste, size, date string) string {
		return "/api/pricing/v1/quotes?postcode=" + plz + "&waste=" + waste + "&size=" + size + "&date=" + date
	}
	date := c.earliest("50667")
	for _, tc := range []struct {
		name, method, path string
		body               any
		status             int
		says               string
		header             map[string]string
	}{
		{"unknown postcode", "GET", quoteURL("00999", "170904", "7", date), nil, 422, "?postcode", nil},
		{"no postcode", "GET", quoteURL("", "170904", "7", date), nil, 422, "five digits", nil},
		{"unknown waste", "GET", quoteURL("50667", "999999", "7", date), nil, 422, "?waste", nil},
		{"10 m3 of soil", "GET", quoteURL("50667", "170504", "10", date), nil, 422, "7000 kg", nil},
		{"unknown size", "GET", quoteURL("50667", "170904", "8", date), nil, 422, "?size", nil},
		{"past date", "GET", quoteURL("50667", "170904", "7", "2020-01-01"), nil, 422, "?date", nil},
		{"malformed JSON", "POST", "/api/order/v1/orders", client.Raw(`{"quote":`), 400, "ends too early", key()},
		{"unknown member", "POST", "/api/order/v1/orders", client.Raw(`{"qoute":"x"}`), 400, "/qoute", key()},
		{"oversized body", "POST", "/api/order/v1/orders", client.Raw(`{"quote":"` + strings.Repeat("x", 70_000) + `"}`), 413, "65536", key()},
		{"no key", "POST", "/api/order/v1/orders", good, 400, "Idempotency-Key", nil},
		{"bad key", "POST", "/api/order/v1/orders", good, 400, "Idempotency-Key", map[string]string{"Idempotency-Key": "short"}},
		{"forged quote", "POST", "/api/order/v1/orders", with(good, "quote", good["quote"].(string)+"x"), 422, "/quote", key()},
		{"ended quote", "POST", "/api/order/v1/orders", with(good, "quote", endedQuote(t)), 422, "has ended", key()},
		{"no address", "POST", "/api/order/v1/orders", with(good, "address", map[string]string{}), 422, "/address/street", key()},
		{"wrong CSRF token", "POST", "/api/order/v1/orders", good, 403, "X-CSRF-Token", map[string]string{"Idempotency-Key": "csrf-test-1", "X-CSRF-Token": "no"}},
		{"unknown route", "GET", "/api/order/v1/nothing", nil, 404, "no resource", nil},
		{"wrong method", "DELETE", "/api/order/v1/orders", nil, 405, "DELETE", nil},
		{"event with a dot", "POST", "/api/statistics/v1/events", map[string]any{"type": "order.placed"}, 422, "/type", nil},
		{"short password", "POST", "/api/identity/v1/users", map[string]any{"email": "x@example.org", "password": "short", "name": "Xaver"}, 422, "/password", key()},
		{"forged invitation", "POST", "/api/identity/v1/users", map[string]any{"email": "x@example.org", "password": "long enough 1", "name": "Xaver", "invite": "i1.e30.AAAA"}, 422, "/invite", key()},
		{"wrong password", "POST", "/api/identity/v1/sessions", map[string]any{"email": "fritz@example.org", "password": "wrong"}, 401, "wrong", nil},
		{"unknown e-mail", "POST", "/api/identity/v1/sessions", map[string]any{"email": "nobody@example.org", "password": "wrong"}, 401, "wrong", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const traceID = "0af7651916cd43dd8448eb211c80319c"
			h := map[string]string{"traceparent": "00-" + traceID + "-b7ad6b7169203331-01"}
			for k, v := range tc.header {
				h[k] = v
			}
			a, head := c.on(t).do(tc.method, tc.path, tc.body, tc.status, h)
			if ct := head.Get("Content-Type"); ct != "application/problem+json" {
				t.Errorf("Content-Type %q", ct)
			}
			if a.str("trace_id") != traceID {
				t.Errorf("trace_id %q, want %q", a.str("trace_id"), traceID)
			}
			if got := fmt.Sprint(a); !strings.Contains(got, tc.says) || a.str("title") == "" {
				t.Errorf("problem %s does not say %q", got, tc.says)
			}
		})
	}
	if list := c.must("GET", "/api/order/v1/orders", nil, 200); len(list["orders"].([]any)) != 0 {
		t.Errorf("bad requests left orders: %v", list)
	}
}

func TestSessions(t *testing.T) {
	p := startPlatform(t)
	stranger := p.browser()
	stranger.must("GET", "/api/order/v1/orders", nil, 401)
	stranger.with("Cookie", "kreislauf_session=forged").must("GET", "/api/order/v1/orders", nil, 401)
	a, b := p.browser(), p.browser()
	a.signUp("gina@example.org", "")
	b.signUp("hans@example.org", "")
	id := a.order("50667", "170904", 7).ID
	b.must("GET", "/api/order/v1/orders/"+id, nil, 404) // another customer's order does not exist
	a.must("GET", "/api/matching/v1/offers", nil, 403)
	if s := a.must("GET", "/api/identity/v1/sessions/current", nil, 200); s.str("email") != "gina@example.org" {
		t.Errorf("session %v", s)
	}
	cookies := a.Cookies("identity")
	a.must("DELETE", "/api/identity/v1/sessions/current", nil, 204)
	late := p.browser().with("Cookie", cookies) // a stolen cookie is worth nothing after signing out
	late.must("GET", "/api/order/v1/orders", nil, 401)
	a.must("POST", "/api/identity/v1/sessions", map[string]any{"email": "Gina@Example.org ", "password": password}, 201)
	a.must("GET", "/api/order/v1/orders/"+id, nil, 200)
}

func TestCookieFlags(t *testing.T) {
	p := startPlatform(t)
	_, h := p.browser().do("POST", "/api/identity/v1/users", map[string]any{"email": "ida@example.org", "password": "long enough 1", "name": "Ida"}, 201,
		map[string]string{"Idempotency-Key": "ida-key-1", "X-Forwarded-Proto": "https"})
	flags := map[string]bool{}
	for _, c := range (&http.Response{Header: h}).Cookies() {
		flags[c.Name] = c.HttpOnly
		if !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
			t.Errorf("cookie %s: %+v", c.Name, c)
		}
	}
	if !flags["kreislauf_session"] || flags["kreislauf_csrf"] || len(flags) != 2 {
		t.Errorf("HttpOnly by cookie: %v", flags)
	}
}

func endedQuote(t *testing.T) string {
	t.Helper()
	token, err := quote.Sign(keyBytes(), quote.Quote{
		ID: "q-ended", Postcode: "50667", Waste: "170904", SizeM3: 7, Date: time.Now().AddDate(0, 0, 5).Format(time.DateOnly),
		Price: money.FromNet(100_00), ValidUntil: time.Now().Add(-time.Minute),
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func keyBytes() []byte {
	k := make([]byte, 32)
	if _, err := fmt.Sscanf(embedded.Key, "%x", &k); err != nil {
		panic(err)
	}
	return k
}
