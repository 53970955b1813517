package identity

import (
	"slices"
	"strings"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/authz"
	"kreislauf/internal/event"
	"kreislauf/internal/problem"
	"kreislauf/internal/signed"
)

// DemoEnv is the only environment in which there are demo people. Everywhere else their route does not exist, and no account of one is made.
const DemoEnv = "local"

// DemoPerson is somebody as whom one can look at a platform on one machine without signing up. The account is made when its link is first used.
type DemoPerson struct {
	As       string // "company" for the administrator of a company, else the role
	Name     string
	role     authz.Role
	company  *Details
	partner  bool // it works for a partner
	asDriver bool
}

// DemoPeople lists them, one for each kind of account. There is no site manager: a site is a customer's.
func DemoPeople() []DemoPerson {
	bau := Details{"Muster Bau GmbH", "Musterstraße 12", "10115", "Berlin", "rechnung@musterbau.example", "DE136695976"}
	return []DemoPerson{
		{As: "customer", Name: "Erika Muster", role: authz.Customer},
		{As: "company", Name: "Karim Bauer", role: authz.Customer, company: &bau},
		{As: "dispatcher", Name: "Dana Disponentin", role: authz.Dispatcher, partner: true},
		{As: "driver", Name: "Fred Fahrer", role: authz.Driver, partner: true, asDriver: true},
		{As: "back_office", Name: "Berta Büro", role: authz.BackOffice},
		{As: "ops", Name: "Otto Betrieb", role: authz.Ops},
	}
}

const demoKind = "d1"

// demoCode is what a link to be signed in as a demo person holds.
type demoCode struct {
	As      string `json:"as"`
	Partner string `json:"p,omitempty"`
	Driver  string `json:"d,omitempty"`
	Until   int64  `json:"until"` // seconds since 1970
}

// SealDemo makes the code of a link that signs in as a demo person until a time; partner and driver are for whom people of partners work.
func SealDemo(key []byte, who DemoPerson, partner, driver string, until time.Time) (string, error) {
	c := demoCode{As: who.As, Until: until.Unix()}
	if who.partner {
		c.Partner = partner
	}
	if who.asDriver {
		c.Driver = driver
	}
	return signed.Seal(key, demoKind, c)
}

// openDemo reads a code, and makes the account that it is for. The account may be there already, by its address.
func openDemo(key []byte, code string, meta event.Meta) (User, error) {
	var c demoCode
	if err := signed.Open(key, demoKind, code, &c); err != nil || meta.At.Unix() > c.Until {
		return User{}, problem.InvalidField("/code", "the link has ended, or is of another platform; `kreislauf demo` prints new ones")
	}
	people := DemoPeople()
	i := slices.IndexFunc(people, func(p DemoPerson) bool { return p.As == c.As })
	if i < 0 {
		return User{}, problem.InvalidField("/code", "the link is of another version; `kreislauf demo` prints new ones")
	}
	who := people[i]
	name := strings.ReplaceAll(who.As, "_", "-")
	for _, id := range []string{c.Partner, c.Driver} {
		if id != "" {
			name += "." + id
		}
	}
	u := User{
		Root: aggregate.New(event.NewID("u")), Email: name + "@demo.example", Name: who.Name, Role: string(who.role), PartnerID: c.Partner, DriverID: c.Driver,
		CreatedAt: meta.At,
	}
	if who.company != nil {
		if err := u.found(*who.company, meta.At); err != nil {
			return User{}, err
		}
	}
	if !u.session().Caller().Complete() {
		return User{}, problem.InvalidField("/code", "the link is of another version; `kreislauf demo` prints new ones")
	}
	return u, u.Emit(meta, event.SignedUp{UserID: u.ID, Role: u.Role, Name: u.Name, Email: u.Email, PartnerID: u.PartnerID, CompanyID: u.CompanyID})
}
