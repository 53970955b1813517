package httpserver

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/problem"
)

func TestProblems(t *testing.T) {
	f := newFixture(t)
	for _, tc := range []struct {
		name, method, path, body, contentType string
		status                                int
		typ, detail                           string
		fields                                []problem.Field
	}{
		{"unknown route", "GET", "/x", "", "", 404, "not-found", "There is no resource at /x", nil},
		{"wrong method", "PUT", "/silent", "", "", 405, "method-not-allowed", "PUT is not possible here", nil},
		{"panic", "GET", "/panic", "", "", 500, "internal", "quote the trace id", nil},
		{"away", "GET", "/away", "", "", 503, "unavailable", "Try again.", nil},
		{"empty body", "POST", "/api/order/v1/orders", "", "", 400, "malformed", "The body is empty", nil},
		{"cut body", "POST", "/api/order/v1/orders", `{"name":"a`, "", 400, "malformed", "ends too early", nil},
		{"bad syntax", "POST", "/api/order/v1/orders", `{"name":x}`, "", 400, "malformed", "not valid JSON at byte 9", nil},
		{"two values", "POST", "/api/order/v1/orders", `{} {}`, "", 400, "malformed", "more than one JSON value", nil},
		{"rubbish after", "POST", "/api/order/v1/orders", `{}x`, "", 400, "malformed", "more than one JSON value", nil},
		{"not declared", "POST", "/api/order/v1/orders", `{}`, "none", 400, "malformed", "send Content-Type: application/json", nil},
		{"text", "POST", "/api/order/v1/orders", `{}`, "text/plain", 400, "malformed", "send Content-Type: application/json", nil},
		{"not quite", "POST", "/api/order/v1/orders", `{}`, "application/jsonp", 400, "malformed", "send Content-Type: application/json", nil},
		{"form", "POST", "/api/order/v1/orders", `a=b`, "application/x-www-form-urlencoded", 400, "malformed", "send Content-Type: application/json", nil},
		{
			"unknown member", "POST", "/api/order/v1/orders", `{"color":1}`, "application/json; charset=utf-8", 400, "malformed", `unknown member "color"`,
			[]problem.Field{{Pointer: "/color", Detail: `unknown member "color"; leave it out`}},
		},
		{
			"wrong type", "POST", "/api/order/v1/orders", `{"size":"7"}`, "application/json; charset=utf-8", 400, "malformed", "expected int, got string",
			[]problem.Field{{Pointer: "/size", Detail: "expected int, got string"}},
		},
		{"too large", "POST", "/api/order/v1/orders", `{"name":"` + strings.Repeat("x", BodyLimit) + `"}`, "", 413, "too-large", "larger than 65536 bytes", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := call(tc.method, tc.path, tc.body)
			switch tc.contentType {
			case "":
			case "none":
				r.Header.Del("Content-Type")
			default:
				r.Header.Set("Content-Type", tc.contentType)
			}
			w, _, _ := f.serve(t, r)
			var b problem.Body
			if err := json.Unmarshal(w.Body.Bytes(), &b); err != nil {
				t.Fatalf("%v in %s", err, w.Body)
			}
			if w.Code != tc.status || b.Status != tc.status || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("status %d, in the body %d, want %d; headers %v", w.Code, b.Status, tc.status, w.Header())
			}
			if b.Type != "/problems/"+tc.typ || !strings.Contains(b.Detail, tc.detail) || b.Instance != tc.path {
				t.Errorf("body %+v", b)
			}
			if b.TraceID != incoming {
				t.Errorf("trace id %q, want that of the traceparent", b.TraceID)
			}
			if diff := cmp.Diff(tc.fields, b.Errors); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnswerHeaders(t *testing.T) {
	w := httptest.NewRecorder()
	Replayed(w)
	if err := JSON(w, http.StatusCreated, map[string]int{"a": 1}); err != nil {
		t.Fatal(err)
	}
	if w.Code != 201 || w.Body.String() != "{\"a\":1}\n" || w.Header().Get("Cache-Control") != "no-store" ||
		w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Idempotency-Replayed") != "true" {
		t.Errorf("%d %v %q", w.Code, w.Header(), w.Body)
	}
	public := httptest.NewRecorder()
	public.Header().Set("Cache-Control", "public, max-age=60")
	if err := JSON(public, http.StatusOK, 1); err != nil || public.Header().Get("Cache-Control") != "public, max-age=60" {
		t.Errorf("%v %v", err, public.Header())
	}
}

func TestIdempotencyKeyAndVisit(t *testing.T) {
	for value, ok := range map[string]bool{
		"": false, "short": false, "12345678": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "with space": false,
		"a_b-C123": true, "ümlaut12345": false, "12345678\n": false,
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header["Idempotency-Key"] = []string{value}
		got, err := IdempotencyKey(r)
		if (err == nil) != ok || (ok && got != value) || (!ok && problem.KindOf(err) != problem.Malformed) {
			t.Errorf("IdempotencyKey(%q) = %q, %v", value, got, err)
		}
	}
	for id, ok := range map[string]bool{"": true, "v-1": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "a b": false} {
		if err := VisitID("/visit_id", id); (err == nil) != ok {
			t.Errorf("VisitID(%q) = %v", id, err)
		}
	}
}

func TestAnnotateOutsideARequest(t *testing.T) {
	Annotate(t.Context(), "order.id", "o-1")
	Action(t.Context(), "order.placed")
}

// TestBodyOverTheLimitIsAnsweredEarly sends a part of a large body: the answer must come without the rest.
func TestBodyOverTheLimitIsAnsweredEarly(t *testing.T) {
	f := newFixture(t)
	f.http.ReadTimeout = 0 // a server that waits for the rest would wait for ever
	if err := f.Start(func(err error) { t.Error(err) }); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", f.Addr())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "POST /api/order/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n{\"name\":\"%s", 2*BodyLimit, strings.Repeat("x", BodyLimit+1000))
	if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Errorf("no answer: %v", err)
	} else if res.StatusCode != http.StatusRequestEntityTooLarge || !res.Close {
		t.Errorf("status %d, connection ends: %v", res.StatusCode, res.Close)
	}
	if err := errors.Join(c.Close(), f.Stop(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func TestStopFinishesRunningRequests(t *testing.T) {
	f := newFixture(t)
	entered, release := make(chan struct{}), make(chan struct{})
	f.Handle("GET", "/slow", func(w http.ResponseWriter, _ *http.Request) error {
		close(entered)
		<-release
		return JSON(w, http.StatusOK, "done")
	})
	if err := f.Start(func(err error) { t.Error(err) }); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	got := make(chan string, 1)
	go func() {
		res, err := client.Get("http://" + f.Addr() + "/slow")
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		got <- fmt.Sprint(res.StatusCode, " ", string(b), err)
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- f.Stop(context.WithoutCancel(t.Context())) }()
	for { // until new connections are refused
		c, err := net.Dial("tcp", f.Addr())
		if err != nil {
			break
		}
		c.Close()
	}
	close(release)
	if answer := <-got; answer != "200 \"done\"\n<nil>" {
		t.Errorf("the running request got %q", answer)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestStartNamesTheVariable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f := newFixture(t)
	f.opts.Addr = l.Addr().String()
	if err := f.Start(nil); err == nil || !strings.Contains(err.Error(), "KREISLAUF_HTTP_ADDR") {
		t.Errorf("an address in use gives %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"name":"a","size":1}`, `{"name":1}`, `{"x":1}`, `[]`, `{}{}`, `{"name":"`, `nul`, "\xff", `{"list":[{"a":1}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var v struct {
			Name string
			Size int8
			List []struct{ A bool }
		}
		err := Decode(httptest.NewRequest("POST", "/", strings.NewReader(body)), &v)
		if err != nil && problem.KindOf(err) != problem.Malformed {
			t.Errorf("%q gives %v", body, err)
		}
		if err == nil && !json.Valid([]byte(body)) {
			t.Errorf("%q was accepted", body)
		}
	})
}

// TestAllow: a 405 names the methods that the path knows.
func TestAllow(t *testing.T) {
	f := newFixture(t)
	for path, want := range map[string]string{"/api/order/v1/orders": "POST", "/items/7": "GET"} {
		w, _, _ := f.serve(t, call("DELETE", path, ""))
		if got := w.Header().Get("Allow"); w.Code != http.StatusMethodNotAllowed || got != want {
			t.Errorf("DELETE %s: status %d, Allow %q, want %q", path, w.Code, got, want)
		}
	}
}
