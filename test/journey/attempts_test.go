package journey_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/rs/zerolog"

	"kreislauf/elk"
	"kreislauf/elk/connect"
	"kreislauf/elk/kpi"
	"kreislauf/elk/provision"
	"kreislauf/internal/backend/engine"
	"kreislauf/internal/client"
	"kreislauf/internal/event"
	shipper "kreislauf/logship/platform"
	"kreislauf/nginx"
)

// watched is a platform with nginx in front, whose lines are shipped into the embedded Elasticsearch.
type watched struct {
	*platform
	entry  string // http://host:port of nginx
	client *esapi.API
	lines  int // requests sent through nginx
}

// TestOneStrangerCannotPage: what one stranger can send alone never fires the rule of order attempts, whatever the amount; failing
// attempts of visitors of several networks do, and an order ends it. Every line goes the whole way: nginx, logship, Elasticsearch.
func TestOneStrangerCannotPage(t *testing.T) {
	p := startWatched(t, nil)
	stranger, beacon := p.visitor("203.0.113.7"), map[string]any{"type": "order-attempt"}
	for i := range 20 {
		p.post(stranger, "/api/statistics/v1/events", beacon, http.StatusAccepted)
		p.post(stranger, "/api/order/v1/orders", map[string]any{}, http.StatusUnauthorized)
		for _, from := range []string{
			fmt.Sprintf("203.0.113.%d", 100+i),         // his addresses next door
			fmt.Sprintf("2001:db8:7:%x::1", i),         // those of his IPv6 network
			fmt.Sprintf("198.18.%d.1, 203.0.113.7", i), // what he writes into the header himself
		} {
			p.post(p.visitor(from), "/api/order/v1/orders", map[string]any{}, http.StatusUnauthorized)
		}
	}
	if got := p.evaluate(); got.Firing || got.Values["attempts"] != 2 || got.Values["orders"] != 0 {
		t.Errorf("one stranger: %+v, want two networks and no alert", got)
	}
	body := map[string]any{
		"quote": endedQuote(t), "address": map[string]string{"name": "Test Person", "street": "Hauptstraße 1", "city": "Köln"},
	}
	for i := range 3 {
		c := p.visitor(fmt.Sprintf("198.19.%d.20", i))
		c.signUp(fmt.Sprintf("visitor%d@example.org", i), "")
		p.lines++
		p.post(c, "/api/order/v1/orders", body, http.StatusUnprocessableEntity)
	}
	if got := p.evaluate(); !got.Firing || got.Values["attempts"] != 5 {
		t.Errorf("visitors of three more networks whose orders are refused: %+v, want an alert", got)
	}
	c := p.visitor("198.19.77.20")
	c.signUp("happy@example.org", "")
	c.order("50667", "170904", 7)
	p.lines += 4 // sign-up, catalogue, quote, order
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		got := p.evaluate()
		if !got.Firing && got.Values["orders"] == 1 && got.Values["attempts"] == 6 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after an order: %+v", got)
		}
	}
}

// TestAttemptsCountWhereSigningInIsBroken: the page orders only after signing in, so customers who meet a dead identity service count.
func TestAttemptsCountWhereSigningInIsBroken(t *testing.T) {
	wrong := map[string]any{"email": "a@example.org", "password": "is not the one"}
	identity := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer identity.Close()
	p := startWatched(t, map[string]string{"identity": identity.Listener.Addr().String()})
	for i := range 4 {
		p.post(p.visitor(fmt.Sprintf("198.19.%d.1", i)), "/api/identity/v1/sessions", wrong, http.StatusUnauthorized)
	}
	if got := p.evaluate(); got.Values["attempts"] != 0 {
		t.Errorf("wrong passwords are no attempts to order: %+v", got)
	}
	identity.Close()
	for i := range 5 {
		p.post(p.visitor(fmt.Sprintf("198.19.%d.1", i)), "/api/identity/v1/sessions", wrong, http.StatusServiceUnavailable)
	}
	if got := p.evaluate(); !got.Firing || got.Values["attempts"] != 5 {
		t.Errorf("five customers who cannot sign in: %+v, want an alert", got)
	}
}

