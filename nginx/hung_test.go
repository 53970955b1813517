package nginx

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kreislauf/internal/httpserver"
)

// hung is an address at which connections are taken, as the kernel does it for a stopped process, and never answered.
func hung(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func keyed() map[string]string { return map[string]string{"Idempotency-Key": "key-0123456789"} }

// TestHungInstance puts a hung instance beside a living one. What may be sent twice is answered by the living one, always; what may not is
// answered 503 and is never seen by a second instance.
func TestHungInstance(t *testing.T) {
	for _, tc := range []struct {
		name, service, method, path string
		header                      map[string]string
		repeated                    bool
	}{
		{"read", "order", "GET", "/api/order/v1/orders", nil, true},
		{"POST with a key", "order", "POST", "/api/order/v1/orders", keyed(), true},
		{"POST without a key", "order", "POST", "/api/order/v1/orders", nil, false},
		{"sign-up, which may take its time", "identity", "POST", "/api/identity/v1/users", keyed(), false},
		{"sign-in, which may take its time", "identity", "POST", "/api/identity/v1/sessions", nil, false},
		{"sign-out", "identity", "DELETE", "/api/identity/v1/sessions/current", nil, true},
		{"event", "statistics", "POST", "/api/statistics/v1/events", nil, true},
		{"acceptance", "matching", "POST", "/api/matching/v1/offers/o-1/accept", nil, true},
		{"catalogue", "pricing", "GET", "/api/pricing/v1/catalog", nil, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u, stuck := newUpstream(t), hung(t)
			e := run(t, map[string][]string{tc.service: {stuck, u.addr}})
			for met := false; !met; {
				a := e.do(t, tc.method, tc.path, `{"a":1}`, tc.header)
				addrs := a.line["upstream_addr"].(string)
				met = strings.HasPrefix(addrs, stuck)
				switch {
				case met && !tc.repeated:
					checkProblem(t, a, 503, "unavailable")
					if addrs != stuck || a.header.Get("Retry-After") == "" {
						t.Errorf("headers %v, line %v", a.header, a.line)
					}
					continue
				case met && (addrs != stuck+", "+u.addr || a.line["upstream_status"] != "504, 201"):
					t.Errorf("line %v", a.line)
				}
				if a.status != 201 {
					t.Fatalf("answer %d %s, line %v", a.status, a.body, a.line)
				}
				if r := <-u.seen; r.Method != tc.method || r.URL.Path != tc.path || (tc.method == "POST" && r.ContentLength != 7) {
					t.Errorf("the living instance was asked %s %s, %d bytes", r.Method, r.URL.Path, r.ContentLength)
				}
			}
		})
	}
}

func TestAllInstancesHung(t *testing.T) {
	e := run(t, map[string][]string{"order": {hung(t), hung(t), hung(t)}})
	a := e.do(t, "POST", "/api/order/v1/orders", `{}`, keyed())
	checkProblem(t, a, 503, "unavailable")
	if a.header.Get("Retry-After") == "" || a.line["upstream_status"] != "504, 504" {
		t.Errorf("headers %v, line %v", a.header, a.line)
	}
}

// TestBansNeverLeaveNobody lets all instances fail until all are banned. As soon as they work again the next request must be answered,
// for an upstream of several instances, of one, and for a Service of Kubernetes that is listed three times.
func TestBansNeverLeaveNobody(t *testing.T) {
	for name, entries := range map[string][]int{"two": {0, 1}, "one": {0}, "one listed three times": {0, 0, 0}} {
		t.Run(name, func(t *testing.T) {
			var broken atomic.Bool
			broken.Store(true)
			var addrs [2]string
			for i := range addrs {
				srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if broken.Load() {
						panic(http.ErrAbortHandler)
					}
					fmt.Fprint(w, "well")
				}))
				t.Cleanup(srv.Close)
				addrs[i] = srv.Listener.Addr().String()
			}
			var list []string
			for _, i := range entries {
				list = append(list, addrs[i])
			}
			e := run(t, map[string][]string{"order": list})
			for range 8 {
				a := e.do(t, "GET", "/api/order/v1/orders", "", nil)
				checkProblem(t, a, 503, "unavailable")
				if !strings.Contains(a.line["upstream_addr"].(string), "127.0.0.1:") {
					t.Errorf("nobody was asked: %v", a.line)
				}
			}
			broken.Store(false)
			if a := e.do(t, "GET", "/api/order/v1/orders", "", nil); a.status != 200 || a.body != "well" {
				t.Errorf("answer %d %s, line %v", a.status, a.body, a.line)
			}
		})
	}
}

