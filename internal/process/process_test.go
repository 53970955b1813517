package process_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/audit"
	"kreislauf/internal/authz"
	"kreislauf/internal/clock"
	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/process"
	"kreislauf/internal/session"
	"kreislauf/test/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// order is the aggregate of the scratch service.
type order struct {
	aggregate.Root `bson:",inline"`
	audit.Trail    `bson:",inline"`
	State          string `bson:"state"`
}

// open makes an instance of a scratch service on the database of order, started by the caller.
func open(t *testing.T, b *embedded.Backends, extra map[string]string) *process.Process {
	t.Helper()
	p, err := process.Open(t.Context(), "order", b.Lookup("order-1", extra), process.Needs{MongoDB: true, Sessions: true, Kafka: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := p.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return p
}

func begin(t *testing.T, p *process.Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := p.Start(ctx); err != nil {
		t.Fatal(err)
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// freeAddr is for the internal listener of an instance.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// metrics reads what an instance tells on its internal listener.
func metrics(t *testing.T, internal string) string {
	t.Helper()
	defer http.DefaultClient.CloseIdleConnections()
	res, err := http.Get("http://" + internal + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("metrics: %s, %v\n%s", res.Status, err, text)
	}
	return string(text)
}

// TestBuildInfo: the metrics of an instance name the versions that run.
func TestBuildInfo(t *testing.T) {
	addr := freeAddr(t)
	begin(t, open(t, embedded.Start(t), map[string]string{
		"KREISLAUF_INTERNAL_ADDR": addr, "KREISLAUF_PLATFORM_VERSION": "aaaaaaaaaaaa", "KREISLAUF_SERVICE_VERSION": "bbbbbbbbbbbb",
	}))
	const want = `kreislauf_build_info{platform_version="aaaaaaaaaaaa",service="order",version="bbbbbbbbbbbb"} 1`
	if !strings.Contains(metrics(t, addr), want+"\n") {
		t.Errorf("the metrics lack %s", want)
	}
}

// TestMetricsOfTwoRepositories: relays of two collections are told apart, or Prometheus would get no metrics at all.
func TestMetricsOfTwoRepositories(t *testing.T) {
	addr := freeAddr(t)
	p := open(t, embedded.Start(t), map[string]string{"KREISLAUF_INTERNAL_ADDR": addr})
	process.Repository[order](p, "orders", "order", event.TopicOrder)
	process.Repository[order](p, "swaps", "swap", event.TopicOrder)
	begin(t, p)
	await(t, "both relays have given a sign of life", func() bool {
		text := metrics(t, addr)
		return strings.Contains(text, `part="outbox relay of orders"`) && strings.Contains(text, `part="outbox relay of swaps"`)
	})
}

// TestRoutesAreGuarded: a route is served as the authorisation table has it, and one without a row does not build.
func TestRoutesAreGuarded(t *testing.T) {
	p := open(t, embedded.Start(t), nil)
	answer := func(w http.ResponseWriter, _ *http.Request, caller session.Session) error {
		return httpserver.JSON(w, http.StatusOK, map[string]any{"public": caller.Scope == authz.Anyone})
	}
	p.Handle("GET", "/api/order/v1/orders", answer)
	p.Handle("GET", "/api/pricing/v1/catalog", answer)
	begin(t, p)
	for path, want := range map[string]int{"/api/order/v1/orders": 401, "/api/pricing/v1/catalog": 200} {
		res, err := http.Get("http://" + p.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); res.StatusCode != want {
			t.Errorf("GET %s without a session: %d, want %d", path, res.StatusCode, want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	defer func() {
		if why := recover(); why == nil || !strings.Contains(why.(string), "GET /api/order/v1/secrets has no row in internal/authz/routes.go") {
			t.Errorf("a route without a row: %v", why)
		}
	}()
	p.Handle("GET", "/api/order/v1/secrets", answer)
}

// TestKit runs what a service gets from the kit over the wire: events out and in, timed work under a shifted clock, audit trail, numbers.
func TestKit(t *testing.T) {
	b := embedded.Start(t)
	file := filepath.Join(t.TempDir(), "clock")
	p := open(t, b, map[string]string{clock.Setting: file})
	orders := process.Repository[order](p, "orders", "order", event.TopicMatching) // order reads this topic
	log, numbers := p.AuditLog("orders"), p.Numbers()
	process.Work(p, "cancel", orders, func(m event.Meta, o *order) error {
		o.Due(time.Time{})
		o.State = "cancelled"
		return o.Emit(m, event.Unmatched{OrderID: o.ID, Reason: "late"})
	})
	var refused, seen, unknown atomic.Int32
	p.Consume(func(ctx context.Context, e event.Event, payload event.Payload) error {
		switch v := payload.(type) {
		case event.Offered:
			refused.Add(1)
			return problem.New(problem.Conflict, "not now, not ever") // no retry mends it
		case event.Unmatched:
			if v.Reason == "late" && e.Source == "order" && e.Customer == "kreislauf" {
				seen.Add(1)
			}
		case nil:
			unknown.Add(1)
		}
		return nil
	})
	begin(t, p)
	if diff := p.WorkNames(); len(diff) != 1 || diff[0] != "cancel" {
		t.Errorf("timed work %v", diff)
	}

	meta := p.Meta(t.Context())
	o := order{Root: aggregate.New("o-1"), State: "placed"}
	o.Due(meta.At.Add(48 * time.Hour))
	entry := audit.Entry{At: meta.At, Actor: audit.Actor{UserID: "u-1", Role: authz.Customer, Tenant: "kreislauf"}, Operation: "order.place", Subject: "order/o-1"}
	if err := o.Add(entry); err != nil {
		t.Fatal(err)
	}
	for _, payload := range []event.Payload{event.Offered{OrderID: o.ID}, later{}} {
		if err := o.Emit(meta, payload); err != nil {
			t.Fatal(err)
		}
	}
	if _, replayed, err := orders.Add(t.Context(), o); err != nil || replayed {
		t.Fatalf("add: %v, replayed %v", err, replayed)
	}
	await(t, "the event that the handler refuses lets the next one pass", func() bool { return refused.Load() == 1 && unknown.Load() == 1 })
	await(t, "the audit entry is collected", func() bool {
		list, err := log.BySubject(t.Context(), "order/o-1", 10)
		return err == nil && len(list) == 1 && list[0].Actor.UserID == "u-1"
	})
	n, err := numbers.Reserve(t.Context(), "R-2026-", o.ID, meta.At)
	if err != nil || n.Text() != "R-2026-000001" {
		t.Errorf("number %s, %v", n.Text(), err)
	}
	if seen.Load() != 0 {
		t.Error("the work was done two days early")
	}

	if err := clock.Shift(file, 72*time.Hour); err != nil {
		t.Fatal(err)
	}
	if moved := p.Meta(t.Context()).At.Sub(meta.At); moved < 72*time.Hour {
		t.Errorf("three days later the events say %s later", moved)
	}
	await(t, "the work is done and told of", func() bool { return seen.Load() == 1 })
	stored, err := orders.Get(t.Context(), o.ID)
	if err != nil || stored.State != "cancelled" || stored.DueAt != nil {
		t.Errorf("stored %+v, %v", stored, err)
	}
}

// later is an event of a later version.
type later struct{}

func (later) Type() string { return "matching.withdrawn" }
