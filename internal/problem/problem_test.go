package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKinds(t *testing.T) {
	for kind, want := range map[Kind]struct {
		status int
		typ    string
		retry  string
	}{
		Internal: {500, "/problems/internal", ""}, Malformed: {400, "/problems/malformed", ""}, Invalid: {422, "/problems/invalid", ""},
		Unauthenticated: {401, "/problems/unauthenticated", ""}, Forbidden: {403, "/problems/forbidden", ""},
		NotFound: {404, "/problems/not-found", ""}, Conflict: {409, "/problems/conflict", ""}, TooLarge: {413, "/problems/too-large", ""},
		BadMethod: {405, "/problems/method-not-allowed", ""},
		TooMany:   {429, "/problems/too-many", "1"}, Unavailable: {503, "/problems/unavailable", "1"},
	} {
		w := httptest.NewRecorder()
		err := fmt.Errorf("outer: %w", Wrap(kind, errors.New("secret cause"), "do %d things", 2))
		Write(w, err, "/api/x", "abc")
		var got Body
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Title == "" {
			t.Errorf("kind %d has no title", kind)
		}
		wantBody := Body{Type: want.typ, Title: got.Title, Status: want.status, Detail: "do 2 things", Instance: "/api/x", TraceID: "abc"}
		if diff := cmp.Diff(wantBody, got); diff != "" {
			t.Errorf("body of kind %d (-want +got):\n%s", kind, diff)
		}
		if w.Code != want.status || kind.Status() != want.status || KindOf(err) != kind {
			t.Errorf("kind %d: status %d, %d, kind %d; want %d", kind, w.Code, kind.Status(), KindOf(err), want.status)
		}
		if got := w.Header().Get("Retry-After"); got != want.retry {
			t.Errorf("kind %d: Retry-After %q, want %q", kind, got, want.retry)
		}
		if w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("kind %d: headers %v", kind, w.Header())
		}
		if strings.Contains(w.Body.String(), "secret cause") {
			t.Errorf("the cause is shown: %s", w.Body)
		}
		if !strings.Contains(err.Error(), "secret cause") {
			t.Errorf("the cause is missing in the log text: %v", err)
		}
	}
	if len(table) != int(Unavailable)+1 {
		t.Errorf("the table has %d rows for %d kinds", len(table), int(Unavailable)+1)
	}
}

func TestForeignErrorIsNotShown(t *testing.T) {
	b := BodyOf(errors.New("dial tcp 10.0.0.1: password=x"), "/p", "t")
	if b.Status != 500 || strings.Contains(b.Detail, "password") || b.TraceID != "t" {
		t.Errorf("body %+v", b)
	}
	if KindOf(errors.New("x")) != Internal {
		t.Error("a foreign error is not internal")
	}
}

func TestFields(t *testing.T) {
	err := InvalidField("/size", "%d is too much", 11)
	want := Body{
		Type: "/problems/invalid", Title: "The request breaks a rule", Status: 422, Detail: "11 is too much", Instance: "/p", TraceID: "t",
		Errors: []Field{{Pointer: "/size", Detail: "11 is too much"}},
	}
	if diff := cmp.Diff(want, BodyOf(err, "/p", "t")); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if got, want := err.Error(), "invalid: 11 is too much [/size: 11 is too much]"; got != want {
		t.Errorf("log text %q, want %q", got, want)
	}
}

func TestUnwrap(t *testing.T) {
	cause := errors.New("cause")
	if !errors.Is(Wrap(Conflict, cause, "x"), cause) {
		t.Error("errors.Is does not find the cause")
	}
}
