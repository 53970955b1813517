package authz

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/internal/problem"
)

// registered finds the routes that the services register: calls of a method Handle whose first two arguments are a method and a
// template. A route whose method or template is not written out is an error: nobody could find it.
func registered(t *testing.T) []string {
	t.Helper()
	var list []string
	fset := token.NewFileSet()
	err := filepath.WalkDir("../../services", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "Handle" && sel.Sel.Name != "HandleUpload" || len(call.Args) < 3 {
				return true
			}
			var text [2]string
			for i := range text {
				lit, ok := call.Args[i].(*ast.BasicLit)
				if !ok {
					t.Errorf("%s: write method and template of the route out", fset.Position(call.Pos()))
					return true
				}
				var err error
				if text[i], err = strconv.Unquote(lit.Value); err != nil {
					t.Fatal(err)
				}
			}
			list = append(list, text[0]+" "+text[1])
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// TestTableIsTheRoutes: a route without a row, and a row without a route, is named.
func TestTableIsTheRoutes(t *testing.T) {
	if err := Routes().Check(); err != nil {
		t.Error(err)
	}
	var rows []string
	for _, r := range Routes() {
		rows = append(rows, r.Method+" "+r.Pattern)
		if got, ok := Routes().Lookup(r.Method, r.Pattern); !ok || cmp.Diff(r, got) != "" {
			t.Errorf("Lookup of %s %s: %+v, %v", r.Method, r.Pattern, got, ok)
		}
	}
	slices.Sort(rows)
	routes := registered(t)
	if len(routes) < 10 {
		t.Fatalf("only %d routes were found: the walk is broken", len(routes))
	}
	if diff := cmp.Diff(routes, rows); diff != "" {
		t.Errorf("routes of the services against rows of the table (-route without a row +row without a route):\n%s", diff)
	}
}

// callers has one complete caller a role.
func callers() map[Role]Caller {
	return map[Role]Caller{
		Customer:    {UserID: "u-1", Role: Customer, CompanyID: "c-1"},
		SiteManager: {UserID: "u-1", Role: SiteManager, SiteID: "s-1"},
		Dispatcher:  {UserID: "u-1", Role: Dispatcher, PartnerID: "p-1"},
		Driver:      {UserID: "u-1", Role: Driver, PartnerID: "p-1", DriverID: "d-1"},
		BackOffice:  {UserID: "u-1", Role: BackOffice},
		Ops:         {UserID: "u-1", Role: Ops},
	}
}

// TestMatrix walks every route with every role: what is not written in the row is Forbidden.
func TestMatrix(t *testing.T) {
	for _, r := range Routes() {
		for role, c := range callers() {
			want := Nobody
			for _, g := range r.Grants {
				if g.Scope == Anyone || g.Role == role {
					want = g.Scope
				}
			}
			got, err := r.Decide(c)
			if got != want || (want == Nobody) != (problem.KindOf(err) == problem.Forbidden) || (want != Nobody && err != nil) {
				t.Errorf("%s %s as %s: scope %d, %v; want %d", r.Method, r.Pattern, role, got, err, want)
			}
		}
	}
	for route, roles := range map[string][]Role{
		"POST /api/order/v1/orders":                 {Customer},
		"POST /api/matching/v1/offers/{id}/accept":  {Dispatcher},
		"DELETE /api/identity/v1/sessions/current":  slices.Collect(maps.Keys(callers())),
		"GET /api/order/v1/orders/{id}":             {Customer, SiteManager, BackOffice},
		"POST /api/order/v1/jobs/{id}/plan":         {Dispatcher},
		"POST /api/order/v1/jobs/{id}/weighed":      {Dispatcher, Driver},
		"GET /api/order/v1/orders/{other}":          nil,
		"DELETE /api/order/v1/orders/{id}":          nil,
		"POST /api/matching/v1/offers/{id}/decline": {Dispatcher},
		"DELETE /api/matching/v1/offers/{id}":       nil,
	} {
		method, pattern, _ := strings.Cut(route, " ")
		row, ok := Routes().Lookup(method, pattern)
		if ok != (roles != nil) || row.Public() {
			t.Errorf("%s: row %+v, %v", route, row, ok)
		}
		for role, c := range callers() {
			if _, err := row.Decide(c); (err == nil) != slices.Contains(roles, role) {
				t.Errorf("%s as %s: %v", route, role, err)
			}
		}
	}
}

// TestUnboundSessions: a session that lacks what its role is bound to may do nothing, on public routes too.
func TestUnboundSessions(t *testing.T) {
	for name, c := range map[string]Caller{
		"nobody":                      {},
		"no user":                     {Role: Customer},
		"no role":                     {UserID: "u-1"},
		"unknown role":                {UserID: "u-1", Role: "admin"},
		"old word for a role":         {UserID: "u-1", Role: "partner", PartnerID: "p-1"},
		"site manager without a site": {UserID: "u-1", Role: SiteManager, PartnerID: "p-1"},
		"dispatcher without partner":  {UserID: "u-1", Role: Dispatcher, SiteID: "s-1"},
		"driver without partner":      {UserID: "u-1", Role: Driver, DriverID: "d-1"},
		"driver without driver id":    {UserID: "u-1", Role: Driver, PartnerID: "p-1"},
	} {
		for _, r := range Routes() {
			if got, err := r.Decide(c); got != Nobody || problem.KindOf(err) != problem.Forbidden {
				t.Errorf("%s at %s %s: scope %d, %v", name, r.Method, r.Pattern, got, err)
			}
		}
	}
}

func TestCovers(t *testing.T) {
	mine := Object{UserID: "u-1", SiteID: "s-1", PartnerID: "p-1", DriverID: "d-1"}
	theirs := Object{UserID: "u-2", SiteID: "s-2", PartnerID: "p-2", DriverID: "d-2"}
	for _, tc := range []struct {
		scope  Scope
		role   Role
		object Object
		want   bool
	}{
		{Own, Customer, mine, true},
		{Own, Customer, theirs, false},
		{Own, Customer, Object{UserID: "u-2", SiteID: "s-1", PartnerID: "p-1"}, false},
		{Own, Customer, Object{}, false},
		{Own, Customer, Object{UserID: "u-2", CompanyID: "c-1"}, true}, // a colleague's
		{Own, Customer, Object{UserID: "u-2", CompanyID: "c-2"}, false},
		{Own, Customer, Object{UserID: "u-1", CompanyID: "c-2"}, false}, // what was made for a company that was left
		{Own, Driver, Object{CompanyID: "c-1"}, false},
		{Own, Driver, mine, true},
		{Own, Driver, Object{UserID: "u-1", PartnerID: "p-1", DriverID: "d-2"}, false},
		{Own, Driver, Object{PartnerID: "p-2", DriverID: "d-1"}, false}, // ids of drivers are the partner's
		{Site, SiteManager, mine, true},
		{Site, SiteManager, Object{UserID: "u-1", SiteID: "s-2"}, false},
		{Site, SiteManager, Object{UserID: "u-1"}, false},
		{Partner, Dispatcher, mine, true},
		{Partner, Dispatcher, Object{UserID: "u-1", PartnerID: "p-2"}, false},
		{Partner, Dispatcher, Object{}, false},
		{Tenant, BackOffice, theirs, true},
		{Tenant, Ops, Object{}, true},
		{Nobody, Ops, mine, false},
		{Anyone, Customer, mine, false},
	} {
		if got := tc.scope.Covers(callers()[tc.role], tc.object); got != tc.want {
			t.Errorf("scope %d of %s covers %+v: %v", tc.scope, tc.role, tc.object, got)
		}
	}
	for _, s := range []Scope{Own, Site, Partner} {
		if s.Covers(Caller{Role: Customer}, Object{}) {
			t.Errorf("scope %d: empty ids match", s)
		}
	}
}

func TestCheck(t *testing.T) {
	const path = "/api/order/v1/orders"
	for want, table := range map[string]Table{
		"has two rows":         {{"GET", path, []Grant{{Customer, Own}}}, {"GET", path, []Grant{{Ops, Tenant}}}},
		"is for nobody":        {{"GET", path, nil}},
		`"admin" is no role`:   {{"GET", path, []Grant{{"admin", Tenant}}}},
		`"partner" is no role`: {{"GET", path, []Grant{{"partner", Partner}}}},
		`"" is no role`:        {{"GET", path, []Grant{{Customer, Own}, {Scope: Anyone}}}},
		"names customer twice": {{"GET", path, []Grant{{Customer, Own}, {Customer, Own}}}},
		"gives customer a scope that the role never has":         {{"GET", path, []Grant{{Customer, Tenant}}}},
		"gives driver a scope that the role never has":           {{"GET", path, []Grant{{Driver, Partner}}}},
		"gives dispatcher a scope that the role never has":       {{"GET", path, []Grant{{Dispatcher, Tenant}}}},
		"gives site_manager a scope that the role never has":     {{"GET", path, []Grant{{SiteManager, Partner}}}},
		"gives back_office a scope that the role never has":      {{"GET", path, []Grant{{BackOffice, Anyone}}}},
		"gives ops a scope that the role never has":              {{"GET", path, []Grant{{Ops, Nobody}}}},
		"GET /orders: is no route of a service":                  {{"GET", "/orders", []Grant{{Ops, Tenant}}}},
		"GET /api/order/v1/orders?x: is no route of a service":   {{"GET", path + "?x", []Grant{{Ops, Tenant}}}},
		"POST /api/order/v1/orders: gives customer a scope that": {{"GET", path, []Grant{{Ops, Own}}}, {"POST", path, []Grant{{Customer, Site}}}},
	} {
		if err := table.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", table, err, want)
		}
	}
	two := Table{{"GET", path, nil}, {"PUT", "/x", nil}}
	var joined interface{ Unwrap() []error }
	if err := two.Check(); !errors.As(err, &joined) || len(joined.Unwrap()) != 3 {
		t.Errorf("all mistakes at once: %v", err)
	}
}

func TestParseRole(t *testing.T) {
	for role := range callers() {
		if got, ok := ParseRole(string(role)); got != role || !ok {
			t.Errorf("%s: %s, %v", role, got, ok)
		}
	}
	if got, ok := ParseRole("partner"); got != Dispatcher || !ok {
		t.Errorf("partner: %s, %v", got, ok)
	}
	for _, s := range []string{"", "admin", "Customer", "backoffice"} {
		if _, ok := ParseRole(s); ok {
			t.Errorf("%q is a role", s)
		}
	}
	if len(bound) != len(callers()) {
		t.Errorf("%d roles, %d callers", len(bound), len(callers()))
	}
}
