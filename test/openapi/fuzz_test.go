package openapi_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"kreislauf/internal/authz"
	"kreislauf/internal/client"
	"kreislauf/internal/session"
	"kreislauf/services/identity"
)

var (
	fuzzSeconds = flag.Int("seconds", 0, "how long TestGeneratedRequests asks; 0: one short round")
	fuzzSeed    = flag.Uint64("seed", 1, "of the requests of TestGeneratedRequests")
)

const (
	secret = "Plantgeheim" // stands in everything that anna says of herself
	// perCaller is how many requests a caller sends to an operation in one round; one who may not call it sends one.
	perCaller = 5
)

// TestGeneratedRequests sends generated requests to every operation as everybody: no answer is a fault of the server, each fits its
// document, each refusal is a problem, and nobody sees or changes what is anna's.
func TestGeneratedRequests(t *testing.T) {
	p := startPlatform(t)
	f := fuzz{platform: p, t: t, problem: vocabulary(t).model.Components.Schemas.GetOrZero("Problem").Schema(), statuses: map[int]int{}, done: map[string]int{}, kept: map[string]bool{}}
	f.check = schema_validation.NewSchemaValidator(config.WithFormatAssertions())
	c := newCast(t, p)
	f.plant(c)
	end := time.Now().Add(time.Duration(*fuzzSeconds) * time.Second)
	for round := uint64(0); round == 0 || time.Now().Before(end) && !t.Failed(); round++ {
		f.generator = &generator{rand.New(rand.NewPCG(*fuzzSeed, round)), f.known, f.named}
		before := f.seenByAnna(c)
		f.round(f.strangers)
		if after := f.seenByAnna(c); before != after {
			t.Errorf("seed %d, round %d: somebody has changed what is anna's:\n%s\n%s", *fuzzSeed, round, before, after)
		}
		f.round(f.insiders)
	}
	t.Logf("seed %d: statuses %v; operations that have done what was asked for %v", *fuzzSeed, f.statuses, slices.Sorted(maps.Keys(f.done)))
	if f.statuses[200] == 0 || f.statuses[422] == 0 || f.statuses[403] == 0 || f.statuses[404] == 0 {
		t.Errorf("the requests are not what they should be: %v", f.statuses)
	}
}

// caller is somebody with a session that the test makes.
type caller struct {
	name    string
	session session.Session // without a role: nobody
	insider bool            // may see what is anna's
}

// strangers have nothing to do with anna, her orders and her partner.
func strangers() []caller {
	list := []caller{{name: "nobody"}}
	for _, role := range []authz.Role{authz.Customer, authz.SiteManager, authz.Dispatcher, authz.Driver} {
		list = append(list, caller{name: "a strange " + string(role), session: session.Session{
			Role: string(role), SiteID: "s-strange", PartnerID: "p-next", DriverID: "d-strange",
		}})
	}
	return list
}

func insiders() []caller {
	in := func(role authz.Role) caller {
		return caller{string(role), session.Session{
			Role: string(role), PartnerID: "p-auto", DriverID: "d-1",
		}, true}
	}
	byHand := in(authz.Dispatcher)
	byHand.name, byHand.session.PartnerID = "dispatcher by hand", "p-hand"
	return []caller{in(authz.Dispatcher), byHand, in(authz.Driver), in(authz.BackOffice), in(authz.Ops)}
}

type fuzz struct {
	*platform
	*generator
	t       *testing.T
	problem *base.Schema
	check   schema_validation.SchemaValidator
	known   []string // ids of what is anna's, and a few more
	hidden  []string // texts that no stranger may see, unless they said them
	order   string
	named   map[string][]string

	strangers, insiders []caller
	statuses            map[int]int
	done                map[string]int  // operation -> answers of 2xx
	kept                map[string]bool // user and hidden text that it has stored itself
}

