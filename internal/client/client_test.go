package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kreislauf/internal/client"
	"kreislauf/internal/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// seen is what the contract is about in one request.
type seen struct {
	Line, Cookie, CSRF, Key, Type, Body string
}

// serve answers with h and notes the requests. The person's target is the server, whatever the service.
func serve(t *testing.T, h http.HandlerFunc) (c *client.Client, requests func() []seen) {
	t.Helper()
	var mu sync.Mutex // guards list
	var list []seen
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		list = append(list, seen{
			r.Method + " " + r.URL.RequestURI(), r.Header.Get("Cookie"), r.Header.Get("X-CSRF-Token"),
			r.Header.Get("Idempotency-Key"), r.Header.Get("Content-Type"), string(b),
		})
		mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return client.New(client.Entry(s.URL+"/"), s.Client().Transport), func() []seen {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(list)
	}
}

// identity opens and ends sessions as the service of that name does, and answers everything else with an order.
func identity(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "POST " + client.UsersPath, "POST " + client.SessionsPath:
		http.SetCookie(w, &http.Cookie{Name: "kreislauf_session", Value: "s1", Path: "/", HttpOnly: true})
		http.SetCookie(w, &http.Cookie{Name: "kreislauf_csrf", Value: "c1", Path: "/"})
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"user_id":"u-1","email":"a@example.org","name":"Anna","role":"customer"}`)
	case "DELETE " + client.SessionPath:
		http.SetCookie(w, &http.Cookie{Name: "kreislauf_session", Path: "/", MaxAge: -1})
		http.SetCookie(w, &http.Cookie{Name: "kreislauf_csrf", Path: "/", MaxAge: -1})
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Idempotency-Replayed", "true")
		_, _ = io.WriteString(w, `{"order_id":"o-1","state":"matched","history":[{"state":"placed","at":"2026-03-01T12:00:00Z"}]}`)
	}
}

func TestASessionFromSignUpToSignOut(t *testing.T) {
	c, requests := serve(t, identity)
	ctx := t.Context()
	u, err := c.SignUp(ctx, client.Account{Key: "key-12345", Email: "a@example.org", Password: "correct horse", Name: "Anna"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(client.User{ID: "u-1", Email: "a@example.org", Name: "Anna", Role: "customer"}, u); d != "" {
		t.Errorf("user (-want +got):\n%s", d)
	}
	o, err := c.Place(ctx, client.NewOrder{Key: "key-67890", Quote: "q1", Address: client.Address{Name: "Anna", Street: "Weg 1", City: "Ulm"}})
	if err != nil {
		t.Fatal(err)
	}
	placed := client.Step{State: "placed", At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	want := client.Order{ID: "o-1", State: "matched", Replayed: true, History: []client.Step{placed}}
	if d := cmp.Diff(want, o); d != "" {
		t.Errorf("order (-want +got):\n%s", d)
	}
	if _, err := c.Order(ctx, o.ID); err != nil {
		t.Fatal(err)
	}
	if err := c.SignOut(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Order(ctx, o.ID); err != nil {
		t.Fatal(err)
	}
	const both = "kreislauf_session=s1; kreislauf_csrf=c1"
	wantSeen := []seen{
		{
			"POST " + client.UsersPath, "", "", "key-12345", "application/json",
			`{"email":"a@example.org","password":"correct horse","name":"Anna"}`,
		},
		{
			"POST " + client.OrdersPath, both, "c1", "key-67890", "application/json",
			`{"quote":"q1","address":{"name":"Anna","street":"Weg 1","city":"Ulm"},"public_ground":false}`,
		},
		{"GET " + client.OrdersPath + "/o-1", both, "", "", "", ""},
		{"DELETE " + client.SessionPath, both, "c1", "", "", ""},
		{"GET " + client.OrdersPath + "/o-1", "", "", "", "", ""},
	}
	if d := cmp.Diff(wantSeen, requests()); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
}

func TestKeysAreFresh(t *testing.T) {
	c, requests := serve(t, identity)
	for range 2 {
		if _, err := c.Place(t.Context(), client.NewOrder{Quote: "q1"}); err != nil {
			t.Fatal(err)
		}
	}
	first, second := requests()[0].Key, requests()[1].Key
	if allowed := regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`); !allowed.MatchString(first) || first == second {
		t.Errorf("keys %q and %q", first, second)
	}
}

