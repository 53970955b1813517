package nginx

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestProblems(t *testing.T) {
	u := newUpstream(t)
	e := run(t, map[string][]string{"order": {u.addr}, "pricing": {freeAddr(t), freeAddr(t)}})
	for _, path := range []string{"/api/nosuch/v1/x", "/api/", "/api/nosuch/v1/x.json", "/api/nosuch/.git"} {
		checkProblem(t, e.do(t, "GET", path, "", nil), 404, "not-found")
	}
	checkProblem(t, e.do(t, "POST", "/api/order/v1/orders", strings.Repeat("x", 64<<10+1), nil), 413, "too-large")
	away := e.do(t, "GET", "/api/pricing/v1/catalog", "", nil)
	checkProblem(t, away, 503, "unavailable")
	if away.header.Get("Retry-After") == "" || !strings.Contains(away.line["upstream_status"].(string), "502, 502") {
		t.Errorf("headers %v, line %v", away.header, away.line)
	}
	select {
	case r := <-u.seen:
		t.Errorf("%s %s reached the service", r.Method, r.URL)
	default:
	}
	if a := e.do(t, "POST", "/api/order/v1/orders", strings.Repeat("x", 64<<10), nil); a.status != 201 {
		t.Errorf("a body of exactly 64 KiB: %d %s", a.status, a.body)
	}
}

func TestServicePathsReachTheService(t *testing.T) {
	order, identity := newUpstream(t), newUpstream(t)
	e := run(t, map[string][]string{"order": {order.addr}, "identity": {identity.addr}})
	for path, u := range map[string]upstream{
		"/api/order/v1/orders/o-1.json": order, "/api/order/v1/.x": order, "/api/order/v1/orders?q=a.b": order,
		"/api/identity/v1/users": identity, "/api/identity/v1/sessions": identity, "/api/identity/v1/sessions/current": identity,
	} {
		if a := e.do(t, "GET", path, "", nil); a.status != 201 {
			t.Errorf("%s: %d %s", path, a.status, a.body)
			continue
		}
		if got := (<-u.seen).URL.RequestURI(); got != path {
			t.Errorf("%s became %s", path, got)
		}
	}
}

func TestSignInIsLimited(t *testing.T) {
	u := newUpstream(t)
	e := run(t, map[string][]string{"identity": {u.addr}})
	limited := 0
	for range 40 { // 5 a second and a burst of 20
		a := e.do(t, "POST", "/api/identity/v1/sessions", "{}", nil)
		if a.status == http.StatusTooManyRequests {
			limited++
			checkProblem(t, a, 429, "too-many")
			if a.header.Get("Retry-After") == "" || a.line["limit_req"] != "REJECTED" {
				t.Errorf("headers %v, line %v", a.header, a.line)
			}
		}
	}
	if limited == 0 {
		t.Error("40 sign-ins at once were all let through")
	}
	if a := e.do(t, "GET", "/api/identity/v1/sessions/current", "", nil); a.status != 201 {
		t.Errorf("another path of the service is limited too: %d", a.status)
	}
}

// TestPostIsTriedOnAnotherInstance puts a dead instance beside a living one: every POST must succeed, some at the second attempt.
func TestPostIsTriedOnAnotherInstance(t *testing.T) {
	u := newUpstream(t)
	dead := freeAddr(t)
	e := run(t, map[string][]string{"order": {dead, u.addr}})
	retried := 0
	for range 6 {
		a := e.do(t, "POST", "/api/order/v1/orders", `{"a":1}`, nil)
		if a.status != 201 {
			t.Errorf("answer %d %s", a.status, a.body)
		}
		if a.line["upstream_addr"] == dead+", "+u.addr && a.line["upstream_status"] == "502, 201" {
			retried++
		}
		r := <-u.seen
		if trace := r.Header.Get("traceparent"); !strings.Contains(trace, a.line["trace.id"].(string)) {
			t.Errorf("the second attempt has another trace: %q, line %v", trace, a.line)
		}
	}
	if retried == 0 {
		t.Error("no POST met the dead instance first")
	}
}

func TestPage(t *testing.T) {
	e := run(t, map[string][]string{})
	for path, want := range map[string]int{"/": 200, "/orders/o-1": 200, "/assets/none.js": 404, "/nothing.js": 404, "/.git/config": 404} {
		a := e.do(t, "GET", path, "", nil)
		if a.status != want || a.line["url.path"] != path {
			t.Errorf("%s: %d, line %v", path, a.status, a.line)
		}
		if csp := a.header.Get("Content-Security-Policy"); want == 200 && (!strings.Contains(csp, "default-src 'none'") || !strings.Contains(a.body, "page")) {
			t.Errorf("%s: %v %q", path, a.header, a.body)
		}
	}
	res, err := e.client.Get(e.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "ok\n" {
		t.Errorf("/healthz: %q %v", b, err)
	}
}

// TestDriverPage: the driver's app has its own page below /fahrer, and a worker that may serve all of it and is asked for each time.
func TestDriverPage(t *testing.T) {
	e := run(t, map[string][]string{})
	for path, want := range map[string]struct {
		status      int
		body        string
		typ, policy string
	}{
		"/fahrer":                  {200, "driver", "text/html", "trusted-types driver-worker"},
		"/fahrer/":                 {200, "driver", "text/html", "trusted-types driver-worker"},
		"/fahrer/auftrag/o-1":      {200, "driver", "text/html", "trusted-types driver-worker"},
		"/fahrer/worker.js":        {200, "worker", "text/javascript", "connect-src 'self'"},
		"/fahrer/app.webmanifest":  {200, "{}", "application/manifest+json", ""},
		"/fahrer/none.js":          {404, "", "", ""},
		"/fahrerin":                {200, "page", "text/html", "trusted-types 'none'"},
		"/fahrer/auftrag/../x.css": {404, "", "", ""},
	} {
		a := e.do(t, "GET", path, "", nil)
		if a.status != want.status || !strings.Contains(a.body, want.body) || !strings.Contains(a.header.Get("Content-Type"), want.typ) ||
			!strings.Contains(a.header.Get("Content-Security-Policy"), want.policy) {
			t.Errorf("%s: %d %v %q", path, a.status, a.header, a.body)
		}
	}
	h := e.do(t, "GET", "/fahrer/worker.js", "", nil).header
	if h.Get("Service-Worker-Allowed") != "/fahrer" || h.Get("Cache-Control") != "no-cache" || h.Get("ETag") != "" {
		t.Errorf("worker: %v", h)
	}
}