// TestHonest503IsAnAnswer: an instance whose backend is away must not be taken for a broken one.
func TestHonest503IsAnAnswer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the store is away", http.StatusServiceUnavailable)
	}))
	t.Cleanup(srv.Close)
	e := run(t, map[string][]string{"order": {srv.Listener.Addr().String(), freeAddr(t)}})
	honest := 0
	for range 8 {
		a := e.do(t, "POST", "/api/order/v1/orders", "{}", keyed())
		if a.status == 503 && a.body == "the store is away\n" {
			honest++
		}
		if status := a.line["upstream_status"].(string); !strings.HasSuffix(status, "503") {
			t.Errorf("line %v", a.line)
		}
	}
	if honest != 8 {
		t.Errorf("%d of 8 answers of the instance came through", honest)
	}
}

// TestRequestStart: every try of a request says when nginx began with it, so that an instance can tell that nginx has given up.
func TestRequestStart(t *testing.T) {
	u := newUpstream(t)
	e := run(t, map[string][]string{"order": {u.addr}})
	before := time.Now()
	e.do(t, "GET", "/api/order/v1/orders", "", map[string]string{"X-Request-Start": "1"})
	header := (<-u.seen).Header
	value := header.Get("X-Request-Start")
	if header.Get("X-Request-Budget") != "0.7" {
		t.Errorf("X-Request-Budget %q", header.Get("X-Request-Budget"))
	}
	seconds, err := strconv.ParseFloat(value, 64)
	at := time.UnixMilli(int64(seconds * 1000))
	if err != nil || at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("X-Request-Start %q, %v; now is %v", value, err, before)
	}
}

// TestLimitsFitTogether: all tries end within 2 s, an instance gives up before nginx gives up on it, and does not drop a second try.
func TestLimitsFitTogether(t *testing.T) {
	limits := func(directive, unit string) (list []time.Duration) {
		t.Helper()
		for _, m := range regexp.MustCompile(directive+` ([0-9.]+`+unit+`);`).FindAllStringSubmatch(source, -1) {
			text := m[1]
			if unit == "" {
				text += "s"
			}
			d, err := time.ParseDuration(text)
			if err != nil {
				t.Fatal(err)
			}
			if d > 0 { // another map has 0 as its default
				list = append(list, d)
			}
		}
		return list
	}
	connect := limits("proxy_connect_timeout", "m?s")[0]
	read := limits("proxy_read_timeout", "m?s")                            // everywhere, then the slow ones: passwords, files, statements, sign-up, sign-in
	again := limits("proxy_next_upstream_timeout", "m?s")                  // the same
	budget := append(limits("default", ""), limits(`sessions\)\$`, "")...) // the same, without sign-in
	if len(read) != 6 || len(again) != len(read) || len(budget) != 2 {
		t.Fatalf("limits %v, %v, %v", read, again, budget)
	}
	if two := 2 * (connect + read[0]); two >= 2*time.Second {
		t.Errorf("two tries may take %v", two)
	}
	same := func(list []time.Duration) bool { return len(slices.Compact(slices.Clone(list))) == 1 }
	if one := connect + read[1]; one >= 2*time.Second || one < again[1] || !same(read[1:]) || !same(again[1:]) {
		t.Errorf("a sign-in that got no answer within %v is tried again until %v", one, again[1])
	}
	for i, b := range budget {
		if b >= read[i] {
			t.Errorf("an instance answers after up to %v, nginx waits %v", b, read[i])
		}
	}
	if oldest := max(connect+read[0], again[1]); httpserver.MaxAge < oldest {
		t.Errorf("an instance drops work older than %v, a second try may be %v old", httpserver.MaxAge, oldest)
	}
}

// TestSignInSurvivesAKill: an instance that hangs is killed after about a second, and then its requests go to another one.
func TestSignInSurvivesAKill(t *testing.T) {
	u := newUpstream(t)
	dying := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		time.Sleep(900 * time.Millisecond) // longer than other requests may take
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(dying.Close)
	e := run(t, map[string][]string{"identity": {dying.Listener.Addr().String(), u.addr}})
	for met := false; !met; {
		a := e.do(t, "POST", "/api/identity/v1/sessions", `{}`, nil)
		met = a.line["upstream_status"] == "502, 201"
		if a.status != 201 {
			t.Errorf("answer %d %s, line %v", a.status, a.body, a.line)
		}
		if r := <-u.seen; r.Header.Get("X-Request-Budget") != "1.6" {
			t.Errorf("budget %q", r.Header.Get("X-Request-Budget"))
		}
	}
}