func TestHeadersOfAPersonAndOfACall(t *testing.T) {
	c, requests := serve(t, identity)
	if _, err := c.SignIn(t.Context(), "a@example.org", "correct horse"); err != nil {
		t.Fatal(err)
	}
	thief := c.With("Cookie", "kreislauf_session=forged").With("X-CSRF-Token", "forged")
	for _, call := range []struct {
		by     *client.Client
		header map[string]string
	}{{thief, nil}, {c, map[string]string{"X-CSRF-Token": "", "Content-Type": "text/plain"}}, {c, nil}} {
		r := client.Call{Method: http.MethodPost, Path: client.EventsPath, Body: client.Raw(`{"type":`), Header: call.header}
		if _, err := call.by.Do(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	const both = "kreislauf_session=s1; kreislauf_csrf=c1"
	want := []seen{
		{"POST " + client.EventsPath, "kreislauf_session=forged", "forged", "", "application/json", `{"type":`},
		{"POST " + client.EventsPath, both, "", "", "text/plain", `{"type":`},
		{"POST " + client.EventsPath, both, "c1", "", "application/json", `{"type":`},
	}
	if d := cmp.Diff(want, requests()[1:]); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
	if got := c.Cookies("identity"); got != both {
		t.Errorf("cookies %q", got)
	}
}

func TestRefusals(t *testing.T) {
	const document = `{"type":"/problems/invalid","title":"The request breaks a rule","status":422,"detail":"Look again.",` +
		`"instance":"/x","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","errors":[{"pointer":"/quote","detail":"ended"}]}`
	for _, tc := range []struct {
		name, mediaType, body string
		status                int
		retryAfter            string
		want                  client.Problem
		says                  string
	}{
		{
			"a problem", "application/problem+json", document, 422, "",
			client.Problem{Body: problem.Body{
				Type: "/problems/invalid", Title: "The request breaks a rule", Status: 422, Detail: "Look again.", Instance: "/x",
				TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", Errors: []problem.Field{{Pointer: "/quote", Detail: "ended"}},
			}},
			"POST /api/order/v1/orders: HTTP 422: Look again. [/quote: ended] (trace 4bf92f3577b34da6a3ce929d0e0e4736)",
		},
		{
			"asks to wait", "application/problem+json; charset=utf-8", `{"detail":"away","status":500}`, 503, "2",
			client.Problem{Body: problem.Body{Status: 503, Detail: "away"}, RetryAfter: 2 * time.Second},
			"POST /api/order/v1/orders: HTTP 503: away",
		},
		{
			"a page of somebody else", "text/html", "<html>" + strings.Repeat("x", 200), 502, "soon",
			client.Problem{Body: problem.Body{Status: 502, Detail: `"<html>` + strings.Repeat("x", 74) + `"`}, Foreign: true},
			`POST /api/order/v1/orders: HTTP 502: "<html>` + strings.Repeat("x", 74) + `"`,
		},
		{
			"a broken problem", "application/problem+json", `{"detail":`, 500, "",
			client.Problem{Body: problem.Body{Status: 500, Detail: `"{\"detail\":"`}, Foreign: true},
			`POST /api/order/v1/orders: HTTP 500: "{\"detail\":"`,
		},
		{
			"a redirect", "", "", 302, "",
			client.Problem{Body: problem.Body{Status: 302, Detail: `""`}, Foreign: true},
			`POST /api/order/v1/orders: HTTP 302: ""`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tc.mediaType)
				if tc.retryAfter != "" {
					w.Header().Set("Retry-After", tc.retryAfter)
				}
				if tc.status == http.StatusFound {
					w.Header().Set("Location", "/elsewhere")
				}
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			})
			_, err := c.Place(t.Context(), client.NewOrder{})
			p, ok := errors.AsType[*client.Problem](err)
			if !ok {
				t.Fatalf("the error is %v", err)
			}
			if d := cmp.Diff(tc.want, *p); d != "" {
				t.Errorf("problem (-want +got):\n%s", d)
			}
			if err.Error() != tc.says {
				t.Errorf("it says %q, want %q", err, tc.says)
			}
			if len(requests()) != 1 {
				t.Errorf("%d requests, want 1", len(requests()))
			}
		})
	}
}

func TestUnreadableAnswers(t *testing.T) {
	for name, body := range map[string]string{"no JSON": "{", "nothing in it": "{}"} {
		t.Run(name, func(t *testing.T) {
			c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
			for call, do := range map[string]func(context.Context) error{
				"sign up": func(ctx context.Context) error { _, err := c.SignUp(ctx, client.Account{}); return err },
				"quote":   func(ctx context.Context) error { _, err := c.Quote(ctx, client.QuoteRequest{}); return err },
				"place":   func(ctx context.Context) error { _, err := c.Place(ctx, client.NewOrder{}); return err },
			} {
				if err := do(t.Context()); !errors.Is(err, client.ErrUnreadable) {
					t.Errorf("%s: the error is %v", call, err)
				}
			}
		})
	}
}

// TestALostAnswerIsNotRepeated: net/http itself would send a POST with an Idempotency-Key again.
func TestALostAnswerIsNotRepeated(t *testing.T) {
	var n atomic.Int32
	c, requests := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
		identity(w, r)
	})
	if _, err := c.Order(t.Context(), "o-1"); err != nil { // so that the connection is in use already
		t.Fatal(err)
	}
	_, err := c.Place(t.Context(), client.NewOrder{})
	if _, refused := errors.AsType[*client.Problem](err); err == nil || refused {
		t.Errorf("the error is %v", err)
	}
	if len(requests()) != 2 {
		t.Errorf("%d requests, want 2", len(requests()))
	}
}

// TestTargets: without an entry, the path says which service is asked.
func TestTargets(t *testing.T) {
	c := client.New(func(service string) string { return "http://" + service + ".example:1" }, nil)
	for path, host := range map[string]string{client.OrdersPath: "order.example:1", client.CatalogPath: "pricing.example:1"} {
		req, err := c.Request(t.Context(), client.Call{Method: http.MethodGet, Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if req.URL.Host != host || req.URL.Path != path {
			t.Errorf("%s is asked at %s", path, req.URL)
		}
	}
	broken := client.Call{Method: http.MethodPost, Path: client.OrdersPath, Body: json.RawMessage("{")}
	if _, err := c.Request(t.Context(), broken); err == nil {
		t.Error("a body that cannot be encoded is sent")
	}
}

func TestQuoteRequestPath(t *testing.T) {
	got := client.QuoteRequest{Postcode: "50667", Waste: "170904", SizeM3: 7, Date: "2026-03-02"}.Path()
	if want := client.QuotesPath + "?date=2026-03-02&postcode=50667&size=7&waste=170904"; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
}