// plant has anna order twice, and one of the orders lead to its invoice; and another customer order, too.
func (f *fuzz) plant(c cast) {
	t, p := f.t, f.platform
	another := f.account(caller{name: "another customer", session: session.Session{Role: string(authz.Customer)}})
	f.strangers = []caller{another}
	for _, who := range strangers() {
		f.strangers = append(f.strangers, f.account(who))
	}
	for _, who := range insiders() {
		f.insiders = append(f.insiders, f.account(who))
	}
	place := func(who *client.Client, name, postcode string) string {
		body := p.newOrder(t, postcode, "170904")
		body["address"] = with(with(body["address"].(map[string]any), "name", name+" Person"), "street", name+"weg 1")
		return p.send(t, exchange{who: who, method: "POST", path: orders, header: key(), body: body, status: 201})["order_id"].(string)
	}
	matched := func(id string) string {
		p.poll(t, c.anna, orders+"/"+id, func(o map[string]any) bool { return o["state"] == "matched" })
		return id
	}
	first, second := matched(place(c.anna, secret, "50667")), matched(place(c.anna, secret, "50667"))
	for _, e := range steps(second, c) {
		if e.status == 0 && e.who == c.auto && slices.Contains([]string{"on-site", "collected", "weighed"}, e.path[strings.LastIndex(e.path, "/")+1:]) {
			e.status = 200
			if strings.HasSuffix(e.path, "/weighed") {
				e.body = with(e.body.(map[string]any), "confirmed", true) // 3 m³ seldom weigh as much
			}
			p.send(t, e)
		}
	}
	number := func(who *client.Client, path, list string) (n string) {
		p.poll(t, who, path, func(a map[string]any) bool {
			if found := a[list].([]any); len(found) > 0 {
				n = found[0].(map[string]any)["number"].(string)
			}
			return n != ""
		})
		return n
	}
	invoice, credit := number(c.anna, invoices, "invoices"), number(c.auto, creditNotes, "credit_notes")
	ids := []string{first, second}
	other := f.person(another)
	for _, postcode := range []string{"50667", "10115", "10115", "50667"} { // those of 10115 are offered to p-hand, which answers by hand
		ids = append(ids, place(other, "Andrea", postcode))
	}
	site := p.send(t, exchange{who: c.anna, method: "POST", path: sites, header: key(), status: 201, body: map[string]any{
		"name": secret, "street": secret + "weg 1", "postcode": "50667", "city": "Köln", "access": secret, "contact": secret, "phone": "0170 1234567", "active": true,
	}})["site_id"].(string)
	f.order = first
	f.hidden = []string{secret, "anna@example.org", first, second, invoice, site}
	f.known = []string{first, second, first, second, invoice, "p-auto", "p-next", "d-1", "anna@example.org"}
	quote := p.newOrder(t, "50667", "170904")["quote"].(string)
	f.named = map[string][]string{
		"orders": ids, "jobs": ids, "offers": ids, "matches": ids, "order_id": ids, "invoices": {invoice}, "number": {invoice}, "invoice": {invoice}, "credit-notes": {credit},
		"partners": {"p-auto", "p-hand"}, "partner_id": {"p-auto", "p-hand", "p-next"}, "driver_id": {"d-1"}, "sites": {site}, "site_id": {site}, "quote": {quote}, "date": {p.earliest(t, "50667")},
	}
}

// account signs somebody up.
func (f *fuzz) account(who caller) caller {
	s := &who.session
	if s.Role == "" {
		return who
	}
	s.Name, s.Email = "Somebody", strings.ReplaceAll(who.name, " ", ".")+"@example.org"
	body := signUp("email", s.Email)
	if role := authz.Role(s.Role); role != authz.Customer {
		i := identity.Invite{Role: role}
		switch role {
		case authz.SiteManager:
			i.SiteID = s.SiteID
		case authz.Dispatcher:
			i.PartnerID = s.PartnerID
		case authz.Driver:
			i.PartnerID, i.DriverID = s.PartnerID, s.DriverID
		}
		body["invite"] = f.invite(f.t, i)
	}
	s.UserID = f.send(f.t, exchange{method: "POST", path: users, header: key(), body: body, status: 201})["user_id"].(string)
	return who
}

// seenByAnna is all that anna sees of her orders and invoices.
func (f *fuzz) seenByAnna(c cast) string {
	var b strings.Builder
	for _, path := range []string{orders, orders + "/" + f.order, invoices, sites} {
		a, err := c.anna.Do(f.t.Context(), client.Call{Method: http.MethodGet, Path: path})
		if err != nil || a.Status != http.StatusOK {
			f.t.Fatalf("anna reads %s: %d, %v", path, a.Status, err)
		}
		b.Write(a.Body)
	}
	return b.String()
}