// startWatched starts everything; others are addresses of stand-ins for services.
func startWatched(t *testing.T, others map[string]string) *watched {
	t.Helper()
	p := &watched{platform: startPlatform(t)}
	maps.Copy(p.addrs, others)
	e, err := engine.New(engine.Options{Dir: t.TempDir(), Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	elastic := httptest.NewServer(e.Handler())
	t.Cleanup(func() {
		elastic.Close()
		if err := e.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop the engine: %v", err)
		}
	})
	if p.client, err = connect.New(connect.Options{URL: elastic.URL}); err != nil {
		t.Fatal(err)
	}
	if _, err := provision.Run(t.Context(), p.client, provision.Options{Logger: zerolog.Nop()}); err != nil {
		t.Fatal(err)
	}
	p.startNginx()
	p.startLogship(elastic.URL)
	return p
}

// startNginx starts the real nginx in front of the services; it believes X-Forwarded-For of this test alone.
func (p *watched) startNginx() {
	t := p.t
	t.Helper()
	binary := nginx.Find()
	if binary == "" {
		t.Fatal("nginx was not found; install it: apt-get install nginx, or run: make deps")
	}
	dir, logs := t.TempDir(), filepath.Dir(p.b.LogFile("nginx", "access"))
	o := nginx.Options{
		Listen: freeAddr(t), Prefix: dir + "/", AccessLog: filepath.Join(logs, "access.log"), ErrorLog: filepath.Join(logs, "error.log"),
		WebRoot: dir,
		Workers: "1", Env: "test", Customer: "kreislauf", PlatformVersion: "test", TrustedProxies: []string{"127.0.0.1"},
		Upstreams: map[string][]string{},
	}
	if os.Getuid() == 0 {
		o.User = "root" // the folder of a test belongs to its user alone
	}
	for service, addr := range p.addrs {
		o.Upstreams[service] = []string{addr}
	}
	args, err := nginx.Prepare(binary, o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(args[0], args[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("nginx: %v", err)
		}
	})
	p.entry = "http://" + o.Listen
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", o.Listen)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nginx does not listen: %v", err)
		}
	}
}

// startLogship ships every line of the platform, as logship does beside it.
func (p *watched) startLogship(elastic string) {
	t := p.t
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	lookup := p.b.Lookup("logship-1", map[string]string{"KREISLAUF_ELASTICSEARCH_URL": elastic, "KREISLAUF_LOGSHIP_STATE_DIR": t.TempDir()})
	go func() { done <- shipper.Run(ctx, lookup) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("logship: %v", err)
		}
	})
}

// visitor is a person whose requests reach nginx from an address, or with a list of addresses that he claims.
func (p *watched) visitor(from string) *browser {
	return (&browser{client.New(func(string) string { return p.entry }, nil), p.t}).with("X-Forwarded-For", from)
}

// post sends a body through nginx as a visitor.
func (p *watched) post(as *browser, path string, body any, status int) {
	p.t.Helper()
	as.do("POST", path, body, status, map[string]string{"Idempotency-Key": event.NewID("k")})
	p.lines++
}

// evaluate waits until the lines of all requests can be found, and asks the shipped rule.
func (p *watched) evaluate() kpi.Result {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		answer, err := connect.Search(p.t.Context(), p.client, []string{"logs-nginx.access-test"},
			map[string]any{"size": 0, "track_total_hits": true})
		if err != nil {
			p.t.Fatal(err)
		}
		if int(answer.Total) == p.lines {
			break
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%d access lines, want %d", answer.Total, p.lines)
		}
	}
	rules, err := kpi.Load(elk.Files())
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range rules {
		if r.Name != "order-attempts-without-orders" {
			continue
		}
		result, err := kpi.Evaluate(p.t.Context(), p.client, r, time.Now().Add(time.Second), "test")
		if err != nil {
			p.t.Fatal(err)
		}
		return result
	}
	p.t.Fatal("the rule is gone")
	return kpi.Result{}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