// TestCatalogueOutlivesItsService: one copy for everybody, fetched again when it is old, and served on while the service is dead or hung.
func TestCatalogueOutlivesItsService(t *testing.T) {
	const path, place = "/api/pricing/v1/catalog", "/api/pricing/v1/catalog?postcode=50667" // with towns, prices and taken days
	var asked atomic.Int64
	pass := make(chan struct{}) // closed when the service hangs no longer
	var stuck atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stuck.Load() {
			<-pass
		}
		if r.URL.Path == path {
			w.Header().Set("Cache-Control", "public, max-age=60, s-maxage=1, stale-while-revalidate=60, stale-if-error=86400")
		}
		fmt.Fprint(w, asked.Add(1))
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(pass) })
	e := run(t, map[string][]string{"pricing": {srv.Listener.Addr().String()}})
	get := func(path string) answer {
		t.Helper()
		a := e.do(t, "GET", path, "", nil)
		if a.status != 200 {
			t.Fatalf("%s: %d %s, line %v", path, a.status, a.body, a.line)
		}
		return a
	}
	first := get(path)
	get(place)
	for fetched := asked.Load(); asked.Load() == fetched; time.Sleep(10 * time.Millisecond) { // a copy serves until it is old
		if got := get(path).body; got < first.body {
			t.Fatalf("copy %s after copy %s", got, first.body)
		}
	}
	if one, other := get("/api/pricing/v1/quotes?x=1"), get("/api/pricing/v1/quotes?x=1"); one.body == other.body {
		t.Errorf("an answer that is not for everybody was kept: %q", one.body)
	}
	serves := func(state string) {
		t.Helper()
		old := time.Now().Add(1200 * time.Millisecond) // the copy is old by then
		for seen := 0; seen < 5 || time.Now().Before(old); seen++ {
			get(path)
			get(place)
			time.Sleep(20 * time.Millisecond)
		}
		if a := e.do(t, "GET", "/api/pricing/v1/quotes?x=1", "", nil); a.status != 503 {
			t.Errorf("%s: the service answers: %d %s", state, a.status, a.body)
		}
	}
	stuck.Store(true)
	serves("hung")
	srv.Listener.Close()
	srv.CloseClientConnections()
	serves("dead")
}

// TestReload gives a running nginx another list; no request fails meanwhile. What nginx would refuse never takes the place of what it has.
func TestReload(t *testing.T) {
	one, other := newUpstream(t), newUpstream(t)
	e := run(t, map[string][]string{"order": {one.addr}, "identity": {one.addr}})
	e.options.Upstreams = map[string][]string{"order": {other.addr}, "identity": {one.addr}}
	if err := Reload(Find(), e.options, e.pid); err != nil {
		t.Fatal(err)
	}
	for addr := ""; addr != other.addr; {
		a := e.do(t, "GET", "/api/order/v1/orders", "", nil)
		if addr = a.line["upstream_addr"].(string); a.status != 201 {
			t.Fatalf("answer %d, line %v", a.status, a.line)
		}
	}
	bad := e.options
	bad.Workers = "many"
	if err := Reload(Find(), bad, e.pid); err == nil || !strings.Contains(err.Error(), "worker_processes") {
		t.Errorf("a bad configuration gives %v", err)
	}
	if conf, err := os.ReadFile(e.options.file()); err != nil || strings.Contains(string(conf), "worker_processes many") {
		t.Errorf("it is in place: %v", err)
	}
	if err := Reload(Find(), e.options, 0); err != nil {
		t.Errorf("while nginx is away: %v", err)
	}
}

// TestCatalogueOfThePlace: the answer for one postcode is never given for another, however the query is written, and odd queries are not kept.
func TestCatalogueOfThePlace(t *testing.T) {
	const path = "/api/pricing/v1/catalog"
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Cache-Control", "public, s-maxage=3600")
		fmt.Fprintf(w, "dates of %q", r.URL.Query().Get("postcode"))
	}))
	t.Cleanup(srv.Close)
	e := run(t, map[string][]string{"pricing": {srv.Listener.Addr().String()}})
	kept := []struct{ query, want string }{{"", `dates of ""`}, {"?postcode=01067", `dates of "01067"`}, {"?postcode=10115", `dates of "10115"`}}
	odd := []struct{ query, want string }{
		{"?%70ostcode=80331", `dates of "80331"`},
		{"?POSTCODE=01067", `dates of ""`},
		{"?postcode=01067;x", `dates of ""`},
		{"?postcode=80331&postcode=01067", `dates of "80331"`},
		{"?x=1", `dates of ""`},
		{"?x=2&postcode=80331", `dates of "80331"`},
	}
	for range 2 { // what the odd ones have left behind shows in the second round
		for _, tc := range append(kept, odd...) {
			if a := e.do(t, "GET", path+tc.query, "", nil); a.status != 200 || a.body != tc.want {
				t.Errorf("%s: %d %s, want %s", tc.query, a.status, a.body, tc.want)
			}
		}
	}
	if n := asked.Load(); n != int64(len(kept)+2*len(odd)) {
		t.Errorf("the service was asked %d times, want once for each kept answer and each time for the %d odd queries", n, len(odd))
	}
}
