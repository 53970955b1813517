package session

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/authz"
	"kreislauf/internal/problem"
)

// guarded is a table with a route for each kind of row.
func guarded() authz.Table {
	return authz.Table{
		{Method: "GET", Pattern: "/api/order/v1/public", Grants: []authz.Grant{{Scope: authz.Anyone}}},
		{Method: "GET", Pattern: "/api/order/v1/orders", Grants: []authz.Grant{
			{Role: authz.Customer, Scope: authz.Own}, {Role: authz.SiteManager, Scope: authz.Site}, {Role: authz.BackOffice, Scope: authz.Tenant},
		}},
		{Method: "POST", Pattern: "/api/order/v1/orders", Grants: []authz.Grant{{Role: authz.Customer, Scope: authz.Own}}},
		{Method: "GET", Pattern: "/api/order/v1/trips", Grants: []authz.Grant{
			{Role: authz.Dispatcher, Scope: authz.Partner}, {Role: authz.Driver, Scope: authz.Own},
		}},
	}
}

// answer calls a guarded route with a token and says with which scope the handler ran.
func answer(t *testing.T, s *Store, method, pattern, token, csrf string) (caller Session, ran bool, err error) {
	t.Helper()
	h := s.Guard(guarded(), method, pattern, func(_ http.ResponseWriter, _ *http.Request, c Session) error {
		caller, ran = c, true
		return nil
	})
	r := httptest.NewRequest(method, pattern, nil)
	if token != "" {
		r.AddCookie(&http.Cookie{Name: Cookie, Value: token})
		r.Header.Set(CSRFHeader, csrf)
	}
	err = h(httptest.NewRecorder(), r)
	return caller, ran, err
}

func TestGuard(t *testing.T) {
	f := newFixture(t, server(t))
	ready(t, f.Store)
	mine := authz.Object{UserID: "u-1", SiteID: "s-1", PartnerID: "p-1", DriverID: "d-1"}
	theirs := authz.Object{UserID: "u-2", SiteID: "s-2", PartnerID: "p-2", DriverID: "d-2"}
	const orders, trips = "GET /api/order/v1/orders", "GET /api/order/v1/trips"
	for name, tc := range map[string]struct {
		session Session
		want    map[string]authz.Scope // what is missing is Forbidden
	}{
		"customer":     {Session{Role: "customer"}, map[string]authz.Scope{orders: authz.Own, "POST /api/order/v1/orders": authz.Own}},
		"site manager": {Session{Role: "site_manager", SiteID: "s-1"}, map[string]authz.Scope{orders: authz.Site}},
		"back office":  {Session{Role: "back_office"}, map[string]authz.Scope{orders: authz.Tenant}},
		"dispatcher":   {Session{Role: "dispatcher", PartnerID: "p-1"}, map[string]authz.Scope{trips: authz.Partner}},
		"driver":       {Session{Role: "driver", PartnerID: "p-1", DriverID: "d-1"}, map[string]authz.Scope{trips: authz.Own}},
		"ops":          {Session{Role: "ops"}, nil},
		"unbound":      {Session{Role: "driver", PartnerID: "p-1"}, nil},
		"unknown":      {Session{Role: "admin", PartnerID: "p-1"}, nil},
	} {
		sess := tc.session
		sess.UserID = "u-1"
		token, err := f.Create(t.Context(), &sess)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range guarded() {
			if row.Public() {
				continue
			}
			caller, ran, err := answer(t, f.Store, row.Method, row.Pattern, token, sess.CSRF)
			want, allowed := tc.want[row.Method+" "+row.Pattern]
			if ran != allowed || caller.Scope != want || (!allowed && problem.KindOf(err) != problem.Forbidden) || (allowed && err != nil) {
				t.Errorf("%s at %s %s: ran %v with scope %d, %v", name, row.Method, row.Pattern, ran, caller.Scope, err)
			}
			if allowed && (caller.UserID != "u-1" || !caller.Covers(mine) || caller.Covers(theirs) != (want == authz.Tenant)) {
				t.Errorf("%s at %s %s: caller %+v", name, row.Method, row.Pattern, caller)
			}
		}
		if tc.want["POST /api/order/v1/orders"] != authz.Nobody {
			if _, ran, err := answer(t, f.Store, "POST", "/api/order/v1/orders", token, "wrong"); ran || problem.KindOf(err) != problem.Forbidden {
				t.Errorf("%s without CSRF token: ran %v, %v", name, ran, err)
			}
		}
	}
	if _, ran, err := answer(t, f.Store, "GET", "/api/order/v1/orders", "", ""); ran || problem.KindOf(err) != problem.Unauthenticated {
		t.Errorf("nobody: ran %v, %v", ran, err)
	}
	caller, ran, err := answer(t, nil, "GET", "/api/order/v1/public", "", "")
	if !ran || err != nil || caller != (Session{Scope: authz.Anyone}) {
		t.Errorf("public, without sessions: ran %v as %+v, %v", ran, caller, err)
	}
}

func TestGuardRefusesToBuild(t *testing.T) {
	f := newFixture(t, freeAddr(t))
	for name, tc := range map[string]struct {
		store           *Store
		method, pattern string
		want            string
	}{
		"no row":      {f.Store, "GET", "/api/order/v1/secrets", "GET /api/order/v1/secrets has no row"},
		"no method":   {f.Store, "DELETE", "/api/order/v1/orders", "DELETE /api/order/v1/orders has no row"},
		"no sessions": {nil, "GET", "/api/order/v1/orders", "needs sessions"},
	} {
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, tc.want) {
					t.Errorf("%s: %s", name, p)
				}
			}()
			tc.store.Guard(guarded(), tc.method, tc.pattern, nil)
		}()
	}
}

// TestEarlierRecords: sessions that began before there were roles beyond customer and partner go on.
func TestEarlierRecords(t *testing.T) {
	f := newFixture(t, server(t))
	ready(t, f.Store)
	began := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	for name, tc := range map[string]struct {
		record  string
		want    authz.Caller
		allowed string
	}{
		"customer": {
			`{"user_id":"u-1","email":"erika@example.org","name":"Erika Müller","role":"customer","csrf":"c","created_at":"` + began + `"}`,
			authz.Caller{UserID: "u-1", Role: authz.Customer},
			"/api/order/v1/orders",
		},
		"partner": {
			`{"user_id":"u-2","email":"hof@example.org","name":"Hof","role":"partner","partner_id":"p-1","csrf":"c",` +
				`"created_at":"` + began + `"}`,
			authz.Caller{UserID: "u-2", Role: authz.Dispatcher, PartnerID: "p-1"},
			"/api/order/v1/trips",
		},
	} {
		if err := f.raw.Set(t.Context(), f.key(name), tc.record, TTL).Err(); err != nil {
			t.Fatal(err)
		}
		sess, err := f.Get(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, sess.Caller()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if list, err := f.List(t.Context(), sess.UserID); err != nil || len(list) != 1 || list[0].ID != ID(name) || !list[0].Listed {
			t.Errorf("%s is in the list of its user after its first use: %+v, %v", name, list, err)
		}
		for _, pattern := range []string{"/api/order/v1/orders", "/api/order/v1/trips"} {
			if _, ran, err := answer(t, f.Store, "GET", pattern, name, "c"); ran != (pattern == tc.allowed) {
				t.Errorf("%s at %s: ran %v, %v", name, pattern, ran, err)
			}
		}
	}
}
