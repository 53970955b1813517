// Package authz owns who may call which route, and whose objects the call may touch: the roles, the scopes, and the one table of all
// routes (Routes). It is pure: who the caller is comes from internal/session, whose an object is comes from the service that owns it.
//
// Invariants: a route is served only if the table has a row for it; a role that a row does not name is refused; a caller whose session
// lacks what its role is bound to (a driver without a driver id) is refused everywhere; no row can give a role more than the widest scope
// of that role (Table.Check). A test compares the table with the routes that the services register, both ways.
//
// Not guaranteed: a handler that reads an object without asking Scope.Covers, or without narrowing its query to the scope, shows
// it to whoever may call the route.
package authz

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"kreislauf/internal/problem"
)

// Role is what an account is for. It stands in sessions, events and audit entries, so the words never change.
type Role string

// The roles.
const (
	Customer    Role = "customer"     // orders for itself or its company
	SiteManager Role = "site_manager" // looks after one site of a customer
	Dispatcher  Role = "dispatcher"   // takes offers and plans trips for one disposal partner
	Driver      Role = "driver"       // drives for one disposal partner
	BackOffice  Role = "back_office"  // corrects and decides, for the whole tenant, with reasons
	Ops         Role = "ops"          // runs the platform: replays, reconciles, exports
)

// bound says for each role what its sessions must hold, and the widest scope that a row may give it.
var bound = map[Role]struct {
	to     func(Caller) bool
	widest Scope
}{
	Customer:    {func(Caller) bool { return true }, Own},
	SiteManager: {func(c Caller) bool { return c.SiteID != "" }, Site},
	Dispatcher:  {func(c Caller) bool { return c.PartnerID != "" }, Partner},
	Driver:      {func(c Caller) bool { return c.PartnerID != "" && c.DriverID != "" }, Own},
	BackOffice:  {func(Caller) bool { return true }, Tenant},
	Ops:         {func(Caller) bool { return true }, Tenant},
}

// ParseRole reads the role of an account or a session. "partner" is what accounts of partners had before there were drivers: a dispatcher.
func ParseRole(s string) (Role, bool) {
	if s == "partner" {
		return Dispatcher, true
	}
	_, ok := bound[Role(s)]
	return Role(s), ok
}

// Scope says whose objects a call may touch. The zero value is nobody's.
type Scope uint8

// The scopes.
const (
	Nobody  Scope = iota
	Anyone        // no session is asked for, and there is no caller
	Own           // the caller's own: what its user owns and no company, of a company's customer what the company owns; of a driver, what is assigned to it
	Site          // of the caller's site
	Partner       // of the caller's partner
	Tenant        // all of the tenant
)

// Caller is what a session says of who calls.
type Caller struct {
	UserID                      string
	Role                        Role
	CompanyID                   string // of a customer who orders for a company; empty of a private one
	SiteID, PartnerID, DriverID string // empty unless the role is bound to one
}

// Complete says whether the caller has all that its role is bound to: a driver its partner and its driver id.
func (c Caller) Complete() bool {
	b, known := bound[c.Role]
	return known && b.to(c) && c.UserID != ""
}

// Object is what a service knows of whose an object is; what does not apply stays empty.
type Object struct{ UserID, CompanyID, SiteID, PartnerID, DriverID string }

// Covers says whether a call with this scope may touch an object. An empty id is nobody's: it never matches.
func (s Scope) Covers(c Caller, o Object) bool {
	same := func(a, b string) bool { return a != "" && a == b }
	switch {
	case s == Own && c.Role == Driver:
		return same(c.PartnerID, o.PartnerID) && same(c.DriverID, o.DriverID)
	case s == Own:
		if o.CompanyID != "" { // what a member made for the company stays the company's when the member leaves
			return c.Role == Customer && same(c.CompanyID, o.CompanyID)
		}
		return same(c.UserID, o.UserID)
	case s == Site:
		return same(c.SiteID, o.SiteID)
	case s == Partner:
		return same(c.PartnerID, o.PartnerID)
	}
	return s == Tenant
}

// Grant gives a role a scope.
type Grant struct {
	Role  Role // empty with Anyone
	Scope Scope
}

// Row is one route.
type Row struct {
	Method  string
	Pattern string // template of the router: "/api/order/v1/orders/{id}"
	Grants  []Grant
}

// Public says that the route asks for no session.
func (r Row) Public() bool { return len(r.Grants) == 1 && r.Grants[0] == Grant{Scope: Anyone} }

// Decide gives the scope of a signed-in caller. The error is Forbidden.
func (r Row) Decide(c Caller) (Scope, error) {
	if !c.Complete() {
		return Nobody, problem.New(problem.Forbidden, "Your session is not complete for the role %s; sign in again.", c.Role)
	}
	for _, g := range r.Grants {
		if g.Role == c.Role || g.Scope == Anyone {
			return g.Scope, nil
		}
	}
	return Nobody, problem.New(problem.Forbidden, "This is not for the role %s.", c.Role)
}

// Table is a set of routes.
type Table []Row

// Lookup finds the row of a route.
func (t Table) Lookup(method, pattern string) (Row, bool) {
	i := slices.IndexFunc(t, func(r Row) bool { return r.Method == method && r.Pattern == pattern })
	if i < 0 {
		return Row{}, false
	}
	return t[i], true
}

var patternPattern = regexp.MustCompile(`^/api/[a-z]+/v[0-9]+/[A-Za-z0-9_{}/-]+$`)

// Check reports what is wrong with the table itself.
func (t Table) Check() error {
	var errs []error
	seen := map[string]bool{}
	for _, r := range t {
		name := r.Method + " " + r.Pattern
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
		}
		if seen[name] {
			bad("has two rows")
		}
		seen[name] = true
		if !patternPattern.MatchString(r.Pattern) {
			bad("is no route of a service")
		}
		if len(r.Grants) == 0 {
			bad("is for nobody")
		}
		roles := map[Role]bool{}
		for _, g := range r.Grants {
			b, known := bound[g.Role]
			switch {
			case r.Public():
			case !known:
				bad("%q is no role", g.Role)
			case roles[g.Role]:
				bad("names %s twice", g.Role)
			case g.Scope != Own && g.Scope != b.widest:
				bad("gives %s a scope that the role never has", g.Role)
			}
			roles[g.Role] = true
		}
	}
	return errors.Join(errs...)
}