// round asks every operation as every caller.
func (f *fuzz) round(callers []caller) {
	for _, who := range callers {
		person := f.person(who)
		for _, service := range slices.Sorted(maps.Keys(f.docs)) {
			doc := f.docs[service]
			ops := doc.operations()
			for _, at := range slices.SortedFunc(maps.Keys(ops), func(a, b operation) int { return cmp.Compare(a.path+a.method, b.path+b.method) }) {
				if who.session.Role != "" {
					a, err := person.Do(f.t.Context(), client.Call{Method: http.MethodGet, Path: current})
					if err != nil || a.Status != http.StatusOK {
						person = f.person(who) // the session was ended, as was asked for
					}
				}
				var shared []*v3.Parameter
				if item := doc.model.Paths.PathItems.GetOrZero(at.path); item != nil {
					shared = item.Parameters
				}
				n := perCaller
				row, _ := authz.Routes().Lookup(strings.ToUpper(at.method), at.path)
				if _, err := row.Decide(who.session.Caller()); err != nil && !row.Public() {
					n = 1
				}
				for range n {
					if who.session.Role == "" {
						person = f.newPerson() // may have signed in with a good example
					}
					call, plain := f.generator.call(at, ops[at], shared)
					f.ask(who, person, doc, at, call, plain)
				}
			}
		}
	}
}

func (f *fuzz) person(who caller) *client.Client {
	if who.session.Role == "" {
		return f.newPerson()
	}
	token, csrf := f.b.Session(f.t, who.session)
	return f.newPerson().With("Cookie", session.Cookie+"="+token).With(session.CSRFHeader, csrf)
}

// ask sends one request and looks at the answer.
func (f *fuzz) ask(who caller, person *client.Client, doc document, at operation, call client.Call, plain bool) {
	t := f.t
	body, _ := call.Body.(client.Raw)
	told := fmt.Sprintf("seed %d: %s: %s %s %v %.300q", *fuzzSeed, who.name, call.Method, call.Path, call.Header, body)
	a, err := person.Do(t.Context(), call)
	for try := 0; err == nil && a.Status == http.StatusServiceUnavailable && try < 3; try++ { // a machine that is too busy is no fault
		a, err = person.Do(t.Context(), call)
	}
	if err != nil {
		t.Errorf("%s: %v", told, err)
		return
	}
	f.statuses[a.Status]++
	if a.Status < 300 {
		f.done[at.method+" "+at.path]++
	}
	if a.Status >= 500 {
		t.Errorf("%s: %d %s", told, a.Status, a.Body)
		return
	}
	if a.Status >= 400 {
		f.refusal(told, a)
	}
	if plain {
		req, err := person.Request(t.Context(), call)
		if err != nil {
			t.Errorf("%s: %v", told, err)
			return
		}
		if found, ok := doc.find(at.method, req.URL.Path); ok && found == at {
			res := &http.Response{StatusCode: a.Status, Header: a.Header, Body: io.NopCloser(bytes.NewReader(a.Body))}
			if ok, errs := doc.check.ValidateHttpResponse(req, res); !ok {
				report(t, fmt.Sprintf("%s: answer %d %.300s", told, a.Status, a.Body), errs)
			}
		}
	}
	if who.insider {
		return
	}
	path, err := url.PathUnescape(call.Path)
	if err != nil {
		t.Errorf("%s: %v", told, err)
	}
	said := path + string(body)
	for _, h := range f.hidden {
		kept := who.session.UserID + " " + h
		if strings.Contains(said, h) && call.Method != http.MethodGet && a.Status < 300 {
			f.kept[kept] = true // its own draft, say, has that id now
		}
		if strings.Contains(string(a.Body), h) && !strings.Contains(said, h) && !f.kept[kept] {
			t.Errorf("%s: the answer shows %q, which is anna's: %s", told, h, a.Body)
		}
	}
}

// refusal holds the body of a refusal against the schema of problems.
func (f *fuzz) refusal(told string, a client.Answer) {
	if ct := a.Header.Get("Content-Type"); ct != "application/problem+json" {
		f.t.Errorf("%s: %d with Content-Type %q, and no problem: %s", told, a.Status, ct, a.Body)
		return
	}
	var p struct {
		Status int `json:"status"`
	}
	if err := json.Unmarshal(a.Body, &p); err != nil || p.Status != a.Status {
		f.t.Errorf("%s: %d with the problem %s", told, a.Status, a.Body)
	}
	if ok, errs := f.check.ValidateSchemaBytesWithVersion(f.problem, a.Body, 3.1); !ok {
		report(f.t, told+": "+string(a.Body), errs)
	}
}
