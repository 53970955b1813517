package openapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"kreislauf/internal/authz"
	"kreislauf/internal/client"
)

// reading is a route that only reads and needs a session, with what its document gives as example in place of its parameters.
type reading struct {
	authz.Row
	path  string
	named bool // the path names one object
}

// readings follow from the table of routes and the documents, so those of a new service are among them.
func (p *platform) readings(t *testing.T) []reading {
	t.Helper()
	var list []reading
	for _, row := range authz.Routes() {
		if row.Method != http.MethodGet || row.Public() {
			continue
		}
		op, documented := p.docs[strings.Split(row.Pattern, "/")[2]].operations()[operation{"get", row.Pattern}]
		if !documented {
			t.Fatalf("%s is in no document", row.Pattern)
		}
		r, query := reading{Row: row, path: row.Pattern}, url.Values{}
		for _, param := range op.Parameters {
			switch {
			case param.In == "path":
				r.path, r.named = strings.ReplaceAll(r.path, "{"+param.Name+"}", param.Example.Value), true
			case param.In == "query" && param.Required != nil && *param.Required:
				query.Set(param.Name, param.Example.Value)
			}
		}
		if len(query) > 0 {
			r.path += "?" + query.Encode()
		}
		list = append(list, r)
	}
	return list
}

// player is one of the cast, with what the table of routes asks about.
type player struct {
	name   string
	who    *client.Client
	caller authz.Caller
}

func (c cast) players() []player {
	return []player{
		{"a customer", c.anna, authz.Caller{UserID: "u", Role: authz.Customer}},
		{"a dispatcher", c.auto, authz.Caller{UserID: "u", Role: authz.Dispatcher, PartnerID: "p-auto"}},
		{"a driver", c.driver, authz.Caller{UserID: "u", Role: authz.Driver, PartnerID: "p-hand", DriverID: "d-1"}},
		{"the back office", c.office, authz.Caller{UserID: "u", Role: authz.BackOffice}},
	}
}

// roles asks each reading as nobody and as each player: who may ask is answered, and the object of an example is nobody's.
func (p *platform) roles(t *testing.T, c cast) []exchange {
	t.Helper()
	var list []exchange
	for _, r := range p.readings(t) {
		list = append(list, exchange{name: "nobody " + r.Pattern, method: r.Method, path: r.path, status: 401, breaks: true})
		for _, player := range c.players() {
			e := exchange{name: player.name + " " + r.Pattern, who: player.who, method: r.Method, path: r.path, status: 200}
			if _, err := r.Decide(player.caller); err != nil {
				e.status = 403
			} else if r.named {
				e.status = 404
			}
			list = append(list, e)
		}
	}
	return list
}

// sessionsAway asks each reading while the sessions cannot be read.
func (p *platform) sessionsAway(t *testing.T, c cast) []exchange {
	t.Helper()
	var list []exchange
	for _, r := range p.readings(t) {
		list = append(list, exchange{name: r.Pattern, who: c.anna, method: r.Method, path: r.path, status: 503})
	}
	return list
}
